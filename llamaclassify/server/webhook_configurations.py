"""The routes of saved webhook configurations, ``/api/v1/beta/webhook-configs``, and their paged list.

What is secret comes back masked; a mask that is sent back keeps what it stands for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import web
from yarl import URL

from ..models import WebhookConfiguration, timestamp
from ..wire.checks import Issue, webhook_issues
from ..wire.converter import decode, encode
from .http import STORE, WEBHOOK_HOSTS, answer, invalid, json_object, project_of, whole_number
from .pages import ANY_SIZE, page_of, place_after
from .receivers import undeliverable, unknown
from .store.project import Project
from .store.webhook_configurations import NEWEST_FIRST, SavedWebhook

routes: web.RouteTableDef = web.RouteTableDef()
_PAGE = 100
_MASK = "********"
_KEYS = (
    "webhook_url",
    "webhook_events",
    "webhook_headers",
    "webhook_output_format",
    "webhook_signing_secret",
)


@routes.post("/api/v1/beta/webhook-configs")
async def create(request: web.Request) -> web.Response:
    """Save a webhook configuration."""
    project = project_of(request)
    webhook = _webhook_in(request, _given(await json_object(request)))
    saved = await request.app[STORE].webhook_configurations.add(project, webhook)
    return answer(_told(project, saved), status=201)


@routes.get("/api/v1/beta/webhook-configs")
async def list_all(request: web.Request) -> web.Response:
    """Give all of the project's webhook configurations, newest first."""
    project = project_of(request)
    found, _ = await request.app[STORE].webhook_configurations.part(project, after=None, size=ANY_SIZE)
    return answer([_told(project, saved) for saved in found])


@routes.get("/api/v2/webhook-configs")
async def list_pages(request: web.Request) -> web.Response:
    """Give a page of the project's webhook configurations, newest first."""
    project, query, webhooks = project_of(request), request.query, request.app[STORE].webhook_configurations
    size = whole_number(query, "page_size", default=_PAGE, largest=ANY_SIZE)
    after = place_after(query.get("page_token"), NEWEST_FIRST)
    found, last = await webhooks.part(project, after=after, size=size)
    total = await webhooks.count(project) if query.get("include_total") == "true" else None
    return page_of((_told(project, saved) for saved in found), last, total_size=total)


@routes.get("/api/v1/beta/webhook-configs/{config_id}")
async def get(request: web.Request) -> web.Response:
    """Give one webhook configuration."""
    return answer(_told(project_of(request), await _saved_of(request)))


@routes.put("/api/v1/beta/webhook-configs/{config_id}")
async def update(request: web.Request) -> web.Response:
    """Change what is given; jobs that have been created keep what they had."""
    project, saved = project_of(request), await _saved_of(request)
    changes = _unmasked(_given(await json_object(request)), saved.webhook)
    webhook = _webhook_in(request, encode(saved.webhook) | changes)
    changed = await request.app[STORE].webhook_configurations.change(project, saved.id, webhook)
    if changed is None:
        raise unknown(saved.id)
    return answer(_told(project, changed))


@routes.delete("/api/v1/beta/webhook-configs/{config_id}")
async def delete(request: web.Request) -> web.Response:
    """Forget a webhook configuration; its jobs have copies of their own."""
    config_id = request.match_info["config_id"]
    if not await request.app[STORE].webhook_configurations.delete(project_of(request), config_id):
        raise unknown(config_id)
    return web.Response(status=204)


async def _saved_of(request: web.Request) -> SavedWebhook:
    config_id = request.match_info["config_id"]
    saved = await request.app[STORE].webhook_configurations.get(project_of(request), config_id)
    if saved is None:
        raise unknown(config_id)
    return saved


def _given(body: Mapping[str, Any]) -> dict[str, Any]:
    """Take what may be given: what else is answered may be sent back, and says nothing."""
    return {key: body[key] for key in _KEYS if key in body}


def _webhook_in(request: web.Request, given: Mapping[str, Any]) -> WebhookConfiguration:
    """Read a webhook configuration.

    Raises:
        ApiError: 422, it cannot be right.
    """
    # As a create's only one, whose place is left out of the message.
    issues = [Issue(issue.loc[2:], issue.message, issue.kind) for issue in webhook_issues([given])]
    issues = issues or list(_own_issues(given))
    issues = issues or [
        Issue(issue.loc[2:], issue.message, issue.kind)
        for issue in undeliverable([given], request.app[WEBHOOK_HOSTS])
    ]
    if issues:
        raise invalid(issues, "body")
    return decode(WebhookConfiguration, given, request=request.path)


def _own_issues(given: Mapping[str, Any]) -> Iterator[Issue]:
    if not given.get("webhook_url"):
        yield Issue(("webhook_url",), "Field required", "missing")
    if given.get("webhook_events") == []:
        yield Issue(("webhook_events",), "must name at least one event; null stands for all", "too_short")


def _told(project: Project, saved: SavedWebhook) -> dict[str, Any]:
    webhook: dict[str, Any] = encode(saved.webhook)
    has_secret = webhook.pop("webhook_signing_secret") is not None
    return webhook | {
        "id": saved.id,
        "webhook_url": _masked(saved.webhook.webhook_url),
        "webhook_headers": webhook["webhook_headers"] and dict.fromkeys(webhook["webhook_headers"], _MASK),
        "has_secret": has_secret,
        "tenant_id": project.id,
        "tenant_type": "project",
        "created_at": timestamp(saved.created_at),
        "updated_at": timestamp(saved.updated_at),
    }


def _masked(url: str) -> str:
    parts = URL(url)
    return str(parts.with_user(_MASK).with_password(None)) if parts.raw_user or parts.raw_password else url


def _unmasked(given: Mapping[str, Any], stored: WebhookConfiguration) -> dict[str, Any]:
    changes = dict(given)
    if changes.get("webhook_url") in {None, _masked(stored.webhook_url)}:
        changes.pop("webhook_url", None)
    headers, known = changes.get("webhook_headers"), stored.webhook_headers or {}
    if isinstance(headers, dict):
        changes["webhook_headers"] = {
            name: known.get(name, value) if value == _MASK else value for name, value in headers.items()
        }
    return changes
