"""The work of a batch: documents are pulled as places become free and begun by a few tasks; then none waits.

A document whose job is running has no task: its wait is a small object that the status reader moves from look
to look. So many thousand can be in flight for little more than their requests cost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import Context, copy_context
from typing import Any

import anyio
from anyio.abc import TaskGroup
from attrs import define, field

from ..errors import (
    AuthenticationError,
    JobError,
    JournalError,
    PaymentRequiredError,
    PermissionDeniedError,
    SessionClosedError,
)
from ..models import Job
from ..outcomes import Document, Outcome
from .under_way import Result, UnderWay

_MOST_WORKERS = 64
"""Tasks that store and create: as many as a session sends requests of one kind at once."""
_ENDS_THE_BATCH = (
    AuthenticationError,
    PaymentRequiredError,
    PermissionDeniedError,
    SessionClosedError,
    JournalError,
)

Begin = Callable[[Document], Awaitable[Job | UnderWay]]
"""Takes a document to where its job is running, or has ended."""


@define(eq=False)
class FanOut:
    """The work of one batch.

    Attributes:
        source: The documents.
        begin: Begins each.
        concurrency: How many may be under way; whoever takes an outcome frees its place.
        deliver: Takes each outcome; what it raises ends the work.
        begun: Documents taken from the source.
        done: Outcomes delivered.
    """

    source: AsyncIterator[Document]
    begin: Begin
    concurrency: int
    deliver: Callable[[Outcome], None]
    begun: int = 0
    done: int = 0
    _places: asyncio.Semaphore = field(init=False)
    _tasks: TaskGroup = field(init=False)
    _turn: asyncio.Lock = field(init=False, factory=asyncio.Lock)
    _context: Context = field(init=False)
    _spawn: Callable[..., Any] = field(init=False)
    _on_end: Callable[[UnderWay, Result], None] = field(init=False)
    _waiting: dict[UnderWay, tuple[int, Document]] = field(init=False, factory=dict)
    _workers: int = field(init=False, default=0)
    _fault: Exception | None = field(init=False, default=None)
    _is_exhausted: bool = field(init=False, default=False)
    _all_done: anyio.Event = field(init=False, factory=anyio.Event)

    def __attrs_post_init__(self) -> None:
        self._places = asyncio.Semaphore(self.concurrency)

    async def run(self) -> None:
        """Work until every document has its outcome; nothing is left running however it ends.

        Raises:
            Exception: What ended the work early, or what the source raised, once all else was delivered.
        """
        try:
            async with anyio.create_task_group() as self._tasks:
                # Made once: a bound method or a context for each document would be one more object each.
                self._context, self._spawn, self._on_end = copy_context(), self._tasks.start_soon, self._ended
                try:
                    self._tasks.start_soon(self._work)
                    await self._all_done.wait()
                    # Drained, a worker may still wait for the source.
                    self._tasks.cancel_scope.cancel()
                finally:
                    for under_way in self._waiting:
                        under_way.stop()
        finally:
            await self._clean_up()
        if self._fault is not None:
            raise self._fault

    def drain(self) -> None:
        """Take no more documents; those under way are finished."""
        self._exhausted()

    async def _work(self) -> None:
        """Take document after document; others are started as long as there are places."""
        self._workers += 1
        while (taken := await self._next()) is not None:
            index, document = taken
            if self._workers < min(self.concurrency, _MOST_WORKERS):
                self._tasks.start_soon(self._work)
            try:
                result = await self.begin(document)
            except Exception as error:  # one bad document never ends a batch
                self._finish(index, document, error)
            else:
                self._go_on(index, document, result)

    async def _next(self) -> tuple[int, Document] | None:
        """Take the next document when there is a place for it; None at the end of the source."""
        async with self._turn:
            if self._is_exhausted:
                return None
            await self._places.acquire()
            try:
                document = await anext(self.source)
            except StopAsyncIteration:
                self._exhausted()
                return None
            except Exception as error:  # the source's own: it ends the batch after what is under way
                self._fault = error
                self._exhausted()
                return None
            if self._is_exhausted:  # drained meanwhile
                return None
            self.begun += 1
            return self.begun - 1, document

    def free_place(self) -> None:
        """Hear that an outcome was taken."""
        self._places.release()

    def _exhausted(self) -> None:
        self._is_exhausted = True
        self._see_whether_all_is_done()

    def _go_on(self, index: int, document: Document, result: Job | UnderWay) -> None:
        """Wait for a document's job, without a task."""
        if isinstance(result, UnderWay):
            self._waiting[result] = index, document
            result.begin(self._spawn, self._on_end, self._context)
        else:
            self._finish(index, document, result)

    def _ended(self, under_way: UnderWay, result: Result) -> None:
        if isinstance(result, SessionClosedError):
            self._end_with(result)  # and its job is cleaned up after like all that still run
            return
        index, document = self._waiting.pop(under_way)
        if under_way.has_more_to_do(result):
            self._tasks.start_soon(self._conclude, index, document, under_way, result)
        else:
            self._finish(index, document, result)

    async def _conclude(self, index: int, document: Document, under_way: UnderWay, result: Result) -> None:
        try:
            concluded = await under_way.conclude(result)
        except Exception as error:  # as in _work
            self._finish(index, document, error)
        else:
            self._go_on(index, document, concluded)

    def _finish(self, index: int, document: Document, result: Job | Exception) -> None:
        """Deliver what became of a document, or end with it."""
        if isinstance(result, _ENDS_THE_BATCH):
            self._end_with(result)
            return
        if isinstance(result, Exception):
            job = result.job if isinstance(result, JobError) and isinstance(result.job, Job) else None
            outcome = Outcome(index, document, job, result)
        else:
            outcome = Outcome(index, document, result, None)
        self.done += 1
        try:
            self.deliver(outcome)
        except Exception as error:  # the caller's own, as if raised in its loop
            self._end_with(error)
        self._see_whether_all_is_done()

    def _see_whether_all_is_done(self) -> None:
        if self._is_exhausted and self.done == self.begun:
            self._all_done.set()

    def _end_with(self, error: Exception) -> None:
        self._fault = self._fault or error
        self._tasks.cancel_scope.cancel()

    async def _clean_up(self) -> None:
        """End on the server what was cut off, where that is wanted."""
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as tasks:
                for under_way in self._waiting:
                    if under_way.abandon is not None:
                        tasks.start_soon(under_way.clean_up)
