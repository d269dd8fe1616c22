"""The listings of files, ``GET /api/v1/beta/files`` and the deprecated ``POST /api/v1/beta/files/query``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import web

from ..wire.checks import Issue
from .downloads import expanded
from .http import STORE, invalid, json_object, project_of, whole_number
from .pages import page_of, place_after
from .store.files import ORDERS, FileFilter

routes: web.RouteTableDef = web.RouteTableDef()
_PAGE = 50
_LARGEST_PAGE = 1000
_NEWEST_FIRST = "created_at"


@routes.get("/api/v1/beta/files")
async def list_files(request: web.Request) -> web.Response:
    """Give a page of the project's files."""
    query = request.query
    order_by = query.get("order_by") or _NEWEST_FIRST
    if order_by not in ORDERS:
        raise invalid([_order_issue(order_by)], "query")
    wanted = FileFilter(
        file_ids=frozenset(query.getall("file_ids", [])),
        file_name=query.get("file_name"),
        external_file_id=query.get("external_file_id"),
    )
    size = whole_number(query, "page_size", default=_PAGE, largest=_LARGEST_PAGE)
    return await _page(request, wanted, order_by, size, query.get("page_token"))


@routes.post("/api/v1/beta/files/query")
async def query_files(request: web.Request) -> web.Response:
    """Give a page of the project's files, asked for in a body."""
    project = project_of(request)
    # Null and absent are the same.
    body = {key: value for key, value in (await json_object(request)).items() if value is not None}
    if issues := list(_query_issues(body)):
        raise invalid(issues, "body")
    given = body.get("filter", {})
    # A file that was uploaded comes from no data source.
    if given.get("data_source_id") or given.get("project_id") not in {None, "", project.id}:
        return page_of([], None)
    wanted = FileFilter(
        file_ids=frozenset(given.get("file_ids") or ()),
        file_name=given.get("file_name"),
        external_file_id=given.get("external_file_id"),
    )
    size = min(body.get("page_size", _PAGE), _LARGEST_PAGE)
    order_by, token = body.get("order_by", _NEWEST_FIRST), body.get("page_token")
    return await _page(request, wanted, order_by, size, token)


async def _page(
    request: web.Request, wanted: FileFilter, order_by: str, size: int, token: str | None
) -> web.Response:
    project, files, order = project_of(request), request.app[STORE].files, ORDERS[order_by]
    after = place_after(token, order)
    found, last = await files.part(project, wanted, order=order, after=after, size=size)
    return page_of((expanded(request, file) for file in found), last)


def _order_issue(order_by: Any) -> Issue:
    return Issue(("order_by",), f"must be one of {', '.join(ORDERS)}, got {order_by!r}", "enum")


def _query_issues(body: Mapping[str, Any]) -> Iterator[Issue]:
    size = body.get("page_size", _PAGE)
    if type(size) is not int or size < 1:
        yield Issue(("page_size",), f"must be a whole number of 1 or more, got {size!r}", "value_error")
    if body.get("order_by", _NEWEST_FIRST) not in tuple(ORDERS):
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
