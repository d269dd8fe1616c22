"""A document whose job is running: a wait that has no task of its own, for batches of thousands."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Any

from attrs import define, field

from ..errors import JobTimeoutError, LlamaClassifyError
from ..models import Job
from .polling import GRACE, Abandon, Wait, completed
from .status_reader import Follower, StatusReader

Result = Job | LlamaClassifyError
"""How a wait ended: with a completed job, or with the error that a wait with a task would have raised."""


@define(eq=False)
class UnderWay:
    """One wait: begun when its batch is ready to hear of it, stopped when the batch is left.

    Attributes:
        wait: What was seen of the job, and when to look next.
        reader: Looks at the job.
        abandon: Ends the job on the server when its wait is cut off; None leaves it running.
        settle: What is to be done with the result before it counts: it gives the job, raises the error, or
            goes on with another job. None: nothing.
    """

    wait: Wait[Job]
    reader: StatusReader
    abandon: Abandon | None
    settle: Callable[[Result], Awaitable[Job | UnderWay]] | None = None
    _spawn: Callable[..., Any] = field(init=False)
    _ended: Callable[[UnderWay, Result], None] = field(init=False)
    _follower: Follower | None = field(init=False, default=None)
    _late: asyncio.TimerHandle | None = field(init=False, default=None)

    def begin(
        self, spawn: Callable[..., Any], ended: Callable[[UnderWay, Result], None], context: Context
    ) -> None:
        """Wait for the job; `spawn` starts a task where one is needed, `ended` hears the result."""
        self._spawn, self._ended = spawn, ended
        if self.wait.seen is not None and self.wait.seen.is_terminal:
            ended(self, self._result(None))
            return
        remaining = self.wait.deadline.remaining()
        if remaining < math.inf:
            loop = asyncio.get_running_loop()
            self._late = loop.call_later(max(0.0, remaining) + GRACE, self._give_up, context=context)
        self._follower = self.reader.enlist(self.wait.job_id, self.wait.at, self.wait.saw, self._called)

    def _called(self, follower: Follower) -> None:
        if follower.is_over:
            self._stop_clock()
            self._ended(self, self._result(follower.error))
        else:
            self._spawn(self.reader.attend, follower)

    def _give_up(self) -> None:
        self.stop()
        self._ended(self, self.wait.timed_out())

    def stop(self) -> None:
        """Wait no more."""
        self._stop_clock()
        if self._follower is not None:
            self.reader.dismiss(self._follower)

    def has_more_to_do(self, result: Result) -> bool:
        """Whether the result does not count before `conclude` has been awaited."""
        return self.settle is not None or (isinstance(result, JobTimeoutError) and self.abandon is not None)

    async def conclude(self, result: Result) -> Job | UnderWay:
        """Do what is still to be done; gives the job, or the wait for another one.

        Raises:
            LlamaClassifyError: The result, where it is an error.
        """
        if isinstance(result, JobTimeoutError):
            await self.clean_up()
        if self.settle is not None:
            return await self.settle(result)
        if isinstance(result, LlamaClassifyError):
            raise result
        return result

    async def clean_up(self) -> None:
        """End the job on the server, if that is what is wanted."""
        if self.abandon is not None:

            async def known() -> str:
                return self.wait.job_id

            await self.abandon(known)

    def _stop_clock(self) -> None:
        if self._late is not None:
            self._late.cancel()

    def _result(self, error: LlamaClassifyError | None) -> Result:
        if error is not None:
            error.job_id = self.wait.job_id
            return error
        try:
            job = self.wait.ended()
            completed(job)
        except LlamaClassifyError as failure:
            return failure
        return job
