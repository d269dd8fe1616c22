"""The routes of saved configurations, ``/api/v1/beta/configurations``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import web

from ..models import Configuration, SavedConfiguration
from ..wire.checks import (
    Issue,
    saved_configuration_change_issues,
    saved_configuration_issues,
)
from ..wire.converter import CLASSIFY_PRODUCT, decode
from .http import STORE, ApiError, answer, invalid, json_object, project_of, whole_number
from .pages import ANY_SIZE, page_of, place_after
from .store.configurations import NEWEST_FIRST, ConfigurationFilter, NameTakenError

routes: web.RouteTableDef = web.RouteTableDef()
_PAGE = 100
_PRODUCTS = ("split_v1", "extract_v2", "classify_v2", "parse_v2", "spreadsheet_v1", "unknown")


@routes.post("/api/v1/beta/configurations")
async def create(request: web.Request) -> web.Response:
    """Save parameters under a name; one that is taken gets them as its new version."""
    project = project_of(request)
    body = await json_object(request)
    if issues := list(saved_configuration_issues(body)):
        raise invalid(issues, "body")
    parameters = body["parameters"]
    if issues := list(_product_issues(parameters["product_type"], ("parameters",))):
        raise invalid(issues, "body")
    configurations = request.app[STORE].configurations
    saved = await configurations.save(project, body["name"], parameters["product_type"], _read(parameters))
    return answer(saved, status=201)


@routes.get("/api/v1/beta/configurations")
async def list_configurations(request: web.Request) -> web.Response:
    """Give a page of the project's configurations, newest first, each in its latest version."""
    project, query = project_of(request), request.query
    products = query.getall("product_type", [])
    if issues := [issue for product in products for issue in _product_issues(product, ())]:
        raise invalid(issues, "query")
    wanted = ConfigurationFilter(product_types=products, name=query.get("name"))
    size = whole_number(query, "page_size", default=_PAGE, largest=ANY_SIZE)
    after = place_after(query.get("page_token"), NEWEST_FIRST)
    found, last = await request.app[STORE].configurations.part(project, wanted, after=after, size=size)
    return page_of(found, last)


@routes.get("/api/v1/beta/configurations/{config_id}")
async def get(request: web.Request) -> web.Response:
    """Give one configuration."""
    return answer(await _configuration_of(request))


@routes.put("/api/v1/beta/configurations/{config_id}")
async def update(request: web.Request) -> web.Response:
    """Change what is given, as a new version; jobs that have been created keep the version they had."""
    saved = await _configuration_of(request)
    body = await json_object(request)
    if issues := list(saved_configuration_change_issues(body)):
        raise invalid(issues, "body")
    changes: dict[str, Any] = {}
    if body.get("parameters") is not None:
        if body["parameters"]["product_type"] != saved.product_type:
            issue = Issue(("parameters", "product_type"), f"must stay {saved.product_type}", "value_error")
            raise invalid([issue], "body")
        changes["parameters"] = _read(body["parameters"])
    if body.get("name") is not None:
        changes["name"] = body["name"]
    try:
        changed = await request.app[STORE].configurations.change(project_of(request), saved.id, **changes)
    except NameTakenError as taken:
        raise ApiError(409, f"There is another {saved.product_type} configuration named '{taken}'") from None
    if changed is None:
        raise _unknown(saved.id)
    return answer(changed)


@routes.delete("/api/v1/beta/configurations/{config_id}")
async def delete(request: web.Request) -> web.Response:
    """Forget a configuration; its jobs have copies of their own."""
    config_id = request.match_info["config_id"]
    if not await request.app[STORE].configurations.delete(project_of(request), config_id):
        raise _unknown(config_id)
    return web.Response(status=204)


async def _configuration_of(request: web.Request) -> SavedConfiguration:
    config_id = request.match_info["config_id"]
    saved = await request.app[STORE].configurations.get(project_of(request), config_id)
    if saved is None:
        raise _unknown(config_id)
    return saved


def _unknown(config_id: str) -> ApiError:
    return ApiError(404, f"Configuration {config_id} not found")


def _read(parameters: Mapping[str, Any]) -> Configuration | dict[str, Any]:
    """Read our own product's parameters; keep another's as they are."""
    if parameters["product_type"] == CLASSIFY_PRODUCT:
        return decode(Configuration, parameters, request="parameters")
    return dict(parameters)


def _product_issues(product: str, loc: tuple[str, ...]) -> Iterator[Issue]:
    if product not in _PRODUCTS:
        message = f"must be one of {', '.join(_PRODUCTS)}, got {product!r}"
        yield Issue((*loc, "product_type"), message, "enum")
