"""The routes of classify jobs, ``/api/v2/classify``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from multidict import MultiMapping

from ..models import Configuration, DeletedJob, JobStatus
from ..wire.checks import Issue, create_issues, webhook_issues
from ..wire.converter import decode
from .http import (
    RUNNER,
    STORE,
    ApiError,
    answer,
    answer_text,
    invalid,
    json_object,
    project_of,
    whole_number,
)
from .pages import page_of_texts, place_after
from .receivers import webhooks_in
from .store import Project, Store
from .store.database import Row
from .store.jobs import NEWEST_FIRST, JobFilter, NewJob
from .units import unit_of

routes: web.RouteTableDef = web.RouteTableDef()
_LARGEST_PAGE = 100


@routes.post("/api/v2/classify")
async def create(request: web.Request) -> web.Response:
    """Take a job in and start it; a known transaction id gives its first job."""
    project, store, runner = project_of(request), request.app[STORE], request.app[RUNNER]
    body = await json_object(request)
    known = await _of_transaction(store, project, body)
    if known is not None:
        return answer_text(known["body"])
    # The two deprecated names of the input are still read.
    given = body.get("file_input") or body.get("file_id") or body.get("parse_job_id")
    body = {**body, "file_input": given}
    if issues := [*create_issues(body), *webhook_issues(body.get("webhook_configurations"))]:
        raise invalid(issues, "body")
    webhooks = await webhooks_in(request, project, body)
    await check_files(store, project, [body["file_input"]])
    asked = NewJob(
        file_id=body["file_input"],
        configuration=await _configuration_in(store, project, body),
        configuration_id=body.get("configuration_id"),
        transaction_id=body.get("transaction_id"),
        webhooks=webhooks,
    )
    with runner.room_for(1):
        job = await store.jobs.add(project, asked)
    if job is None:  # the same create came twice at once
        job = await _of_transaction(store, project, body)
        if job is None:
            raise ApiError(409, "The job of this transaction was deleted just now")
    else:
        runner.submit([unit_of(store, job)])
    return answer_text(job["body"])


@routes.get("/api/v2/classify")
async def list_jobs(request: web.Request) -> web.Response:
    """Give a page of the project's jobs, newest first."""
    project, jobs, query = project_of(request), request.app[STORE].jobs, request.query
    wanted = _filter_in(query)
    size = whole_number(query, "page_size", default=_LARGEST_PAGE, largest=_LARGEST_PAGE)
    after = place_after(query.get("page_token"), NEWEST_FIRST)
    part = await jobs.part(project, wanted, after=after, size=size)
    return page_of_texts((row["body"] for row in part.rows), part.last)


@routes.get("/api/v2/classify/{job_id}")
async def get(request: web.Request) -> web.Response:
    """Give one job, with what it cost where that is asked for."""
    job = await _job_of(request)
    if "usage" not in request.query.getall("expand", []):
        return answer_text(job["body"])
    # A page costs one credit.
    usage = {"credits": job["pages"], "parse_credits": job["pages"]}
    return answer_text(json.dumps(json.loads(job["body"]) | {"usage": usage}))


@routes.post("/api/v2/classify/{job_id}/cancel")
async def cancel(request: web.Request) -> web.Response:
    """End a job that has not ended."""
    job = await _job_of(request)
    cancelled = await request.app[STORE].jobs.advance(job["id"], JobStatus.CANCELLED)
    if cancelled is None:
        job = await _job_of(request)
        raise ApiError(409, f"Classify job is {job['status']} and cannot be cancelled")
    return answer_text(cancelled["body"])


@routes.delete("/api/v2/classify/{job_id}")
async def delete(request: web.Request) -> web.Response:
    """Forget a job that has ended."""
    job, project = await _job_of(request), project_of(request)
    if not await request.app[STORE].jobs.delete(project, job["id"]):
        job = await _job_of(request)
        raise ApiError(409, f"Classify job is {job['status']}; cancel it before deleting it")
    return answer(DeletedJob(id=job["id"], project_id=project.id))


async def _job_of(request: web.Request) -> Row:
    job = await request.app[STORE].jobs.get(project_of(request), request.match_info["job_id"])
    if job is None:
        raise ApiError(404, "Classify job not found")
    return job


async def _of_transaction(store: Store, project: Project, body: Mapping[str, Any]) -> Row | None:
    transaction_id = body.get("transaction_id")
    if not isinstance(transaction_id, str):
        return None
    return await store.jobs.of_transaction(project, transaction_id)


async def check_files(store: Store, project: Project, file_ids: list[str]) -> None:
    """Check that the project has some files.

    Raises:
        ApiError: 400, one of them is not there.
    """
    missing = await store.files.missing(project, file_ids)
    if missing is not None:
        kind = "Parse Job ID" if missing.startswith("pjb-") else "File ID"
        raise ApiError(400, f"{kind} {missing} is not in Project ID {project.id}")


async def _configuration_in(store: Store, project: Project, body: Mapping[str, Any]) -> Configuration:
    """Give the inline configuration, or the saved one: as it is now, whatever is made of it later."""
    saved_id = body.get("configuration_id")
    if saved_id is None:
        return decode(Configuration, body["configuration"], request="POST /api/v2/classify")
    saved = await store.configurations.get(project, saved_id)
    if saved is None or not isinstance(saved.parameters, Configuration):
        raise ApiError(404, f"Classify configuration {saved_id} not found")
    return saved.parameters


def _filter_in(query: MultiMapping[str]) -> JobFilter:
    """Read the listing's filters."""
    status = query.get("status")
    if status and status not in JobStatus.__members__:
        issue = Issue(("status",), f"must be one of {', '.join(JobStatus)}", "enum")
        raise invalid([issue], "query")
    return JobFilter(
        job_ids=query.getall("job_ids", []),
        status=status or None,
        configuration_id=query.get("configuration_id") or None,
        created_from=_moment(query, "created_at_on_or_after"),
        created_until=_moment(query, "created_at_on_or_before"),
    )


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
