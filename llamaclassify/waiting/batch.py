"""Fan-out over many documents: bounded, lazy, one `Outcome` for each.

Documents are pulled as places become free, so memory is bounded by `concurrency` however long the source
is. The task group lives in an async context manager, never across a generator's yield (PEP 789).
"""

from __future__ import annotations

import os
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Sized,
)
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext, suppress
from types import TracebackType
from typing import Any

import anyio
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from ..errors import (
    AuthenticationError,
    ConfigurationError,
    JobError,
    JournalError,
    PaymentRequiredError,
    PermissionDeniedError,
    SessionClosedError,
)
from ..models import Job
from ..outcomes import Document, Documents, Outcome, Progress

_ENDS_THE_BATCH = (
    AuthenticationError,
    PaymentRequiredError,
    PermissionDeniedError,
    SessionClosedError,
    JournalError,
)


class Batch:
    """Many documents being classified: ``await`` it, or ``async with`` it and iterate. Used once.

    ``await batch`` gives every `Outcome` in the order of the source. ``async with batch as outcomes`` gives
    an iterator over them in the order of completion; leaving the block ends what is still under way.

    Raises:
        AuthenticationError, PaymentRequiredError, PermissionDeniedError: The batch ends at once. Outcomes
            that were finished are delivered first; awaited, they are on the error as ``outcomes``.
        SessionClosedError, JournalError: The session was closed, the journal cannot be written: likewise.
        Exception: What the source itself raises, after the outcomes that were under way, and likewise.
    """

    def __init__(
        self,
        documents: Documents,
        classify: Callable[[Document], Awaitable[Job]],
        *,
        concurrency: int,
        journal: AbstractAsyncContextManager[object] | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare to run `classify` over `documents`, at most `concurrency` at a time."""
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
        self._classify = classify
        self._concurrency = concurrency
        self._journal = journal or nullcontext()
        self._on_progress = on_progress
        self._now = now
        self._started: float | None = None
        self._ended: float | None = None
        self._begun = self._done = self._failed = 0
        # Made when it is used: a batch may be prepared where no event loop runs.
        self._places: anyio.Semaphore
        self._tasks: TaskGroup
        self._receive: MemoryObjectReceiveStream[Outcome]
        self._fault: Exception | None = None
        self._used = False

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
        return Progress(
            done=self._done,
            failed=self._failed,
            in_flight=self._begun - self._done if self._ended is None else 0,
            seconds=0.0 if self._started is None else until - self._started,
            total=len(self._documents) if isinstance(self._documents, Sized) else None,
        )

    async def __aenter__(self) -> AsyncIterator[Outcome]:
        if self._used:
            message = "this batch has been used; call classify_many again"
            raise ConfigurationError(message)
        self._used = True
        await self._journal.__aenter__()
        self._started = self._now()
        send, self._receive = anyio.create_memory_object_stream[Outcome](self._concurrency)
        self._places = anyio.Semaphore(self._concurrency, fast_acquire=True)
        self._tasks = await anyio.create_task_group().__aenter__()
        self._tasks.start_soon(self._feed, send)
        return self._deliver()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        self._tasks.cancel_scope.cancel()
        self._receive.close()
        # What the block raised is the caller's: the task group would wrap it in a group of its own.
        try:
            await self._tasks.__aexit__(None, None, None)
        finally:
            self._ended = self._now()
            with anyio.CancelScope(shield=True):
                await self._journal.__aexit__(None, None, None)
        return None

    async def _deliver(self) -> AsyncIterator[Outcome]:
        async for outcome in self._receive:
            self._places.release()
            yield outcome
        if self._fault is not None:
            raise self._fault

    async def _feed(self, send: MemoryObjectSendStream[Outcome]) -> None:
        """Pull documents as places become free; a place is free again once its outcome is taken."""
        async with send, anyio.create_task_group() as tasks, aclosing(_each(self._documents)) as source:
            try:
                index = 0
                await self._places.acquire()
                async for document in source:
                    tasks.start_soon(self._one, index, document, send, tasks.cancel_scope)
                    index += 1
                    await self._places.acquire()
            except Exception as error:  # the source's own: it ends the batch after what is under way
                self._fault = error

    async def _one(
        self,
        index: int,
        document: Document,
        send: MemoryObjectSendStream[Outcome],
        batch: anyio.CancelScope,
    ) -> None:
        self._begun += 1
        try:
            outcome = Outcome(index, document, await self._classify(document), None)
        except _ENDS_THE_BATCH as error:
            self._end_with(error, batch)
            return
        except Exception as error:  # one bad document never ends a batch
            seen = error.job if isinstance(error, JobError) and isinstance(error.job, Job) else None
            outcome = Outcome(index, document, seen, error)
            self._failed += 1
        self._done += 1
        _deliver_now(send, outcome)
        if self._on_progress is not None:
            try:
                self._on_progress(self.progress)
            except Exception as error:  # the caller's own, as if raised in its loop
                self._end_with(error, batch)

    def _end_with(self, error: Exception, batch: anyio.CancelScope) -> None:
        """End the batch with an error, once what is finished has been delivered."""
        self._fault = self._fault or error
        batch.cancel()


def _is_named_bytes(documents: object) -> bool:
    return isinstance(documents, tuple) and [type(part) for part in documents] == [str, bytes]


def _deliver_now(send: MemoryObjectSendStream[Outcome], outcome: Outcome) -> None:
    """Hand an outcome over without a chance to be cancelled: there is a place in the stream for each."""
    with suppress(anyio.BrokenResourceError):  # nobody reads any more
        send.send_nowait(outcome)


async def _each(documents: Documents) -> AsyncGenerator[Document]:
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
