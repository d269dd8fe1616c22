"""The listings of files, ``GET /api/v1/beta/files`` and the deprecated ``POST /api/v1/beta/files/query``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from aiohttp import web
from attrs import frozen

from ..wire.checks import Issue
from .downloads import expanded
from .http import Place, invalid, json_object, page_of, page_size, project_of
from .store import StoredFile

routes: web.RouteTableDef = web.RouteTableDef()
_PAGE = 50
_LARGEST_PAGE = 1000
_NEWEST_FIRST = "created_at"
_PLACES: dict[str, Callable[[StoredFile], Place]] = {
    "name": lambda stored: (stored.file.name, stored.number),
    "id": lambda stored: (stored.file.id, stored.number),
    _NEWEST_FIRST: lambda stored: (-stored.number,),
}


@routes.get("/api/v1/beta/files")
async def list_files(request: web.Request) -> web.Response:
    """Give a page of the project's files."""
    query = request.query
    order_by = query.get("order_by") or _NEWEST_FIRST
    if order_by not in _PLACES:
        raise invalid([_order_issue(order_by)], "query")
    wanted = _Wanted(
        file_ids=frozenset(query.getall("file_ids", [])),
        file_name=query.get("file_name"),
        external_file_id=query.get("external_file_id"),
    )
    size = page_size(query, default=_PAGE, largest=_LARGEST_PAGE)
    return _page(request, wanted, order_by, size, query.get("page_token"))


@routes.post("/api/v1/beta/files/query")
async def query_files(request: web.Request) -> web.Response:
    """Give a page of the project's files, asked for in a body."""
    project = project_of(request)
    # Null and absent are the same.
    body = {key: value for key, value in (await json_object(request)).items() if value is not None}
    if issues := list(_query_issues(body)):
        raise invalid(issues, "body")
    given = body.get("filter", {})
    wanted = _Wanted(
        file_ids=frozenset(given.get("file_ids") or ()),
        file_name=given.get("file_name"),
        external_file_id=given.get("external_file_id"),
        # A file that was uploaded comes from no data source.
        none=bool(given.get("data_source_id")) or given.get("project_id") not in {None, "", project.id},
    )
    size = min(body.get("page_size", _PAGE), _LARGEST_PAGE)
    return _page(request, wanted, body.get("order_by", _NEWEST_FIRST), size, body.get("page_token"))


@frozen(kw_only=True)
class _Wanted:
    """Which files a listing gives; what is empty leaves them all."""

    file_ids: frozenset[str]
    file_name: str | None
    external_file_id: str | None
    none: bool = False

    def has(self, stored: StoredFile) -> bool:
        return (
            not self.none
            and (not self.file_ids or stored.file.id in self.file_ids)
            and self.file_name in {None, "", stored.file.name}
            and self.external_file_id in {None, "", stored.file.external_file_id}
        )


def _page(request: web.Request, wanted: _Wanted, order_by: str, size: int, token: str | None) -> web.Response:
    place_of = _PLACES[order_by]
    found = filter(wanted.has, project_of(request).files.values())
    items = ((place_of(stored), expanded(request, stored.file)) for stored in sorted(found, key=place_of))
    return page_of(items, size=size, token=token)


def _order_issue(order_by: Any) -> Issue:
    return Issue(("order_by",), f"must be one of {', '.join(_PLACES)}, got {order_by!r}", "enum")


def _query_issues(body: Mapping[str, Any]) -> Iterator[Issue]:
    size = body.get("page_size", _PAGE)
    if type(size) is not int or size < 1:
        yield Issue(("page_size",), f"must be a whole number of 1 or more, got {size!r}", "value_error")
    if body.get("order_by", _NEWEST_FIRST) not in tuple(_PLACES):
        yield _order_issue(body["order_by"])
    yield from _text_issues(body, ("page_token",), ())
    given = body.get("filter", {})
    if not isinstance(given, Mapping):
        yield Issue(("filter",), "expected an object", "model_type")
        return
    texts = ("project_id", "file_name", "data_source_id", "external_file_id")
    yield from _text_issues(given, texts, ("filter",))
    ids = given.get("file_ids")
    if ids is not None and not (isinstance(ids, list) and all(isinstance(each, str) for each in ids)):
        yield Issue(("filter", "file_ids"), "expected a list of file ids", "list_type")


def _text_issues(data: Mapping[str, Any], keys: tuple[str, ...], loc: tuple[str, ...]) -> Iterator[Issue]:
    for key in keys:
        if not isinstance(data.get(key), str | None):
            yield Issue((*loc, key), f"must be a text, got {data[key]!r}", "string_type")
