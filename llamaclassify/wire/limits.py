"""How fast one session may ask: its rate limit, and what it learns from a server that pushes back.

A rate limit is kept exactly: no window of its length holds more requests than it allows. Pushback, a 429 or
a run of 5xx, slows the whole session: its rate is halved, then grows again step by step while answers are
good, until it is no bound any more.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Literal

import anyio

from ..policies import Rate, RateLimit

Kind = Literal["create", "upload", "other"]

_MARGIN = 1.01
"""Requests sent in time may arrive closer together: windows are kept this much longer."""
_SLOWEST = 2.0
"""Requests a second below which pushback does not slow a session."""
_ONE_DECREASE = 1.0
"""Seconds within which many refusals are one: they were all sent before the first could be heeded."""
_FAILURES_IN_A_ROW = 10
"""So many 5xx with no good answer between them are pushback; fewer are single requests' bad luck."""
_STEPS_TO_RECOVER = 10.0
"""Seconds of good answers after which the rate is what it was before it was halved."""


class Limiter:
    """Admits the requests of one session, in the order in which they ask."""

    def __init__(
        self,
        limit: RateLimit,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._now = now
        self._sleep = sleep
        shared = _windows(limit.requests)
        self._windows: dict[Kind, list[_Window]] = {
            "create": _windows(limit.creates) + shared,
            "upload": _windows(limit.uploads) + shared,
            "other": shared,
        }
        self._pushback = _Pushback()

    async def admit(self, kind: Kind) -> None:
        """Wait until a request of this kind may be sent."""
        now = self._now()
        at = max((window.next(now) for window in self._windows[kind]), default=now)
        at = self._pushback.next(at)
        for window in self._windows[kind]:
            window.take(at)
        if at > now:
            await self._sleep(at - now)

    def answered(self, status: int | None, retry_after: float | None = None) -> None:
        """Learn from an answer; `status` is None where none came."""
        now = self._now()
        if status == 429:
            self._pushback.refused(now, retry_after or 0.0)
        elif status is None or status >= 500:
            self._pushback.failed(now)
        else:
            self._pushback.succeeded()


class _Window:
    """A sliding window: the moments of the last `count` admissions."""

    def __init__(self, rate: Rate) -> None:
        self._taken: deque[float] = deque(maxlen=rate.count)
        self._seconds = rate.seconds * _MARGIN

    def next(self, now: float) -> float:
        full = len(self._taken) == self._taken.maxlen
        return max(now, self._taken[0] + self._seconds) if full else now

    def take(self, at: float) -> None:
        self._taken.append(at)


class _Pushback:
    """Additive increase, multiplicative decrease of a rate that is unbounded until the server pushes back."""

    def __init__(self) -> None:
        self._rate: float | None = None
        self._before = 0.0
        self._next = 0.0
        self._decreased = float("-inf")
        self._failures = 0
        self._recent: deque[float] = deque(maxlen=1000)

    def next(self, at: float) -> float:
        at = max(at, self._next)
        self._recent.append(at)
        if self._rate is not None:
            self._next = at + 1 / self._rate
        return at

    def refused(self, now: float, retry_after: float) -> None:
        self._next = max(self._next, now + min(retry_after, 60.0))
        if now - self._decreased < _ONE_DECREASE:
            return
        self._decreased = now
        if self._rate is None:
            self._before = max(self._measured(now), _SLOWEST)
            self._rate = self._before
        self._rate = max(self._rate / 2, _SLOWEST)

    def failed(self, now: float) -> None:
        self._failures += 1
        if self._failures >= _FAILURES_IN_A_ROW:
            self.refused(now, 0.0)

    def succeeded(self) -> None:
        self._failures = 0
        if self._rate is None:
            return
        self._rate += self._before / _STEPS_TO_RECOVER / self._rate
        if self._rate > 2 * self._before:
            self._rate = None

    def _measured(self, now: float) -> float:
        """Requests admitted in the last second."""
        return float(sum(1 for at in self._recent if now - 1 < at <= now))


def _windows(rate: Rate | None) -> list[_Window]:
    return [] if rate is None else [_Window(rate)]
