"""Classify jobs. Their JSON is kept as it is answered: looking at a job, or at a hundred, builds nothing."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from ...models import (
    TERMINAL_STATUSES,
    Configuration,
    Job,
    JobStatus,
    Result,
    WebhookConfiguration,
    timestamp,
)
from ...wire.converter import decode, encode
from ..changes import Change, Changes
from ..clock import Clock
from .database import Database, Row
from .listing import Listing, Order, Part, Place
from .moments import ticks
from .project import Project
from .webhooks import as_text, from_text

NEWEST_FIRST = Order(("created", "number"), (int, int), descending=True)
_ADD = """
INSERT INTO jobs (
    id, project, created, status, file_id, configuration_id, transaction_id, webhooks, body
) VALUES (
    :id, :project, :created, :status, :file_id, :configuration_id, :transaction_id, :webhooks, :body
) ON CONFLICT DO NOTHING RETURNING *
"""
# One statement decides and writes, so that of two that end a job the first one wins.
_ADVANCE = """
UPDATE jobs SET status = :status, ended = :ended, pages = :pages, body = json_set(
    body, '$.status', :status, '$.updated_at', :updated_at,
    '$.result', json(:result), '$.error_message', json(:error_message)
) WHERE id = :id AND ended IS NULL RETURNING *
"""


@frozen(kw_only=True)
class JobFilter:
    """Which jobs a listing gives; what is empty leaves them all."""

    job_ids: Collection[str] = ()
    status: str | None = None
    configuration_id: str | None = None
    created_from: datetime | None = None
    created_until: datetime | None = None


@frozen(kw_only=True)
class NewJob:
    """What the creator of a job asks for."""

    file_id: str
    configuration: Configuration
    configuration_id: str | None = None
    transaction_id: str | None = None
    webhooks: Sequence[WebhookConfiguration] = ()


class Jobs:
    """The jobs of every project."""

    def __init__(self, database: Database, clock: Clock, changes: Changes) -> None:
        self._database = database
        self._clock = clock
        self._changes = changes

    async def add(self, project: Project, asked: NewJob) -> Row | None:
        """Take a job in; None: its transaction id is known already."""
        now = self._clock.now()
        job = Job(
            id=f"clj-{uuid.uuid4()}",
            status=JobStatus.PENDING,
            file_input=asked.file_id,
            document_input_type="file_id",
            configuration=asked.configuration,
            configuration_id=asked.configuration_id,
            transaction_id=asked.transaction_id,
            project_id=project.id,
            user_id=project.user_id,
            created_at=now,
            updated_at=now,
        )
        values = {
            "id": job.id,
            "project": project.key,
            "created": ticks(now),
            "status": str(job.status),
            "file_id": asked.file_id,
            "configuration_id": asked.configuration_id,
            "transaction_id": asked.transaction_id,
            "webhooks": as_text(asked.webhooks),
            "body": json.dumps(encode(job)),
        }
        return self._announced(await self._database.write((_ADD, values)))

    async def get(self, project: Project, job_id: str) -> Row | None:
        """Give a job of a project."""
        sql = "SELECT * FROM jobs WHERE id = ? AND project = ?"
        return await self._database.first(sql, (job_id, project.key))

    async def of_transaction(self, project: Project, transaction_id: str) -> Row | None:
        """Give the job that was created with a transaction id."""
        sql = "SELECT * FROM jobs WHERE project = ? AND transaction_id = ?"
        return await self._database.first(sql, (project.key, transaction_id))

    async def part(self, project: Project, wanted: JobFilter, *, after: Place | None, size: int) -> Part:
        """Give a part of a project's jobs, newest first."""
        # With ids, they alone are looked up: the plus keeps the other indexes out of it.
        whose = "+project = ?" if wanted.job_ids else "project = ?"
        listing = Listing("jobs", NEWEST_FIRST, [whose], [project.key])
        if wanted.job_ids:
            listing.only("id IN (SELECT value FROM json_each(?))", json.dumps(list(wanted.job_ids)))
        if wanted.status:
            listing.only("status = ?", wanted.status)
        if wanted.configuration_id:
            listing.only("configuration_id = ?", wanted.configuration_id)
        if wanted.created_from:
            listing.only("created >= ?", ticks(wanted.created_from))
        if wanted.created_until:
            listing.only("created <= ?", ticks(wanted.created_until))
        return await listing.part(self._database, after=after, size=size)

    async def unfinished(self) -> list[Row]:
        """Give what is to be done of every project's jobs that have not ended, oldest first."""
        sql = "SELECT id, file_id, created FROM jobs WHERE ended IS NULL ORDER BY number"
        return await self._database.survey(sql)

    async def advance(self, job_id: str, status: JobStatus, **changes: Any) -> Row | None:
        """Move a job on; None: it has ended (it may have been cancelled meanwhile)."""
        return self._announced(
            await self._database.write((_ADVANCE, self._advanced(job_id, status, **changes)))
        )

    def _advanced(
        self,
        job_id: str,
        status: JobStatus,
        *,
        result: Result | None = None,
        pages: int | None = None,
        error_message: str | None = None,
    ) -> dict[str, Any]:
        now = self._clock.now()
        return {
            "id": job_id,
            "status": str(status),
            "ended": ticks(now) if status in TERMINAL_STATUSES else None,
            "pages": pages,
            "updated_at": timestamp(now),
            # As JSON, which can hold every text: SQLite's own texts cannot.
            "result": json.dumps(encode(result)),
            "error_message": json.dumps(error_message),
        }

    async def delete(self, project: Project, job_id: str) -> bool:
        """Forget a job that has ended, and the transaction it answered; False: there is none."""
        sql = "DELETE FROM jobs WHERE id = ? AND project = ? AND ended IS NOT NULL RETURNING id"
        return bool(await self._database.write((sql, (job_id, project.key))))

    def _announced(self, rows: Sequence[Row]) -> Row | None:
        if not rows:
            return None
        if self._changes.are_heard:
            job = decode(Job, json.loads(rows[0]["body"]), request="the stored job")
            self._changes.announce(Change(job, from_text(rows[0]["webhooks"])))
        return rows[0]
