"""Saved configurations, ``/api/v1/beta/configurations``: rules kept on the server, for jobs to name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import ConfigurationError
from ..models import Configuration, SavedConfiguration
from .checks import (
    identifier,
    listed,
    page_size_in,
    refuse,
    saved_configuration_change_issues,
    saved_configuration_issues,
)
from .converter import CLASSIFY_PRODUCT, decode, encode_request
from .pagination import Pager
from .transport import Transport

_PATH = "/api/v1/beta/configurations"
_LARGEST_PAGE = 1000

Parameters = Configuration | Mapping[str, Any]
"""A configuration for classification, or the raw parameters of any product, with their product_type."""


class Configurations:
    """The calls on saved configurations, as ``session.configurations``.

    ::

        saved = await session.configurations.create("mail", Configuration(RULES))
        job = await session.create_and_wait(Path("a.pdf"), configuration_id=saved.id)

    Every call takes `organization_id` and `project_id` over the session's own, and raises `APIStatusError`,
    `APIConnectionError` and `ResponseDecodeError` after the retries of the session's `RetryPolicy`.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create(
        self,
        name: str,
        parameters: Parameters,
        *,
        organization_id: str | None = None,
        project_id: str | None = None,
    ) -> SavedConfiguration:
        """Save a configuration (``POST``); one of the same name and product is written anew.

        Args:
            name: 1 to 255 characters.
            parameters: A `Configuration`, or another product's parameters with their ``product_type``.
            organization_id: Instead of the session's.
            project_id: Instead of the session's.

        Raises:
            ConfigurationError: It cannot be right; every field at fault is named.
        """
        body = {"name": name, "parameters": _parameters(parameters)}
        refuse(saved_configuration_issues(body))
        query = {"organization_id": organization_id, "project_id": project_id}
        answer = await self._transport.request("POST", _PATH, query=query, body=body)
        return decode(SavedConfiguration, answer, request=f"POST {_PATH}")

    async def get(
        self, config_id: str, *, organization_id: str | None = None, project_id: str | None = None
    ) -> SavedConfiguration:
        """Look a configuration up (``GET …/{config_id}``).

        Raises:
            NotFoundError: The project has no such configuration.
        """
        path = f"{_PATH}/{identifier('config_id', config_id)}"
        query = {"organization_id": organization_id, "project_id": project_id}
        answer = await self._transport.request("GET", path, query=query)
        return decode(SavedConfiguration, answer, request=f"GET {path}")

    def list(
        self,
        *,
        product_type: Iterable[str] | None = (CLASSIFY_PRODUCT,),
        name: str | None = None,
        latest_only: bool | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        organization_id: str | None = None,
        project_id: str | None = None,
    ) -> Pager[SavedConfiguration]:
        """List the project's configurations (``GET``).

        Args:
            product_type: Only those of these products; None for all.
            name: Only those of exactly this name.
            latest_only: Only the latest version of each.
            page_size: Configurations a page.
            page_token: Start with the page of this token.
            organization_id: Instead of the session's.
            project_id: Instead of the session's.
        """
        filters = {
            "product_type": listed("product_type", product_type),
            "name": name,
            "latest_only": None if latest_only is None else str(latest_only).lower(),
            "page_size": page_size_in(page_size, _LARGEST_PAGE),
            "organization_id": organization_id,
            "project_id": project_id,
        }

        async def fetch(token: str | None) -> Any:
            return await self._transport.request("GET", _PATH, query={**filters, "page_token": token})

        return Pager(fetch, SavedConfiguration, request=f"GET {_PATH}", page_token=page_token)

    async def update(
        self,
        config_id: str,
        *,
        name: str | None = None,
        parameters: Parameters | None = None,
        organization_id: str | None = None,
        project_id: str | None = None,
    ) -> SavedConfiguration:
        """Change a configuration for later jobs (``PUT …/{config_id}``); what is not given stays.

        Raises:
            ConfigurationError: It cannot be right; every field at fault is named.
            NotFoundError: The project has no such configuration.
        """
        path = f"{_PATH}/{identifier('config_id', config_id)}"
        given = {"name": name, "parameters": None if parameters is None else _parameters(parameters)}
        body = {key: value for key, value in given.items() if value is not None}
        if not body:
            raise ConfigurationError("name: give a name or parameters to change")
        refuse(saved_configuration_change_issues(body))
        query = {"organization_id": organization_id, "project_id": project_id}
        answer = await self._transport.request("PUT", path, query=query, body=body)
        return decode(SavedConfiguration, answer, request=f"PUT {path}")

    async def delete(
        self, config_id: str, *, organization_id: str | None = None, project_id: str | None = None
    ) -> None:
        """Remove a configuration (``DELETE …/{config_id}``); jobs keep the copy that they were made with.

        A delete whose answer was lost is sent again; that it is gone by then counts as done.

        Raises:
            NotFoundError: The project has no such configuration.
        """
        path = f"{_PATH}/{identifier('config_id', config_id)}"
        query = {"organization_id": organization_id, "project_id": project_id}
        await self._transport.delete(path, query=query)


def _parameters(parameters: Parameters) -> Any:
    if isinstance(parameters, Configuration):
        return {"product_type": CLASSIFY_PRODUCT, **encode_request(parameters)}
    return parameters
