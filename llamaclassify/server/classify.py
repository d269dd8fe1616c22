"""The routes of classify jobs, ``/api/v2/classify``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import attrs
from aiohttp import web

from ..models import Configuration, DeletedJob, Job, JobStatus
from ..wire.checks import Issue, create_issues
from ..wire.converter import decode
from .http import RUNNER, ApiError, Place, answer, invalid, json_object, page_of, page_size, project_of
from .store import Project, StoredJob

routes: web.RouteTableDef = web.RouteTableDef()
_LARGEST_PAGE = 100


@routes.post("/api/v2/classify")
async def create(request: web.Request) -> web.Response:
    """Take a job in and start it; a known transaction id gives its first job."""
    project = project_of(request)
    body = await json_object(request)
    transaction_id = body.get("transaction_id")
    known = project.transactions.get(transaction_id) if isinstance(transaction_id, str) else None
    if known is not None:
        return answer(known.job)
    # The two deprecated names of the input are still read.
    given = body.get("file_input") or body.get("file_id") or body.get("parse_job_id")
    body = {**body, "file_input": given}
    if issues := list(create_issues(body)):
        raise invalid(issues, "body")
    file_id = file_in(project, body["file_input"])
    configuration = _configuration_in(project, body)
    stored = project.add_job(file_id, configuration, body.get("configuration_id"), body.get("transaction_id"))
    request.app[RUNNER].submit(project, file_id, configuration, stored)
    return answer(stored.job)


@routes.get("/api/v2/classify")
async def list_jobs(request: web.Request) -> web.Response:
    """Give a page of the project's jobs, newest first."""
    project = project_of(request)
    wanted = _filters(request.query)
    jobs = project.newest_jobs(request.query.getall("job_ids", []))
    matching: Iterator[tuple[Place, Job]] = (
        ((-stored.number,), stored.job) for stored in jobs if all(test(stored.job) for test in wanted)
    )
    size = page_size(request.query, default=_LARGEST_PAGE, largest=_LARGEST_PAGE)
    return page_of(matching, size=size, token=request.query.get("page_token"))


@routes.get("/api/v2/classify/{job_id}")
async def get(request: web.Request) -> web.Response:
    """Give one job, with what it cost where that is asked for."""
    stored = _job_of(request)
    if "usage" in request.query.getall("expand", []):
        return answer(attrs.evolve(stored.job, usage=stored.usage))
    return answer(stored.job)


@routes.post("/api/v2/classify/{job_id}/cancel")
async def cancel(request: web.Request) -> web.Response:
    """End a job that has not ended."""
    stored = _job_of(request)
    if not stored.advance(JobStatus.CANCELLED):
        raise ApiError(409, f"Classify job is {stored.job.status} and cannot be cancelled")
    return answer(stored.job)


@routes.delete("/api/v2/classify/{job_id}")
async def delete(request: web.Request) -> web.Response:
    """Forget a job that has ended."""
    stored = _job_of(request)
    if not stored.job.is_terminal:
        raise ApiError(409, f"Classify job is {stored.job.status}; cancel it before deleting it")
    project = project_of(request)
    project.delete_job(stored.job.id)
    return answer(DeletedJob(id=stored.job.id, project_id=project.id))


def _job_of(request: web.Request) -> StoredJob:
    stored = project_of(request).jobs.get(request.match_info["job_id"])
    if stored is None:
        raise ApiError(404, "Classify job not found")
    return stored


def file_in(project: Project, file_input: str) -> str:
    """Give the id of a file that the project has.

    Raises:
        ApiError: 400, it has none of that id.
    """
    if file_input in project.files:
        return file_input
    kind = "Parse Job ID" if file_input.startswith("pjb-") else "File ID"
    raise ApiError(400, f"{kind} {file_input} is not in Project ID {project.id}")


def _configuration_in(project: Project, body: Mapping[str, Any]) -> Configuration:
    """Give the inline configuration, or the saved one: as it is now, whatever is made of it later."""
    saved_id = body.get("configuration_id")
    if saved_id is None:
        return decode(Configuration, body["configuration"], request="POST /api/v2/classify")
    stored = project.configurations.get(saved_id)
    if stored is None or not isinstance(stored.saved.parameters, Configuration):
        raise ApiError(404, f"Classify configuration {saved_id} not found")
    return stored.saved.parameters


def _filters(query: Mapping[str, str]) -> list[Callable[[Job], bool]]:
    """Read the listing's filters; each is a test that a job must pass."""
    wanted: list[Callable[[Job], bool]] = []
    if status := query.get("status"):
        if status not in JobStatus.__members__:
            issue = Issue(("status",), f"must be one of {', '.join(JobStatus)}", "enum")
            raise invalid([issue], "query")
        wanted.append(lambda job: job.status == status)
    if configuration_id := query.get("configuration_id"):
        wanted.append(lambda job: job.configuration_id == configuration_id)
    if after := _moment(query, "created_at_on_or_after"):
        wanted.append(lambda job: job.created_at is not None and job.created_at >= after)
    if before := _moment(query, "created_at_on_or_before"):
        wanted.append(lambda job: job.created_at is not None and job.created_at <= before)
    return wanted


def _moment(query: Mapping[str, str], key: str) -> datetime | None:
    text = query.get(key)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        issue = Issue((key,), f"must be a date and time, got {text!r}", "datetime_parsing")
        raise invalid([issue], "query") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
