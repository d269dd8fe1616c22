"""The cap on what a run costs, from the usage that its jobs report."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from attrs import define, field

from ..errors import LlamaClassifyError

if TYPE_CHECKING:
    from ..models import Job, Usage
    from ..outcomes import Document

_SECONDS_UNTIL_BILLED = 2.0
"""Billing records the usage some time after the job: so long until it is asked for again."""
_MOST_LOOKS = 15
_AT_ONCE = 16
_BEFORE_ANY_REPORT = 4
_LEAST_COST = 1.0
"""A page: what a document is taken to cost before any has reported."""


@define(eq=False)
class Budget:
    """What may be spent, and what has been.

    A document is begun only while its expected cost, the mean of those reported, fits under the cap together
    with that of all that have not reported; and no more are without a report than have reported and a few, so
    that the mean is never one of a few small documents.

    Attributes:
        most: The credits that the run may cost; None for any number, and then nothing is asked.
        get: Looks a job up with its usage.
        spent: The credits that jobs have reported.
        has_ended: Whether documents are left for which there was no room.
    """

    most: float | None
    get: Callable[[str], Awaitable[Job]]
    spent: float = 0.0
    has_ended: bool = False
    _reports: int = field(init=False, default=0)
    _unreported: int = field(init=False, default=0)
    _jobs: asyncio.Queue[tuple[Job, int]] = field(init=False, factory=asyncio.Queue)
    _moved: asyncio.Event = field(init=False, factory=asyncio.Event)

    async def within(self, documents: AsyncIterable[Document]) -> AsyncIterator[Document]:
        """Give the documents as long as there is room for them under the cap."""
        async for document in documents:
            if self.most is not None and not await self._has_room(self.most):
                self.has_ended = True
                return
            self._unreported += 1
            yield document

    def add(self, job: Job | None) -> None:
        """Hear that a document that was given has ended, by this job or with none."""
        if self.most is None:
            return
        if job is None:
            self._settle(0.0)
        else:
            self._jobs.put_nowait((job, 1))

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Ask for the usage of the jobs that were added, while this is open."""
        askers = [asyncio.create_task(self._ask()) for _ in range(0 if self.most is None else _AT_ONCE)]
        try:
            yield
        finally:
            for asker in askers:
                asker.cancel()
            await asyncio.gather(*askers, return_exceptions=True)

    @property
    def _expected(self) -> float:
        """What a document is expected to cost."""
        return self.spent / self._reports if self._reports else _LEAST_COST

    async def _has_room(self, most: float) -> bool:
        """Wait until there is room for one more; False when there will be none."""
        while self.spent < most:
            fits = self.spent + (self._unreported + 1) * self._expected <= most
            if fits and self._unreported < self._reports + _BEFORE_ANY_REPORT:
                return True
            if not self._unreported:
                return False
            self._moved.clear()
            await self._moved.wait()
        return False

    async def _ask(self) -> None:
        while True:
            job, look = await self._jobs.get()
            try:
                credits = _cost((await self.get(job.id)).usage)
            except LlamaClassifyError:  # the run itself shows what is wrong with the service
                credits = None
            if credits is not None:
                self._reports += 1
                self._settle(credits)
            elif look < _MOST_LOOKS:
                loop = asyncio.get_running_loop()
                loop.call_later(_SECONDS_UNTIL_BILLED, self._jobs.put_nowait, (job, look + 1))
            else:  # not known; a job that gave nothing is hardly billed
                self._settle(0.0 if job.result is None else self._expected)

    def _settle(self, credits: float) -> None:
        self.spent += credits
        self._unreported -= 1
        self._moved.set()


def _cost(usage: Usage | None) -> float | None:
    return None if usage is None else usage.credits
