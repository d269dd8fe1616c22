"""Pages of a listing, and the tokens that lead from one to the next."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from ..wire.converter import encode
from .http import ApiError, answer_text
from .store.listing import Order, Place

ANY_SIZE = 1_000_000
"""The largest page where the service documents none."""


def page_of(items: Iterable[Any], last: Place | None, *, total_size: int | None = None) -> web.Response:
    """Answer with a page of models; `last` is the place after which the next one goes on, if it does."""
    return page_of_texts((json.dumps(encode(item)) for item in items), last, total_size=total_size)


def page_of_texts(items: Iterable[str], last: Place | None, *, total_size: int | None = None) -> web.Response:
    """Answer with a page of items that are JSON already."""
    token, total = json.dumps(None if last is None else _token(last)), json.dumps(total_size)
    return answer_text(
        f'{{"items": [{", ".join(items)}], "next_page_token": {token}, "total_size": {total}}}'
    )


def _token(place: Place) -> str:
    """Write the place of the last item given: pages stay right while items come and go."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def place_after(token: str | None, order: Order) -> Place | None:
    """Read where a page begins.

    Raises:
        ApiError: 400, the token is none that this listing gave.
    """
    if not token:
        return None
    try:
        place = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, RecursionError):
        place = None
    if not isinstance(place, list) or not order.has(tuple(place)):
        raise ApiError(400, "Invalid page token")
    return tuple(place)
