"""What all routes share: who asks, the service's error bodies, JSON in and out, pages."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any

from aiohttp import web

from ..wire.checks import Issue
from ..wire.converter import encode
from .store import Project, Store

STORE = web.AppKey("STORE", Store)
_KEY_PREFIX = "llx-"
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
        return web.json_response({"detail": error.detail}, status=error.status)
    except web.HTTPException as error:
        return web.json_response({"detail": error.reason}, status=error.status)
    except ConnectionError:
        raise  # the client went away: there is nobody to answer
    except Exception:
        _log.exception("%s %s failed", request.method, request.path)
        return web.json_response({"detail": "Internal server error"}, status=500)


def project_of(request: web.Request) -> Project:
    """Give the project that a request speaks of.

    Raises:
        ApiError: 401, there is no key or none of the service's form.
    """
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise ApiError(401, "Not authenticated")
    if not key.strip().startswith(_KEY_PREFIX):
        raise ApiError(401, "Invalid API Key: keys start with llx-")
    return request.app[STORE].project(key.strip(), request.query.get("project_id"))


async def json_object(request: web.Request) -> dict[str, Any]:
    """Read the request's body.

    Raises:
        ApiError: 422, it is not a JSON object.
    """
    try:
        body = json.loads(await request.read())
    except ValueError as error:
        issue = Issue((), f"not JSON: {error}", "json_invalid")
        raise invalid([issue], "body") from None
    if not isinstance(body, dict):
        raise invalid([Issue((), "expected an object", "model_type")], "body")
    return body


def answer(model: Any, *, status: int = 200) -> web.Response:
    """Answer with a model's JSON."""
    return web.json_response(encode(model), status=status)


def page_of(
    items: Iterator[tuple[int, Any]], query: Mapping[str, str], *, default: int, largest: int
) -> web.Response:
    """Answer with one page of numbered items that come newest first.

    The token holds the number of the last item given, so pages stay right while items are added.

    Raises:
        ApiError: 422, the page size is out of bounds; 400, the token is none of ours.
    """
    size = _page_size(query.get("page_size"), default, largest)
    before = _read_token(query.get("page_token"))
    page: list[Any] = []
    last = 0
    for number, item in items:
        if before is not None and number >= before:
            continue
        if len(page) == size:
            return web.json_response(
                {"items": page, "next_page_token": _write_token(last), "total_size": None}
            )
        page.append(encode(item))
        last = number
    return web.json_response({"items": page, "next_page_token": None, "total_size": None})


def _page_size(text: str | None, default: int, largest: int) -> int:
    if not text:
        return default
    if not text.isdecimal() or not 1 <= int(text) <= largest:
        issue = Issue(("page_size",), f"must be 1 to {largest}, got {text!r}", "value_error")
        raise invalid([issue], "query")
    return int(text)


def _write_token(number: int) -> str:
    return base64.urlsafe_b64encode(f"before:{number}".encode()).decode()


def _read_token(token: str | None) -> int | None:
    if not token:
        return None
    try:
        word, _, number = base64.urlsafe_b64decode(token).decode().partition(":")
        if word == "before":
            return int(number)
    except ValueError:
        pass
    raise ApiError(400, "Invalid page token")
