"""How fast a session may ask: its rate limit, and what it learns from a server that pushes back.

A rate limit is kept exactly: no window of its length holds more requests than it allows. Pushback, a 429 or
a run of 5xx, holds the whole session for a moment; where many requests are refused, its rate is cut to what
the server has just been taking. Then the rate grows again, slowly at first and faster the longer all is well,
until it is no bound any more.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Literal, Protocol, runtime_checkable

import anyio

from ..policies import Rate, RateLimit

Kind = Literal["create", "upload", "other"]

_MARGIN = 1.01
"""Requests sent in time may arrive closer together: windows are kept this much longer."""
_SLOWEST = 1.0
"""Requests a second below which pushback does not slow a session."""
_COOLDOWN = 0.25
"""Seconds that a session is held where the server does not say for how long."""
LONGEST_HOLD = 60.0
"""Seconds that a session is held at most, whatever the server asks for."""
_ONE_REFUSAL = 1.0
"""Seconds within which many refusals are one: they were all sent before the first could be heeded."""
_SHORTEST_MEASURE = 0.02
"""Seconds over which a rate is measured at least."""
_FAILURES_IN_A_ROW = 10
"""So many 5xx with no good answer between them are pushback; fewer are single requests' bad luck."""
_TOLERATED = 0.15
"""A server that refuses no larger share than this is only waited for: its rate is about right."""
_FEWEST_REFUSALS = 10
"""So many refusals among the last answers are no accident."""
_LAST_ANSWERS = 100
_GROWTH = 0.02
"""By how much a good answer raises the rate right after a cut; doubled with each second without another."""


@runtime_checkable
class RateBudget(Protocol):
    """What a session's requests are paced by; one that several sessions have is kept by all together.

    A `RateLimit` is kept by one session, `HostBudget` by the processes of one host and
    `llamaclassify.ray.RayBudget` by the workers of a cluster. Write your own for what else they may share.
    """

    async def admit(self, kind: Kind) -> None:
        """Wait until a request of this kind may be sent."""
        ...

    def answered(self, status: int | None, retry_after: float | None = None) -> None:
        """Learn from an answer: its status, None where none came, and the seconds it asks to wait."""
        ...


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
        self._windows = windows_of(limit)
        self._turns = {kind: asyncio.Lock() for kind in self._windows}
        self._pushback = _Pushback()

    async def admit(self, kind: Kind) -> None:
        """Wait until a request of this kind may be sent."""
        windows = self._windows[kind]
        if not windows and self._pushback.is_none(self._now):
            return
        async with self._turns[kind]:
            # Looked at again after each sleep: the server may have pushed back meanwhile. Nothing is taken
            # before it is used, so a request that is cancelled here costs the others nothing.
            now = self._now()
            while (at := self._earliest(windows, now)) > now:
                await self._sleep(at - now)
                now = self._now()
            for window in windows:
                window.take(now)
            self._pushback.take(now)

    def _earliest(self, windows: list[Window], now: float) -> float:
        return max(self._pushback.next(now), *(window.next(now) for window in windows), now)

    def answered(self, status: int | None, retry_after: float | None = None) -> None:
        """Learn from an answer; `status` is None where none came."""
        now = self._now()
        if status == 429:
            self._pushback.refused(now, retry_after or 0.0)
        elif status is None or status >= 500:
            self._pushback.failed(now)
        else:
            self._pushback.succeeded(now)

    @property
    def held_until(self) -> float:
        """The moment before which nothing is sent, as the server has pushed back."""
        return self._pushback.until


class Window:
    """A sliding window: the moments of the last `count` admissions, `spacing` seconds apart at least."""

    def __init__(self, rate: Rate, spacing: float = 0.0) -> None:
        self.taken: deque[float] = deque(maxlen=rate.count)
        self._seconds = rate.seconds * _MARGIN
        self._spacing = spacing

    def next(self, now: float) -> float:
        """Give the moment of the next admission, if it is not to be before `now`."""
        at = self.taken[0] + self._seconds if len(self.taken) == self.taken.maxlen else now
        if self._spacing and self.taken:
            at = max(at, self.taken[-1] + self._spacing)
        return max(now, at)

    def take(self, at: float) -> None:
        """Count an admission; they come in the order of time."""
        self.taken.append(at)

    def is_empty(self, now: float) -> bool:
        """Whether it has been so long that nothing counts any more."""
        return not self.taken or self.taken[-1] + self._seconds <= now


class _Pushback:
    """A rate that is unbounded until the server pushes back."""

    def __init__(self) -> None:
        self._rate: float | None = None
        self._unbounded_from = 0.0
        self.until: float = 0.0
        self._held = float("-inf")
        self._to_be_cut = False
        self._failures = 0
        # The last answers: when each came, and whether it was a refusal.
        self._answers: deque[tuple[float, bool]] = deque(maxlen=_LAST_ANSWERS)

    def is_none(self, now: Callable[[], float]) -> bool:
        return self._rate is None and not self._to_be_cut and now() >= self.until

    def next(self, now: float) -> float:
        return max(now, self.until)

    def take(self, now: float) -> None:
        if self._to_be_cut:
            self._cut()
        if self._rate is not None:
            self.until = now + 1 / self._rate

    def refused(self, now: float, retry_after: float) -> None:
        self._answers.append((now, True))
        self.until = max(self.until, now + min(retry_after, LONGEST_HOLD))
        self._hold(now)

    def failed(self, now: float) -> None:
        self._failures += 1
        self._answers.append((now, self._failures >= _FAILURES_IN_A_ROW))
        if self._failures >= _FAILURES_IN_A_ROW:
            self._hold(now)

    def succeeded(self, now: float) -> None:
        self._failures = 0
        self._answers.append((now, False))
        if self._rate is not None:
            self._rate += min(1.0, _GROWTH * 2 ** (now - self._held))
            if self._rate > self._unbounded_from:
                self._rate = None

    def _hold(self, now: float) -> None:
        if now - self._held >= _ONE_REFUSAL:
            self._held = now
            self.until = max(self.until, now + _COOLDOWN)
            # Not cut yet: what comes back during the hold tells how many were too many.
            self._to_be_cut = True

    def _cut(self) -> None:
        """Cut the rate to the share of requests that the server has just been taking."""
        self._to_be_cut = False
        refused = sum(is_refusal for _, is_refusal in self._answers)
        share = refused / len(self._answers)
        if share <= _TOLERATED or refused < _FEWEST_REFUSALS:
            return
        if self._rate is None:
            seconds = max(self._answers[-1][0] - self._answers[0][0], _SHORTEST_MEASURE)
            self._rate = len(self._answers) / seconds
            self._unbounded_from = max(2 * self._rate, _SLOWEST)
        self._rate = max(_SLOWEST, self._rate * (1 - share))
        self._answers.clear()


def windows_of(
    limit: RateLimit, spacing: Callable[[Rate], float] = lambda _: 0.0
) -> dict[Kind, list[Window]]:
    """Make the windows of a limit: those that each kind of request counts for."""

    def made(rate: Rate | None) -> list[Window]:
        return [] if rate is None else [Window(rate, spacing(rate))]

    shared = made(limit.requests)
    return {"create": made(limit.creates) + shared, "upload": made(limit.uploads) + shared, "other": shared}
