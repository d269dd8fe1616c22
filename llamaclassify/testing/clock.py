"""Time that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from attrs import field, frozen

_START = datetime(2026, 1, 1, tzinfo=UTC)
T = TypeVar("T")


@frozen(order=True)
class _Sleeper:
    due: datetime
    number: int
    is_job: bool = field(order=False)
    woken: asyncio.Future[None] = field(order=False)


class ManualClock:
    """The server's time: how long jobs take is told by it, and no test waits.

    Attributes:
        now: What the time is, in UTC.
        step: Seconds by which each look at a job moves it; 0 leaves that to `advance`.
    """

    def __init__(self) -> None:
        self.now: datetime = _START
        self.step: float = 0.0
        self._numbers = itertools.count()
        self._sleepers: list[_Sleeper] = []
        self._call: Callable[..., None] | None = None
        self._settle: Callable[[], Awaitable[None]] | None = None

    def advance(self, seconds: float) -> None:
        """Move the time on; when this returns, what was due has happened: its jobs have ended."""
        if self._call is None:
            raise RuntimeError("the server of this clock is not running")
        self._call(self.move, seconds)

    def run_with(self, call: Callable[..., None], settle: Callable[[], Awaitable[None]]) -> None:
        """Belong to a server: `call` runs something on its event loop, `settle` waits until all is done."""
        self._call, self._settle = call, settle

    async def move(self, seconds: float) -> None:
        """Move the time on, on the server's own event loop."""
        until = self.now + timedelta(seconds=seconds)
        await self._settled()
        while self._sleepers and self._sleepers[0].due <= until:
            sleeper = heapq.heappop(self._sleepers)
            self.now = sleeper.due
            if not sleeper.woken.done():
                sleeper.woken.set_result(None)
            await self._settled()
        self.now = until

    async def sleep(self, seconds: float, *, is_job: bool = False) -> None:
        """Wait until the time has been moved on by so much."""
        if seconds > 0:
            due = self.now + timedelta(seconds=seconds)
            woken = asyncio.get_running_loop().create_future()
            heapq.heappush(self._sleepers, _Sleeper(due, next(self._numbers), is_job, woken))
            await woken

    @property
    def jobs_asleep(self) -> int:
        """How many documents wait for the time to be moved."""
        return sum(sleeper.is_job for sleeper in self._sleepers)

    async def _settled(self) -> None:
        if self._settle is not None:
            await self._settle()
