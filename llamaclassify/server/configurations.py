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
from .http import ANY_SIZE, ApiError, Place, answer, invalid, json_object, page_of, page_size, project_of
from .store import StoredConfiguration

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
    saved = project.save_configuration(body["name"], parameters["product_type"], _read(parameters))
    return answer(saved, status=201)


@routes.get("/api/v1/beta/configurations")
async def list_configurations(request: web.Request) -> web.Response:
    """Give a page of the project's configurations, newest first, each in its latest version."""
    query = request.query
    products, name = query.getall("product_type", []), query.get("name")
    if issues := [issue for product in products for issue in _product_issues(product, ())]:
        raise invalid(issues, "query")
    matching: Iterator[tuple[Place, SavedConfiguration]] = (
        ((-stored.number,), stored.saved)
        for stored in reversed(project_of(request).configurations.values())
        if (not products or stored.saved.product_type in products) and name in {None, "", stored.saved.name}
    )
    size = page_size(query, default=_PAGE, largest=ANY_SIZE)
    return page_of(matching, size=size, token=query.get("page_token"))


@routes.get("/api/v1/beta/configurations/{config_id}")
async def get(request: web.Request) -> web.Response:
    """Give one configuration."""
    return answer(_configuration_of(request).saved)


@routes.put("/api/v1/beta/configurations/{config_id}")
async def update(request: web.Request) -> web.Response:
    """Change what is given, as a new version; jobs that have been created keep the version they had."""
    stored = _configuration_of(request)
    body = await json_object(request)
    if issues := list(saved_configuration_change_issues(body)):
        raise invalid(issues, "body")
    product = stored.saved.product_type
    changes: dict[str, Any] = {}
    if body.get("parameters") is not None:
        if body["parameters"]["product_type"] != product:
            issue = Issue(("parameters", "product_type"), f"must stay {product}", "value_error")
            raise invalid([issue], "body")
        changes["parameters"] = _read(body["parameters"])
    if body.get("name") is not None:
        other = project_of(request).configuration_named(body["name"], product)
        if other is not None and other is not stored:
            raise ApiError(409, f"There is another {product} configuration named {body['name']!r}")
        changes["name"] = body["name"]
    stored.write(**changes)
    return answer(stored.saved)


@routes.delete("/api/v1/beta/configurations/{config_id}")
async def delete(request: web.Request) -> web.Response:
    """Forget a configuration; its jobs have copies of their own."""
    stored = _configuration_of(request)
    del project_of(request).configurations[stored.saved.id]
    return web.Response(status=204)


def _configuration_of(request: web.Request) -> StoredConfiguration:
    config_id = request.match_info["config_id"]
    stored = project_of(request).configurations.get(config_id)
    if stored is None:
        raise ApiError(404, f"Configuration {config_id} not found")
    return stored


def _read(parameters: Mapping[str, Any]) -> Configuration | dict[str, Any]:
    """Read our own product's parameters; keep another's as they are."""
    if parameters["product_type"] == CLASSIFY_PRODUCT:
        return decode(Configuration, parameters, request="parameters")
    return dict(parameters)


def _product_issues(product: str, loc: tuple[str, ...]) -> Iterator[Issue]:
    if product not in _PRODUCTS:
        message = f"must be one of {', '.join(_PRODUCTS)}, got {product!r}"
        yield Issue((*loc, "product_type"), message, "enum")
