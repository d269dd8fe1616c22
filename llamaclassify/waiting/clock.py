"""Time as the waits see it, so that tests can bring their own."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import anyio
from attrs import frozen


@frozen
class Clock:
    """A monotonic clock and a way to sleep by it, both in seconds."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
