"""Time as the server sees it: a test gives one that it moves itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from attrs import frozen


def _now() -> datetime:
    return datetime.now(UTC)


@frozen
class Clock:
    """What the time is, and how to wait."""

    now: Callable[[], datetime] = _now
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
