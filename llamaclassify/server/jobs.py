"""Runs the jobs: first come, first served, so many documents at a time, off the requests' path."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from attrs import frozen
from tenacity import AsyncRetrying, before_sleep_log, retry_if_exception_type, wait_exponential

from ..models import Configuration, Result
from .clock import Clock
from .store.files import StoredFile


@frozen
class Classified:
    """What was found in a document, and how many pages were read for it."""

    result: Result
    pages: int


Classify = Callable[[Path, str, Configuration], Awaitable[Classified]]
"""Classifies the document at a path, known by a name; raises `UnclassifiableError` where it cannot."""

_DELETED = "The file was deleted before the job ran"
_LONGEST_PAUSE = 30.0
_log = logging.getLogger("llamaclassify.server")


class UnclassifiableError(Exception):
    """The document cannot be classified; the text becomes the job's error message."""


class QueueFullError(Exception):
    """So many documents wait that no more are taken."""


class Unit(Protocol):
    """Who waits for one document: a job, or one file of a job with many. What a method returns is stored."""

    async def start(self) -> Configuration | None:
        """Hear that it is under way; None: nobody waits any more."""
        ...

    async def document(self) -> StoredFile | None:
        """Give the document; None: it was deleted."""
        ...

    async def complete(self, result: Result, pages: int) -> None:
        """Take the result."""

    async def fail(self, message: str) -> None:
        """Hear why there is none."""


class JobRunner:
    """A queue of documents and the tasks that work it off."""

    def __init__(self, classify: Classify, *, concurrency: int, waiting: int, clock: Clock) -> None:
        """Prepare a queue.

        Args:
            classify: Classifies one document.
            concurrency: Documents classified at once.
            waiting: Documents that may wait before more are refused.
            clock: Tells how to wait where the disk fails.
        """
        self._classify = classify
        self._concurrency = concurrency
        self._most = waiting
        self._clock = clock
        self._promised = 0
        self._queue: asyncio.Queue[Unit] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self.unsettled: int = 0
        """Documents whose end has not been stored yet, waiting or under way."""

    @contextmanager
    def room_for(self, documents: int) -> Iterator[None]:
        """Keep places in the queue while a job is being stored.

        Raises:
            QueueFullError: There are not as many.
        """
        taken = self._promised + self._queue.qsize()
        # A job that is larger than the queue is taken when nothing else waits.
        if taken and taken + documents > self._most:
            message = f"Too many documents are waiting to be classified ({taken}): try again later"
            raise QueueFullError(message)
        self._promised += documents
        try:
            yield
        finally:
            self._promised -= documents

    def submit(self, units: Iterable[Unit]) -> None:
        """Put documents in the queue."""
        for unit in units:
            self.unsettled += 1
            self._queue.put_nowait(unit)

    # Plain tasks, no task group: a server may be started and stopped by different tasks, as in a fixture.
    def start(self) -> None:
        """Start working the queue off."""
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self._concurrency)]

    async def stop(self) -> None:
        """Stop, whatever is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _work(self) -> None:
        while True:
            unit = await self._queue.get()
            # Tried until it can be stored: a disk that is full holds the queue up, and nothing is lost.
            attempts = AsyncRetrying(
                sleep=self._clock.sleep,
                wait=wait_exponential(max=_LONGEST_PAUSE),
                retry=retry_if_exception_type((OSError, sqlite3.Error)),
                before_sleep=before_sleep_log(_log, logging.ERROR),
            )
            try:
                await attempts(self._run, unit)
            except Exception:  # a fault of ours must not end the queue
                _log.exception("a document was left as it was")
            self.unsettled -= 1

    async def _run(self, unit: Unit) -> None:
        configuration = await unit.start()
        if configuration is None:
            return
        document = await unit.document()
        if document is None:
            await unit.fail(_DELETED)
            return
        found = await self._found(unit, document, configuration)
        if isinstance(found, Classified):
            await unit.complete(found.result, found.pages)
        else:
            await unit.fail(found)

    async def _found(
        self, unit: Unit, document: StoredFile, configuration: Configuration
    ) -> Classified | str:
        """Classify a document, or say why that cannot be done."""
        try:
            return await self._classify(document.path, document.file.name, configuration)
        except Exception as error:  # a fault of ours is this job's, never the queue's
            if await unit.document() is None:
                return _DELETED  # while it was read: whatever else went wrong comes from that
            if isinstance(error, UnclassifiableError):
                return str(error)
            _log.error("classifying %s failed", document.file.id, exc_info=error)
            return "INTERNAL: see the server's log"
