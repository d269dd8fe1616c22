"""Fan-out over many documents: bounded, lazy, one `Outcome` for each.

Memory is bounded by `concurrency` however long the source is. The task group lives in an async context
manager, never across a generator's yield (PEP 789).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Generator,
    Iterable,
    Sized,
)
from contextlib import AbstractAsyncContextManager, AbstractContextManager, aclosing, nullcontext
from types import TracebackType
from typing import Any

import anyio
from anyio.abc import TaskGroup

from ..errors import ConfigurationError
from ..outcomes import Document, Documents, Outcome, Progress
from .fan_out import Begin, FanOut


class Batch:
    """Many documents being classified: ``await`` it, or ``async with`` it and iterate. Used once.

    ``await batch`` gives every `Outcome` in the order of the source. ``async with batch as outcomes`` gives
    an iterator over them in the order of completion; leaving the block ends what is still under way.

    ::

        batch = session.classify_many([file_id], rules=RULES)
        async with batch as outcomes:
            async for outcome in outcomes:
                print(batch.progress.done, "of", batch.progress.total)

    Raises:
        AuthenticationError, PaymentRequiredError, PermissionDeniedError: The batch ends at once. Outcomes
            that were finished are delivered first; awaited, they are on the error as ``outcomes``.
        SessionClosedError, JournalError: The session was closed, the journal cannot be written: likewise.
        Exception: What the source itself raises, after the outcomes that were under way, and likewise.
    """

    def __init__(
        self,
        documents: Documents,
        begin: Begin,
        *,
        concurrency: int,
        guard: Callable[[], AbstractContextManager[object]] = nullcontext,
        journal: AbstractAsyncContextManager[object] | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare to `begin` the documents and wait for them, at most `concurrency` at a time.

        `guard` bounds the work and its clean-up, `journal` while the batch is open.
        """
        if type(concurrency) is not int or concurrency < 1:
            message = f"concurrency: must be a whole number of 1 or more, got {concurrency!r}"
            raise ConfigurationError(message)
        if isinstance(documents, str | bytes | os.PathLike) or _is_named_bytes(documents):
            message = "documents: expected an iterable of documents, got one; give [document]"
            raise ConfigurationError(message)
        if not isinstance(documents, Iterable | AsyncIterable):
            message = f"documents: expected an iterable of documents, got {type(documents).__name__}"
            raise ConfigurationError(message)
        self._documents = documents
        self._begin = begin
        self._guard = guard
        self._concurrency = concurrency
        self._journal = journal or nullcontext()
        self._on_progress = on_progress
        self._now = now
        self._started: float | None = None
        self._ended: float | None = None
        self._failed = 0
        # Made when it is used: a batch may be prepared where no event loop runs.
        self._tasks: TaskGroup
        self._work: FanOut | None = None
        self._outcomes: asyncio.Queue[Outcome | None]  # None ends it; not anyio's stream, which always yields
        self._fault: Exception | None = None
        self._used = False
        self._is_drained = False

    def __await__(self) -> Generator[Any, None, list[Outcome]]:
        return self._collect().__await__()

    async def _collect(self) -> list[Outcome]:
        outcomes: list[Outcome] = []
        try:
            async with self as stream:
                async for outcome in stream:
                    outcomes.append(outcome)  # noqa: PERF401  (kept up to the error, if one comes)
        except Exception as error:
            vars(error)["outcomes"] = _in_order(outcomes)
            raise
        return _in_order(outcomes)

    @property
    def progress(self) -> Progress:
        """How far it is, at any time."""
        until = self._now() if self._ended is None else self._ended
        begun, done = (self._work.begun, self._work.done) if self._work is not None else (0, 0)
        return Progress(
            done=done,
            failed=self._failed,
            in_flight=begun - done if self._ended is None else 0,
            seconds=0.0 if self._started is None else until - self._started,
            total=len(self._documents) if isinstance(self._documents, Sized) else None,
        )

    def drain(self) -> None:
        """Read no more documents: the iterator ends when those under way have been delivered."""
        self._is_drained = True
        if self._work is not None:
            self._work.drain()

    async def __aenter__(self) -> AsyncIterator[Outcome]:
        if self._used:
            message = "this batch has been used; call classify_many again"
            raise ConfigurationError(message)
        self._used = True
        await self._journal.__aenter__()
        self._started = self._now()
        self._outcomes = asyncio.Queue()
        source = each(self._documents)
        self._work = FanOut(source, self._begin, self._concurrency, self._take)
        if self._is_drained:
            self._work.drain()
        self._tasks = await anyio.create_task_group().__aenter__()
        self._tasks.start_soon(self._run, self._work, source)
        return self._deliver(self._work)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        self._tasks.cancel_scope.cancel()
        # What the block raised is the caller's: the task group would wrap it in a group of its own.
        try:
            await self._tasks.__aexit__(None, None, None)
        finally:
            self._ended = self._now()
            with anyio.CancelScope(shield=True):
                await self._journal.__aexit__(None, None, None)
        return None

    async def _deliver(self, work: FanOut) -> AsyncIterator[Outcome]:
        while (outcome := await self._outcomes.get()) is not None:
            work.free_place()
            yield outcome
        if self._fault is not None:
            raise self._fault

    async def _run(self, work: FanOut, source: AsyncGenerator[Document]) -> None:
        """Do the work; what ends it is raised to whoever reads, once what is finished has been read."""
        try:
            async with aclosing(source):
                with self._guard():
                    await work.run()
        except Exception as error:  # raised by _deliver
            self._fault = error
        finally:
            self._outcomes.put_nowait(None)

    def _take(self, outcome: Outcome) -> None:
        self._failed += not outcome.ok
        self._outcomes.put_nowait(outcome)
        if self._on_progress is not None:
            self._on_progress(self.progress)


def _is_named_bytes(documents: object) -> bool:
    return isinstance(documents, tuple) and [type(part) for part in documents] == [str, bytes]


async def each(documents: Documents) -> AsyncGenerator[Document]:
    """Read the source, and close it if it is a generator that was not read to its end."""
    if isinstance(documents, AsyncIterable):
        try:
            async for document in documents:
                yield document
        finally:
            if isinstance(documents, AsyncGenerator):
                await documents.aclose()
    else:
        try:
            for document in documents:
                yield document
        finally:
            if isinstance(documents, Generator):
                documents.close()


def _in_order(outcomes: Iterable[Outcome]) -> list[Outcome]:
    return sorted(outcomes, key=lambda outcome: outcome.index)
