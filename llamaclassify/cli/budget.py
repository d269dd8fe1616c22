"""The cap on what a run costs, from the usage that its jobs report."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from attrs import define, field

from ..errors import LlamaClassifyError

if TYPE_CHECKING:
    from ..models import Job, Usage

_SECONDS_UNTIL_BILLED = 2.0
"""Billing records the usage some time after the job: so long until it is asked for again."""
_AT_ONCE = 16


@define(eq=False)
class Budget:
    """What may be spent, and what has been.

    Attributes:
        most: The credits that the run may cost; None for any number, and then nothing is asked.
        get: Looks a job up with its usage.
        exceed: Called when as much has been spent.
        spent: The credits that jobs have reported.
        is_spent: Whether that is all there is.
    """

    most: float | None
    get: Callable[[str], Awaitable[Job]]
    exceed: Callable[[], None]
    spent: float = 0.0
    is_spent: bool = False
    _jobs: asyncio.Queue[str] = field(init=False, factory=asyncio.Queue)

    def add(self, job_id: str) -> None:
        """Have the usage of a job counted."""
        if self.most is not None:
            self._jobs.put_nowait(job_id)

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

    async def _ask(self) -> None:
        while True:
            job_id = await self._jobs.get()
            try:
                credits = _cost((await self.get(job_id)).usage)
            except LlamaClassifyError:  # the run itself shows what is wrong with the service
                credits = None
            if credits is None:
                asyncio.get_running_loop().call_later(_SECONDS_UNTIL_BILLED, self._jobs.put_nowait, job_id)
                continue
            self.spent += credits
            if self.most is not None and self.spent >= self.most and not self.is_spent:
                self.is_spent = True
                self.exceed()


def _cost(usage: Usage | None) -> float | None:
    return None if usage is None else usage.credits
