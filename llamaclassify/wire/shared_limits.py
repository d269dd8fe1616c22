"""One rate budget for many sessions: whoever asks next is given the next place.

A `Ledger` hands out places: moments at which one request may be sent. It is kept where all can reach it, and
each session holds one place of a kind at a time: they take turns, whoever dies with a place costs the others
that one place, and however late a place is used there is one request too many at most.
"""

from __future__ import annotations

import asyncio
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable

import anyio
from attrs import define, field, frozen

from ..errors import ConfigurationError
from ..policies import Rate, RateLimit
from .limits import LONGEST_HOLD, Kind, Limiter, Window, windows_of

_HORIZON = 2.0
"""Seconds ahead for which places are handed out; for a later one, ask again then."""
_CLOSEST = 0.9
"""Places are no closer than this part of their average distance: a burst at the start of each window would
exceed the rate wherever a few requests are late."""
_LONGEST_SPACING = 0.1
"""Seconds: a few requests at once need not be spread over a window of a minute."""
_STALE = 0.05
"""Seconds after which a place that was not used is left."""


@frozen
class Place:
    """What a ledger gives: a place, or when to ask again.

    Attributes:
        seconds: How long to wait for it; by no clock, as hosts differ.
        is_taken: Whether it is a place.
    """

    seconds: float
    is_taken: bool


@define
class Ledger:
    """Which places are taken, by the clock of whoever keeps it."""

    limit: RateLimit
    held: float = -math.inf
    _windows: dict[Kind, list[Window]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._windows = windows_of(self.limit, _spacing)

    def reserve(self, kind: Kind, now: float) -> Place:
        """Take the next place of a kind, unless that is too far off."""
        windows = self._windows[kind]
        at = max(now, self.held, *(window.next(now) for window in windows))
        if at > now + _HORIZON:
            return Place(at - now - _HORIZON / 2, is_taken=False)
        for window in windows:
            window.take(at)
        return Place(at - now, is_taken=True)

    def hold(self, until: float) -> None:
        """Give no places before a moment."""
        self.held = max(self.held, until)

    @property
    def taken(self) -> list[list[float]]:
        """The moments of the last places, window by window: what another ledger goes on with."""
        return [list(window.taken) for window in self._every_window()]

    def go_on(self, taken: list[list[float]], held: float, now: float) -> None:
        """Go on where another ledger was; what cannot be, as the clock has started again, is forgotten."""
        if max([held - LONGEST_HOLD, *(moments[-1] - _HORIZON for moments in taken if moments)]) > now:
            return
        self.held = held
        for window, moments in zip(self._every_window(), taken, strict=True):
            window.taken.extend(moments)

    def under(self, limit: RateLimit, now: float) -> Ledger:
        """Give what keeps a limit: this, or a new one where nothing that this has given matters any more.

        Raises:
            ConfigurationError: It is in use with another limit.
        """
        if limit == self.limit:
            return self
        if any(not window.is_empty(now) for window in self._every_window()):
            message = f"limit: the budget is in use with another one, {self.limit}; give the same"
            raise ConfigurationError(message)
        return Ledger(limit)

    def _every_window(self) -> list[Window]:
        return list(dict.fromkeys(window for windows in self._windows.values() for window in windows))


class SharedBudget(ABC):
    """A session's side of a budget that others have too."""

    def __init__(
        self,
        limit: RateLimit | None,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        limit = RateLimit() if limit is None else limit
        if not isinstance(limit, RateLimit):
            raise ConfigurationError(f"limit: expected a RateLimit, got {type(limit).__name__}")
        windows = windows_of(limit)
        self.limit: RateLimit = limit
        self._limited = {kind for kind in windows if windows[kind]}
        if not self._limited:
            raise ConfigurationError("limit: has no rate that could be shared")
        self._now = now
        self._sleep = sleep
        self._turns = {kind: asyncio.Lock() for kind in windows}
        self._places: dict[Kind, float] = {}
        self._own = Limiter(RateLimit.unlimited(), now=now, sleep=sleep)  # learns from the server's answers

    async def admit(self, kind: Kind) -> None:
        """Wait until a request of this kind may be sent."""
        if kind not in self._limited:
            await self._own.admit(kind)
            return
        async with self._turns[kind]:
            await self._until(await self._place(kind))
            while self._own.held_until > self._now():
                await self._until(self._own.held_until)
                await self._until(await self._place(kind))  # another one, if that took long
            del self._places[kind]
            await self._own.admit(kind)

    def answered(self, status: int | None, retry_after: float | None = None) -> None:
        """Learn from an answer; where the server says how long to wait, everybody does.

        Else a refusal slows this session alone: its place has counted for all, and a few are refused
        wherever requests come a little late.
        """
        self._own.answered(status, retry_after)
        if status == 429 and retry_after:
            self._hold(min(retry_after, LONGEST_HOLD))

    async def _place(self, kind: Kind) -> float:
        """Give the moment of this session's next place; one that a cancelled request left comes first."""
        at = self._places.get(kind, -math.inf)
        if at < self._now() - _STALE:
            while not (place := await self._reserve(kind)).is_taken:
                await self._sleep(place.seconds)
            at = self._places[kind] = self._now() + place.seconds
        return at

    async def _until(self, moment: float) -> None:
        while (now := self._now()) < moment:
            await self._sleep(moment - now)

    @abstractmethod
    async def _reserve(self, kind: Kind) -> Place:
        """Ask the ledger for a place."""

    @abstractmethod
    def _hold(self, seconds: float) -> None:
        """Have the ledger give no places for some seconds; not waited for."""


def _spacing(rate: Rate) -> float:
    return min(_CLOSEST * rate.seconds / rate.count, _LONGEST_SPACING)
