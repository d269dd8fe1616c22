"""Whom a job's creator may have told: this machine, and hosts that whoever runs the server allowed.

A client must not be able to have the server ask its neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from aiohttp import web
from yarl import URL

from ..loopback import is_loopback
from ..models import WebhookConfiguration
from ..wire.checks import Issue
from .http import STORE, WEBHOOK_HOSTS, ApiError, invalid
from .store import Project, webhooks

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")


async def webhooks_in(
    request: web.Request, project: Project, body: Mapping[str, Any]
) -> tuple[WebhookConfiguration, ...]:
    """Give a create's webhooks: its own, whose form has been checked, and the saved ones that it names.

    Raises:
        ApiError: 422, one of them cannot be delivered; 404, there is no saved one of that id.
    """
    given = body.get("webhook_configurations")
    if issues := list(undeliverable(given, request.app[WEBHOOK_HOSTS])):
        raise invalid(issues, "body")
    return webhooks.read(given) + await _saved(request, project, body.get("webhook_configuration_ids"))


async def _saved(request: web.Request, project: Project, given: Any) -> tuple[WebhookConfiguration, ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        issue = Issue(("webhook_configuration_ids",), "expected a list of ids", "list_type")
        raise invalid([issue], "body")
    found = await request.app[STORE].webhook_configurations.some(project, given)
    known = {saved.id: saved.webhook for saved in found}
    for config_id in given:
        if config_id not in known:
            raise unknown(config_id)
    return tuple(known[config_id] for config_id in dict.fromkeys(given))


def unknown(config_id: str) -> ApiError:
    """Say that there is no saved webhook configuration of an id."""
    return ApiError(404, f"Webhook configuration {config_id} not found")


def undeliverable(webhooks: Sequence[Mapping[str, Any]] | None, hosts: Collection[str]) -> Iterator[Issue]:
    """Say which of a create's webhooks cannot be delivered; their form has been checked."""
    for index, webhook in enumerate(webhooks or ()):
        loc = ("webhook_configurations", index)
        url = webhook.get("webhook_url")
        if url is not None and not _is_allowed(url, hosts):
            message = (
                f"{url!r} is neither on this machine nor on a host that the server allows"
                " (llamaclassify serve --webhook-host HOST)"
            )
            yield Issue((*loc, "webhook_url"), message, "value_error")
        for name, value in (webhook.get("webhook_headers") or {}).items():
            if not (_NAME.fullmatch(name) and isinstance(value, str) and _VALUE.fullmatch(value)):
                yield Issue((*loc, "webhook_headers", name), "is no HTTP header", "value_error")


def _is_allowed(url: str, hosts: Collection[str]) -> bool:
    try:
        parts = URL(url)  # what posts it reads it the same way
    except ValueError:
        return False
    host = (parts.host or "").lower()
    return (
        parts.scheme in {"http", "https"}
        and parts.explicit_port != 0
        and (is_loopback(host) or host in {allowed.lower() for allowed in hosts})
    )
