"""Runs the jobs: first come, first served, so many documents at a time, off the requests' path."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from attrs import frozen

from ..models import Configuration, Result
from .store import Project


@frozen
class Classified:
    """What was found in a document, and how many pages were read for it."""

    result: Result
    pages: int


Classify = Callable[[Path, str, Configuration], Awaitable[Classified]]
"""Classifies the document at a path, known by a name; raises `UnclassifiableError` where it cannot."""

_DELETED = "The file was deleted before the job ran"
_log = logging.getLogger("llamaclassify.server")


class UnclassifiableError(Exception):
    """The document cannot be classified; the text becomes the job's error message."""


class Unit(Protocol):
    """Who waits for one document: a job, or one file of a job with many."""

    def start(self) -> bool:
        """Hear that it is under way; False: nobody waits any more."""
        ...

    def complete(self, result: Result, pages: int) -> None:
        """Take the result."""

    def fail(self, message: str) -> None:
        """Hear why there is none."""


@frozen
class _Task:
    project: Project
    file_id: str
    configuration: Configuration
    unit: Unit


class JobRunner:
    """A queue of documents and the tasks that work it off."""

    def __init__(self, classify: Classify, *, concurrency: int) -> None:
        self._classify = classify
        self._concurrency = concurrency
        self._queue: asyncio.Queue[_Task] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    def submit(self, project: Project, file_id: str, configuration: Configuration, unit: Unit) -> None:
        """Put one document of a project in the queue, for `unit`."""
        self._queue.put_nowait(_Task(project, file_id, configuration, unit))

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
            task = await self._queue.get()
            if task.unit.start():
                await self._run(task)

    async def _run(self, task: _Task) -> None:
        document = task.project.files.get(task.file_id)
        if document is None:
            task.unit.fail(_DELETED)
            return
        try:
            found = await self._classify(document.path, document.file.name, task.configuration)
        except Exception as error:  # a fault of ours is this job's, never the queue's
            task.unit.fail(_why(error, task))
        else:
            task.unit.complete(found.result, found.pages)


def _why(error: Exception, task: _Task) -> str:
    if task.file_id not in task.project.files:
        return _DELETED  # while it was read: whatever else went wrong comes from that
    if isinstance(error, UnclassifiableError):
        return str(error)
    _log.error("classifying %s failed", task.file_id, exc_info=error)
    return "INTERNAL: see the server's log"
