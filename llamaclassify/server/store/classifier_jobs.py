"""The deprecated v1 jobs: many files, one set of rules, ended when the last file is done."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

from ...models import Configuration, Result, WebhookConfiguration, timestamp
from ...models_v1 import ClassifierJob, ClassifierStatus, FileClassification
from ...wire.converter import decode, encode
from ..changes import Change, Changes
from ..clock import Clock
from .database import Database, Row
from .listing import Listing, Order, Part, Place
from .moments import ticks
from .project import Project
from .webhooks import as_text, from_text

NEWEST_FIRST = Order(("number",), (int,), descending=True)
_ADD_JOB = """
INSERT INTO classifier_jobs (id, project, created, webhooks, configuration, body)
VALUES (:id, :project, :created, :webhooks, :configuration, :body)
"""
_ADD_FILES = """
INSERT INTO classifier_files (job, place, file_id)
SELECT classifier_jobs.number, given.key, given.value FROM classifier_jobs, json_each(:file_ids) AS given
WHERE classifier_jobs.id = :id
"""
_SETTLE = "UPDATE classifier_files SET item = ?, failure = ? WHERE job = ? AND place = ? AND item IS NULL"
_UNFINISHED = "SELECT * FROM classifier_jobs WHERE ended IS NULL ORDER BY number"
_FIRST_FAILURE = """
SELECT file_id, failure FROM classifier_files WHERE job = ? AND failure IS NOT NULL ORDER BY place LIMIT 1
"""
_END = """
UPDATE classifier_jobs SET ended = :ended, body = json_set(
    body, '$.status', :status, '$.updated_at', :updated_at, '$.error_message', json(:error_message)
) WHERE number = :number AND ended IS NULL RETURNING *
"""


class ClassifierJobs:
    """The v1 jobs of every project."""

    def __init__(self, database: Database, clock: Clock, changes: Changes) -> None:
        self._database = database
        self._clock = clock
        self._changes = changes

    async def add(
        self,
        project: Project,
        file_ids: Sequence[str],
        configuration: Configuration,
        webhooks: Sequence[WebhookConfiguration],
        **asked: Any,
    ) -> Row:
        """Take in a job on many files; `asked` is what its creator said of rules and reading."""
        now = self._clock.now()
        job = ClassifierJob(
            id=str(uuid.uuid4()),
            status=ClassifierStatus.PENDING,
            project_id=project.id,
            user_id=project.user_id,
            created_at=now,
            updated_at=now,
            effective_at=now,
            **asked,
        )
        values = {
            "id": job.id,
            "project": project.key,
            "created": ticks(now),
            "webhooks": as_text(webhooks),
            "configuration": json.dumps(encode(configuration)),
            "body": json.dumps(encode(job)),
        }
        of_files = {"id": job.id, "file_ids": json.dumps(list(file_ids))}
        found = ("SELECT * FROM classifier_jobs WHERE id = ?", (job.id,))
        [row] = await self._database.write((_ADD_JOB, values), (_ADD_FILES, of_files), found)
        return self._announced(row)

    async def get(self, project: Project, job_id: str) -> Row | None:
        """Give a job of a project."""
        sql = "SELECT * FROM classifier_jobs WHERE id = ? AND project = ?"
        return await self._database.first(sql, (job_id, project.key))

    async def part(self, project: Project, *, after: Place | None, size: int) -> Part:
        """Give a part of a project's jobs, newest first."""
        listing = Listing("classifier_jobs", NEWEST_FIRST, ["project = ?"], [project.key])
        return await listing.part(self._database, after=after, size=size)

    async def results(self, job: Row) -> list[Row]:
        """Give the items of a job's files that are done."""
        sql = "SELECT item FROM classifier_files WHERE job = ? AND item IS NOT NULL ORDER BY place"
        return await self._database.read(sql, (job["number"],))

    async def files_to_do(self, job: Row) -> list[Row]:
        """Give a job's files that are not done."""
        sql = "SELECT place, file_id FROM classifier_files WHERE job = ? AND item IS NULL ORDER BY place"
        return await self._database.read(sql, (job["number"],))

    async def unfinished(self) -> list[Row]:
        """Give every project's jobs that have not ended, oldest first."""
        return await self._database.survey(_UNFINISHED)

    async def settle(
        self, job: Row, place: int, file_id: str, result: Result | None, failure: str | None
    ) -> None:
        """Note that a file is done; the last one ends the job."""
        now = self._clock.now()
        item = FileClassification(
            id=str(uuid.uuid4()),
            classify_job_id=job["id"],
            file_id=file_id,
            result=result,
            created_at=now,
            updated_at=now,
        )
        # As JSON, which can hold every text: SQLite's own texts cannot.
        values = (json.dumps(encode(item)), failure and json.dumps(failure), job["number"], place)
        await self._database.write((_SETTLE, values))
        await self.end_if_done(job)

    async def end_if_done(self, job: Row) -> None:
        """End a job whose files are all done."""
        done = await self._database.first(
            "SELECT count(*) AS files, count(item) AS settled, count(failure) AS failed"
            " FROM classifier_files WHERE job = ?",
            (job["number"],),
        )
        if done is None or done["settled"] < done["files"]:
            return
        now = self._clock.now()
        values = {
            "number": job["number"],
            "ended": ticks(now),
            "updated_at": timestamp(now),
            "status": str(_outcome(done)),
            "error_message": json.dumps(await self._message(job, done)),
        }
        for row in await self._database.write((_END, values)):
            self._announced(row)

    async def _message(self, job: Row, done: Row) -> str | None:
        """Say what went wrong: the results themselves have no room for it."""
        first = await self._database.first(_FIRST_FAILURE, (job["number"],))
        if first is None:
            return None
        count = f"{done['failed']} of {done['files']} files could not be classified"
        return f"{count}; the first: {first['file_id']}: {json.loads(first['failure'])}"

    def _announced(self, row: Row) -> Row:
        if self._changes.are_heard:
            job = decode(ClassifierJob, json.loads(row["body"]), request="the stored job")
            self._changes.announce(Change(job, from_text(row["webhooks"])))
        return row


def _outcome(done: Row) -> ClassifierStatus:
    if not done["failed"]:
        return ClassifierStatus.SUCCESS
    all_failed = done["failed"] == done["files"]
    return ClassifierStatus.ERROR if all_failed else ClassifierStatus.PARTIAL_SUCCESS
