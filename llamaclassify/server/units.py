"""The queue's units of work: the document of a job, and each file of a v1 job."""

from __future__ import annotations

import json
from collections import defaultdict

from attrs import frozen

from ..models import Configuration, JobStatus, Result
from ..wire.converter import decode
from .store import Store
from .store.database import Row
from .store.files import StoredFile


@frozen
class JobUnit:
    """A job's document."""

    store: Store
    job_id: str
    file_id: str

    async def start(self) -> Configuration | None:
        """Let the job run, unless it was cancelled or deleted."""
        row = await self.store.jobs.advance(self.job_id, JobStatus.RUNNING)
        if row is None:
            return None
        return decode(Configuration, json.loads(row["body"])["configuration"], request="the stored job")

    async def document(self) -> StoredFile | None:
        """Give the file; ids are unique among projects."""
        return await self.store.files.get_of_any(self.file_id)

    async def complete(self, result: Result, pages: int) -> None:
        """End the job with its result."""
        await self.store.jobs.advance(self.job_id, JobStatus.COMPLETED, result=result, pages=pages)

    async def fail(self, message: str) -> None:
        """End it without one."""
        await self.store.jobs.advance(self.job_id, JobStatus.FAILED, error_message=message)


@frozen
class FileOfJobUnit:
    """One file of a v1 job."""

    store: Store
    job: Row
    place: int
    file_id: str

    async def start(self) -> Configuration | None:
        """Go ahead: a v1 job cannot be cancelled."""
        return decode(Configuration, json.loads(self.job["configuration"]), request="the stored job")

    async def document(self) -> StoredFile | None:
        """Give the file; ids are unique among projects."""
        return await self.store.files.get_of_any(self.file_id)

    async def complete(self, result: Result, pages: int) -> None:  # noqa: ARG002  (v1 tells no cost)
        """Note the file's result."""
        await self.store.classifier_jobs.settle(self.job, self.place, self.file_id, result, None)

    async def fail(self, message: str) -> None:
        """Note that the file has none."""
        await self.store.classifier_jobs.settle(self.job, self.place, self.file_id, None, message)


def unit_of(store: Store, job: Row) -> JobUnit:
    """Give the work that a job is."""
    return JobUnit(store, job["id"], job["file_id"])


async def units_of(store: Store, job: Row) -> list[FileOfJobUnit]:
    """Give the work that is left of a v1 job."""
    rows = await store.classifier_jobs.files_to_do(job)
    return [FileOfJobUnit(store, job, row["place"], row["file_id"]) for row in rows]


async def unfinished(store: Store) -> list[JobUnit | FileOfJobUnit]:
    """Give what a server that was killed had left to do, oldest job first."""
    left: dict[int, list[JobUnit | FileOfJobUnit]] = defaultdict(list)
    for job in await store.jobs.unfinished():
        left[job["created"]].append(unit_of(store, job))
    for job in await store.classifier_jobs.unfinished():
        # It may have been killed between the last file's end and the job's.
        await store.classifier_jobs.end_if_done(job)
        left[job["created"]] += await units_of(store, job)
    return [unit for created in sorted(left) for unit in left[created]]
