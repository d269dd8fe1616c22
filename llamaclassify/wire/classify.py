"""Classify jobs, ``/api/v2/classify``: create, get, list, cancel, delete."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ..errors import (
    BadRequestError,
    ConfigurationError,
    ConflictError,
    LlamaClassifyError,
)
from ..events import JobCreated, JobFinished
from ..models import (
    Configuration,
    DeletedJob,
    Job,
    JobStatus,
    Rule,
    WebhookConfiguration,
    timestamp,
)
from .checks import identifier, listed, page_size_in
from .converter import decode
from .job_body import JobBody, expect
from .pagination import Pager
from .retries import RETRIED_STATUSES, acted_before
from .sighting import Sighting
from .transport import Query, Transport

_PATH = "/api/v2/classify"
_LARGEST_PAGE = 100


class ClassifyJobs:
    """The calls on classify jobs; the session is one of these, with waiting on top.

    Every call takes `organization_id` and `project_id` over the session's own. Every call raises
    `APIStatusError`, `APIConnectionError` and `ResponseDecodeError` as the transport does, after the
    retries of the session's `RetryPolicy`, and `ConfigurationError` before anything is sent.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create(
        self,
        file_input: str | None = None,
        *,
        rules: Iterable[Rule] | None = None,
        configuration: Configuration | None = None,
        configuration_id: str | None = None,
        transaction_id: str | None = None,
        webhook_configurations: Iterable[WebhookConfiguration] | None = None,
        webhook_configuration_ids: Iterable[str] | None = None,
        file_id: str | None = None,
        parse_job_id: str | None = None,
        organization_id: str | None = None,
        project_id: str | None = None,
    ) -> Job:
        """Start a job (``POST /api/v2/classify``) and give it as the server first describes it.

        A create whose answer is lost is sent again with the same `transaction_id`, for which the server
        gives the job that it already made: nothing is classified, or billed, twice.

        ::

            file = await session.files.upload(("a.txt", b"INVOICE 17"))
            job = await session.create(file.id, rules=RULES, transaction_id="mail-2026-0417")
            print(job.id, job.status)

        Args:
            file_input: The id of an uploaded file (``dfl-…``) or of a parse job (``pjb-…``).
            rules: The rules; or give a `configuration`, or the `configuration_id` of a saved one.
            configuration: Rules together with how the document is read.
            configuration_id: A configuration saved on the server.
            transaction_id: The idempotency key, at most 255 characters; made anew for each call if not given.
            webhook_configurations: Where the server reports changes of this job.
            webhook_configuration_ids: The same, saved on the server.
            file_id: Deprecated by the service: use `file_input`.
            parse_job_id: Deprecated by the service: use `file_input`.
            organization_id: Instead of the session's.
            project_id: Instead of the session's.

        Raises:
            ConfigurationError: The request cannot be right; every field at fault is named.
        """
        given = _one_input(file_input, file_id=file_id, parse_job_id=parse_job_id)
        shared = JobBody.made(
            rules=rules,
            configuration=configuration,
            configuration_id=configuration_id,
            webhook_configurations=webhook_configurations,
            webhook_configuration_ids=webhook_configuration_ids,
        )
        query = {"organization_id": organization_id, "project_id": project_id}
        transaction_id = new_transaction_id() if transaction_id is None else transaction_id
        return (await self._create(shared, given, transaction_id, query)).job()

    async def _create(
        self,
        shared: JobBody,
        file_input: str,
        transaction_id: str,
        query: Mapping[str, str | None] | None = None,
    ) -> Sighting:
        """Start one of the jobs that have the `JobBody` in common."""
        # 409 is a concurrent create with the same key: the next attempt finds the job.
        retried = RETRIED_STATUSES | {409}
        try:
            answer = await self._transport.request(
                "POST",
                _PATH,
                query=query,
                body=shared.of(file_input, transaction_id),
                kind="create",
                retried=retried,
            )
            created = Sighting.of(answer, request=f"POST {_PATH}")
        except LlamaClassifyError as error:
            error.transaction_id = transaction_id
            raise
        if (tell := self._transport.on_event) is not None:
            job_id, status = created.id, created.status
            tell(JobCreated(job_id=job_id, status=status, transaction_id=transaction_id))
            if created.is_terminal:
                tell(JobFinished(job_id=job_id, status=status, seconds=0.0, lag=0.0))
        return created

    async def get(
        self,
        job_id: str,
        *,
        expand: Iterable[str] = (),
        organization_id: str | None = None,
        project_id: str | None = None,
    ) -> Job:
        """Give a job as it stands (``GET /api/v2/classify/{job_id}``); ``expand=("usage",)`` adds its cost.

        Raises:
            NotFoundError: The project has no such job.
        """
        query = {
            "expand": listed("expand", expand),
            "organization_id": organization_id,
            "project_id": project_id,
        }
        return await self._job("GET", job_id, "", query)

    def list(
        self,
        *,
        status: JobStatus | str | None = None,
        job_ids: Iterable[str] | None = None,
        configuration_id: str | None = None,
        created_at_on_or_after: datetime | None = None,
        created_at_on_or_before: datetime | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        organization_id: str | None = None,
        project_id: str | None = None,
    ) -> Pager[Job]:
        """List the project's jobs (``GET /api/v2/classify``).

        ``async for`` gives every job of every page; ``await`` the first page; ``.pages()`` the pages.

        Args:
            status: Only jobs that stand so.
            job_ids: Only these jobs.
            configuration_id: Only jobs of this saved configuration.
            created_at_on_or_after: Only jobs made then or later; a datetime with its time zone.
            created_at_on_or_before: Only jobs made then or earlier.
            page_size: Jobs a page, 1 to 100; the server's choice if not given.
            page_token: Start with the page of this token.
            organization_id: Instead of the session's.
            project_id: Instead of the session's.
        """
        filters = {
            "status": None if status is None else str(status),
            "job_ids": listed("job_ids", job_ids),
            "configuration_id": configuration_id,
            "created_at_on_or_after": _bound("created_at_on_or_after", created_at_on_or_after),
            "created_at_on_or_before": _bound("created_at_on_or_before", created_at_on_or_before),
            "page_size": page_size_in(page_size, _LARGEST_PAGE),
            "organization_id": organization_id,
            "project_id": project_id,
        }

        async def fetch(token: str | None) -> Any:
            query = {**filters, "page_token": token}
            return await self._transport.request("GET", _PATH, query=query)

        return Pager(fetch, Job, request=f"GET {_PATH}", page_token=page_token)

    async def cancel(
        self, job_id: str, *, organization_id: str | None = None, project_id: str | None = None
    ) -> Job:
        """Ask the server to end a job (``POST /api/v2/classify/{job_id}/cancel``).

        A cancel whose answer was lost is sent again; that the job has ended by then counts as done.

        Raises:
            BadRequestError, ConflictError: The job has already ended.
        """
        query = {"organization_id": organization_id, "project_id": project_id}
        try:
            return await self._job("POST", job_id, "/cancel", query)
        except (BadRequestError, ConflictError) as error:
            if not acted_before(error):
                raise
            return await self._job("GET", job_id, "", query)

    async def delete(
        self, job_id: str, *, organization_id: str | None = None, project_id: str | None = None
    ) -> DeletedJob:
        """Remove a job that has ended (``DELETE /api/v2/classify/{job_id}``).

        A delete whose answer was lost is sent again; that the job is gone by then counts as done.

        Raises:
            BadRequestError, ConflictError: The job has not ended yet; cancel it first.
        """
        path = f"{_PATH}/{identifier('job_id', job_id)}"
        query = {"organization_id": organization_id, "project_id": project_id}
        answer = await self._transport.delete(path, query=query)
        deleted = {"id": job_id} if answer is None else answer
        return decode(DeletedJob, deleted, request=f"DELETE {path}")

    async def _seen(self, job_id: str) -> Sighting:
        """Look at one job."""
        path = f"{_PATH}/{identifier('job_id', job_id)}"
        return Sighting.of(await self._transport.request("GET", path), request=f"GET {path}")

    async def _all_seen(self, job_ids: Sequence[str]) -> dict[str, Sighting]:
        """Look at up to 100 jobs with one request; those that the listing leaves out are missing."""
        query: Query = {"job_ids": job_ids, "page_size": _LARGEST_PAGE}
        page = await self._transport.request("GET", _PATH, query=query)
        items = page.get("items") or () if isinstance(page, dict) else ()
        # What cannot be read is left out: asked for by its id, it shows what is wrong with it.
        seen = (Sighting.read(item, request=f"GET {_PATH}") for item in items)
        return {sighting.id: sighting for sighting in seen if sighting is not None}

    async def _job(self, method: str, job_id: str, action: str, query: dict[str, Any]) -> Job:
        path = f"{_PATH}/{identifier('job_id', job_id)}{action}"
        answer = await self._transport.request(method, path, query=query)
        return decode(Job, answer, request=f"{method} {path}")


def _one_input(file_input: str | None, **deprecated: str | None) -> str:
    """Give the one input there is, whatever it was called."""
    named = {name: value for name, value in deprecated.items() if value is not None}
    for name in named:
        warnings.warn(f"{name} is deprecated: use file_input", DeprecationWarning, stacklevel=3)
    given = [value for value in (file_input, *named.values()) if value is not None]
    if len(given) != 1:
        raise ConfigurationError(f"file_input: give one input, got {len(given)}")
    return given[0]


def new_transaction_id() -> str:
    """Make an idempotency key that no other create has."""
    return str(uuid.uuid4())


def _bound(name: str, moment: datetime | None) -> str | None:
    expect(name, moment, datetime | None)
    if moment is not None and moment.tzinfo is None:
        message = f"{name}: {moment} has no time zone; give one, such as datetime.UTC"
        raise ConfigurationError(message)
    return None if moment is None else timestamp(moment)
