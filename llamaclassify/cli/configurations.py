"""``llamaclassify configurations``: rules that are saved on the server."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

import click

from .endpoints import command
from .flags import CONFIG_ID, PAGES, Flag, Request
from .values import OBJECT, model

if TYPE_CHECKING:
    from ..session import ClassifySession

_PARAMETERS = Flag(
    "parameters",
    "The configuration; @rules.yaml reads a file. A product_type other than classify_v2 needs saying.",
    OBJECT,
)


@click.group()
def configurations() -> None:
    """Saved configurations: rules kept on the server, for jobs to name."""


@command(configurations, "create", Flag("name", "Its name."), _PARAMETERS, body=True)
def create(session: ClassifySession, request: Request) -> Awaitable[Any]:
    """Save a configuration; one of the same name is written anew."""
    return session.configurations.create(request.get("name", ""), _read(request.get("parameters", {})))


@command(configurations, "get", CONFIG_ID, also="retrieve")
def get(session: ClassifySession, request: Request) -> Awaitable[Any]:
    """Show a configuration."""
    return session.configurations.get(**request)


@command(
    configurations,
    "list",
    Flag("name", "Only those of exactly this name."),
    Flag("product-type", "Only those of this product; may be repeated.", at="product_type[]"),
    Flag("latest-only", "Only the latest version of each.", click.BOOL),
    *PAGES,
)
def list_configurations(session: ClassifySession, request: Request) -> Awaitable[Any]:
    """List the project's configurations, of classify_v2 if no other product is named."""
    return session.configurations.list(**request)


@command(configurations, "update", CONFIG_ID, Flag("name", "Its new name."), _PARAMETERS, body=True)
def update(session: ClassifySession, request: Request) -> Awaitable[Any]:
    """Change a configuration for later jobs; what is not given stays."""
    if "parameters" in request:
        request["parameters"] = _read(request["parameters"])
    return session.configurations.update(**request)


@command(configurations, "delete", CONFIG_ID)
async def delete(session: ClassifySession, request: Request) -> Any:
    """Remove a configuration; jobs keep the copy that they were made with."""
    await session.configurations.delete(**request)
    return {"id": request["config_id"]}


def _read(parameters: Any) -> Any:
    """Read our own product's parameters strictly; leave another's as they are."""
    from ..models import Configuration
    from ..wire.checks import configuration_issues, refuse
    from ..wire.converter import CLASSIFY_PRODUCT

    if not isinstance(parameters, dict):
        return parameters
    if parameters.get("product_type", CLASSIFY_PRODUCT) != CLASSIFY_PRODUCT:
        return parameters
    refuse(configuration_issues(parameters, ("parameters",)))
    rules = {key: value for key, value in parameters.items() if key != "product_type"}
    return model(Configuration, rules, "parameters")
