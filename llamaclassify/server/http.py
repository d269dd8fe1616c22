"""What all routes share: who asks, the service's error bodies, JSON in and out, pages."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from aiohttp import web

from ..wire.checks import Issue
from ..wire.converter import encode
from .jobs import JobRunner
from .store import Project, Store

STORE = web.AppKey("STORE", Store)
RUNNER = web.AppKey("RUNNER", JobRunner)
ANY_SIZE = 1_000_000
"""The largest page where the service documents none."""
_KEY_PREFIX = "llx-"
_log = logging.getLogger("llamaclassify.server")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Place = tuple[int | str, ...]
"""Where an item stands in its listing: an item that comes later has a greater place."""


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
    except (ValueError, RecursionError) as error:
        issue = Issue((), f"not JSON: {error}", "json_invalid")
        raise invalid([issue], "body") from None
    if not isinstance(body, dict):
        raise invalid([Issue((), "expected an object", "model_type")], "body")
    return body


def answer(model: Any, *, status: int = 200) -> web.Response:
    """Answer with a model's JSON."""
    return web.json_response(encode(model), status=status)


def page_of(items: Iterable[tuple[Place, Any]], *, size: int, token: str | None) -> web.Response:
    """Answer with one page of items, each with its place, in the order of their places.

    The token holds the place of the last item given, so pages stay right while items come and go.

    Raises:
        ApiError: 400, the token is none that this listing gave.
    """
    after = _read_token(token)
    page: list[Any] = []
    last: Place = ()
    for place, item in items:
        if not _comes_after(place, after):
            continue
        if len(page) == size:
            return _page(page, _write_token(last))
        page.append(encode(item))
        last = place
    return _page(page, None)


def _page(items: list[Any], next_page_token: str | None) -> web.Response:
    return web.json_response({"items": items, "next_page_token": next_page_token, "total_size": None})


def page_size(query: Mapping[str, str], *, default: int, largest: int) -> int:
    """Read the size of the page that is asked for.

    Raises:
        ApiError: 422, it is out of bounds.
    """
    return whole_number(query, "page_size", default=default, largest=largest)


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


def _write_token(place: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _read_token(token: str | None) -> Place:
    if not token:
        return ()
    try:
        place = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, RecursionError):
        place = None
    if not isinstance(place, list):
        raise ApiError(400, "Invalid page token")
    return tuple(place)


def _comes_after(place: Place, after: Place) -> bool:
    try:
        return place > after
    except TypeError:  # a number against a text: the token of another listing
        raise ApiError(400, "Invalid page token") from None
