"""What all routes share: who asks, the service's error bodies, JSON in and out."""

from __future__ import annotations

import hmac
import json
import logging
import re
import sqlite3
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from aiohttp import web

from ..wire.checks import Issue
from ..wire.converter import encode
from .clock import Clock
from .jobs import JobRunner, QueueFullError
from .store import Project, Store
from .store.errors import is_disk_full

STORE = web.AppKey("STORE", Store)
RUNNER = web.AppKey("RUNNER", JobRunner)
CLOCK = web.AppKey("CLOCK", Clock)
API_KEY: web.AppKey[str | None] = web.AppKey("API_KEY")
"""The one key that is accepted; None: every key of the service's form."""
WEBHOOK_HOSTS: web.AppKey[Collection[str]] = web.AppKey("WEBHOOK_HOSTS")
"""Hosts besides this machine that webhooks may go to."""
_KEY_PREFIX = "llx-"
_SCOPE_ID = re.compile(r"(prj-)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_RETRY_AFTER = "1"
_log = logging.getLogger("llamaclassify.server")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ApiError(Exception):
    """An answer of 400 or more, with the service's ``detail``."""

    def __init__(self, status: int, detail: Any) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail


def invalid(issues: Iterable[Issue], within: str) -> ApiError:
    """Make the 422 that names each field at fault, `within` the body or the query."""
    detail = [{"loc": [within, *issue.loc], "msg": issue.message, "type": issue.kind} for issue in issues]
    return ApiError(422, detail)


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error in the service's shape."""
    try:
        return await handler(request)
    except ApiError as error:
        return _refused(error.status, error.detail)
    except QueueFullError as error:
        response = _refused(429, str(error))
        response.headers["Retry-After"] = _RETRY_AFTER
        return response
    except web.HTTPException as error:
        return _refused(error.status, error.reason)
    except ConnectionError:  # the client went away: nobody hears the answer, and the log need not
        return web.Response(status=499, reason="Client Closed Request")
    except Exception as error:
        return _failed(request, error)


def _failed(request: web.Request, error: Exception) -> web.Response:
    """Say that a request failed for a reason of ours: nothing that it asked for was stored."""
    _log.error("%s %s failed", request.method, request.path, exc_info=error)
    if is_disk_full(error):
        return _refused(507, "The disk that holds the server's data is full")
    if isinstance(error, OSError | sqlite3.Error):
        return _refused(500, f"The server's data cannot be read or written: {error}")
    return _refused(500, "Internal server error")


def _refused(status: int, detail: Any) -> web.Response:
    return web.json_response({"detail": detail}, status=status)


def project_of(request: web.Request) -> Project:
    """Give the project that a request speaks of.

    Raises:
        ApiError: 401 or 422, as `project_by`.
    """
    return project_by(request, request.headers.get("Authorization", ""))


def project_by(request: web.Request, authorization: str) -> Project:
    """Give the project that a request speaks of, by an ``Authorization`` header.

    Raises:
        ApiError: 401, there is no key, none of the service's form or not the one that is asked for; 422, the
            project or organization is no UUID.
    """
    scheme, _, key = authorization.partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not key:
        raise ApiError(401, "Not authenticated")
    only = request.app[API_KEY]
    if only is not None and not hmac.compare_digest(key.encode(errors="replace"), only.encode()):
        raise ApiError(401, "Invalid API Key")
    if only is None and not key.startswith(_KEY_PREFIX):
        raise ApiError(401, "Invalid API Key: keys start with llx-")
    if issues := list(_scope_issues(request.query)):
        raise invalid(issues, "query")
    return Project.of(key, request.query.get("project_id"))


def _scope_issues(query: Mapping[str, str]) -> Iterator[Issue]:
    for name in ("project_id", "organization_id"):
        if query.get(name) and not _SCOPE_ID.fullmatch(query[name]):
            yield Issue((name,), f"must be a UUID, got {query[name]!r}", "uuid_parsing")


async def json_object(request: web.Request) -> dict[str, Any]:
    """Read the request's body.

    Raises:
        ApiError: 422, it is not a JSON object.
    """
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError) as error:
        issue = Issue((), f"not JSON: {error}", "json_invalid")
        raise invalid([issue], "body") from None
    if not isinstance(body, dict):
        raise invalid([Issue((), "expected an object", "model_type")], "body")
    return body


def answer(model: Any, *, status: int = 200) -> web.Response:
    """Answer with a model's JSON."""
    return web.json_response(encode(model), status=status)


def answer_text(text: str) -> web.Response:
    """Answer with JSON as it was stored."""
    return web.Response(text=text, content_type="application/json")


def whole_number(query: Mapping[str, str], key: str, *, default: int, largest: int) -> int:
    """Read a number of 1 to `largest` from the query.

    Raises:
        ApiError: 422, it is none.
    """
    text = query.get(key)
    if not text:
        return default
    if not (text.isdecimal() and len(text) < 20 and 1 <= int(text) <= largest):
        issue = Issue((key,), f"must be 1 to {largest}, got {text!r}", "value_error")
        raise invalid([issue], "query")
    return int(text)
