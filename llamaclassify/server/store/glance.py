"""A glance at the jobs: the newest ones, and how many there are of each status and type."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from attrs import frozen

from .database import Database, Row
from .project import Project

_MOST_JOBS = 100
_MOST_V1_JOBS = 20
_MOST_TYPES = 20
# {whose} is a project's condition or nobody's; a project's newest jobs are found by age, all by number.
_JOBS = """
SELECT jobs.id, jobs.created, jobs.body, coalesce(files.name, jobs.file_id) AS document
FROM (SELECT * FROM jobs WHERE {whose} ORDER BY {newest} DESC LIMIT :most) AS jobs
LEFT JOIN files ON files.id = jobs.file_id
"""
_V1_JOBS = """
SELECT number, id, created, body FROM classifier_jobs WHERE {whose} ORDER BY number DESC LIMIT :most
"""
_V1_FILES = """
SELECT job, json_extract(item, '$.result.type') AS type, item IS NOT NULL AND failure IS NULL AS is_found,
    count(*) AS count, min(place), coalesce(files.name, file_id) AS document
FROM classifier_files LEFT JOIN files ON files.id = file_id
WHERE job IN (SELECT value FROM json_each(:jobs)) GROUP BY job, type, is_found ORDER BY min(place)
"""
_STATUSES = """
SELECT name, sum(count) AS count FROM (
    SELECT status AS name, count(*) AS count FROM jobs WHERE {whose} GROUP BY status
    UNION ALL SELECT json_extract(body, '$.status'), count(*) FROM classifier_jobs WHERE {whose} GROUP BY 1
) GROUP BY name ORDER BY count DESC
"""
_TYPES = """
SELECT type AS name, count(*) AS count FROM jobs
WHERE status = 'COMPLETED' AND {whose} GROUP BY type ORDER BY count DESC LIMIT :most
"""


@frozen(kw_only=True)
class Seen:
    """One job as a line; `type` and `confidence` are there once there is a result."""

    job_id: str
    created: int
    document: str
    status: str
    type: str | None = None
    confidence: float | None = None
    reasoning: str = ""


@frozen
class Glance:
    """The newest jobs, and counts of all of them, the most frequent first.

    Attributes:
        newest: Jobs of either version, a v1 job as one.
        by_status: How many there are of each status.
        by_type: How many v2 jobs found each type; None: no rule fitted.
    """

    newest: list[Seen]
    by_status: list[tuple[str, int]]
    by_type: list[tuple[str | None, int]]


@frozen
class Glances:
    """Looks at the jobs of one project, or at everybody's."""

    _database: Database

    async def at(self, project: Project | None) -> Glance:
        """Look, now."""
        newest = await self._jobs(project) + await self._v1_jobs(project)
        statuses = await self._rows(_STATUSES, project)
        types = await self._rows(_TYPES, project, most=_MOST_TYPES)
        return Glance(
            sorted(newest, key=lambda seen: seen.created, reverse=True)[:_MOST_JOBS],
            [(row["name"], row["count"]) for row in statuses],
            [(row["name"], row["count"]) for row in types],
        )

    async def _rows(self, sql: str, project: Project | None, **values: Any) -> list[Row]:
        whose, newest = ("true", "number") if project is None else ("project = :project", "created")
        key = None if project is None else project.key
        # Python's sqlite3 lets a name be given that the text does not use.
        return await self._database.survey(sql.format(whose=whose, newest=newest), {"project": key, **values})

    async def _jobs(self, project: Project | None) -> list[Seen]:
        return [_seen(row) for row in await self._rows(_JOBS, project, most=_MOST_JOBS)]

    async def _v1_jobs(self, project: Project | None) -> list[Seen]:
        jobs = await self._rows(_V1_JOBS, project, most=_MOST_V1_JOBS)
        files: dict[int, list[Row]] = defaultdict(list)
        for row in await self._rows(_V1_FILES, project, jobs=json.dumps([job["number"] for job in jobs])):
            files[row["job"]].append(row)
        return [_seen_v1(job, files[job["number"]]) for job in jobs]


def _seen(row: Row) -> Seen:
    job = json.loads(row["body"])
    result = job["result"] or {}
    return Seen(
        job_id=row["id"],
        created=row["created"],
        document=row["document"],
        status=job["status"],
        type=result.get("type"),
        confidence=result.get("confidence"),
        reasoning=result.get("reasoning") or job["error_message"] or "",
    )


def _seen_v1(row: Row, files: list[Row]) -> Seen:
    """See many files as one line: what was found, how often."""
    job = json.loads(row["body"])
    others = sum(group["count"] for group in files) - 1
    found = [f"{group['count']} {group['type'] or 'no rule fits'}" for group in files if group["is_found"]]
    return Seen(
        job_id=row["id"],
        created=row["created"],
        document=files[0]["document"] + (f" and {others} more" if others else ""),
        status=job["status"],
        type=", ".join(found) or None,
        reasoning=job["error_message"] or "",
    )
