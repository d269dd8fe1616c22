"""Runs the jobs: first come, first served, so many at a time, off the requests' path."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from ..models import Configuration, JobStatus, Result
from .store import Project, StoredJob

Classify = Callable[[Path, str, Configuration], Awaitable[Result]]
"""Classifies the document at a path, known by a name; raises `UnclassifiableError` where it cannot."""

_log = logging.getLogger("llamaclassify.server")


class UnclassifiableError(Exception):
    """The document cannot be classified; the text becomes the job's error message."""


class JobRunner:
    """A queue of jobs and the tasks that work it off."""

    def __init__(self, classify: Classify, *, concurrency: int) -> None:
        self._classify = classify
        self._concurrency = concurrency
        self._queue: asyncio.Queue[tuple[Project, StoredJob]] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    def submit(self, project: Project, stored: StoredJob) -> None:
        """Put a job in the queue."""
        self._queue.put_nowait((project, stored))

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
            project, stored = await self._queue.get()
            if stored.advance(JobStatus.RUNNING):
                await self._run(project, stored)

    async def _run(self, project: Project, stored: StoredJob) -> None:
        job = stored.job
        document = project.files.get(job.file_input or "")
        if document is None or job.configuration is None:
            stored.advance(JobStatus.FAILED, error_message="The file was deleted before the job ran")
            return
        try:
            result = await self._classify(document.path, document.file.name, job.configuration)
        except UnclassifiableError as failure:
            stored.advance(JobStatus.FAILED, error_message=str(failure))
        except Exception:  # a fault of ours is this job's, never the queue's
            _log.exception("job %s failed", job.id)
            stored.advance(JobStatus.FAILED, error_message="INTERNAL: see the server's log")
        else:
            stored.advance(JobStatus.COMPLETED, result=result)
