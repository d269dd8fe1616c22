"""The deprecated v1 jobs, ``/api/v1/classifier/jobs``: many files, one set of rules, results apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..models import Rule, WebhookConfiguration
from ..models_v1 import ClassifierJob, ClassifierParsingConfiguration, FileClassification
from .checks import classifier_job_issues, identifier, listed, page_size_in, refuse
from .converter import decode, encode_request
from .pagination import Page, Pager
from .transport import Transport

_PATH = "/api/v1/classifier/jobs"
_LARGEST_PAGE = 1000


class ClassifierCalls:
    """The calls on v1 jobs. Use the v2 jobs of the session itself instead: one file each, and idempotent.

    Every call takes `organization_id` and `project_id` over the session's own, and raises `APIStatusError`,
    `APIConnectionError` and `ResponseDecodeError` after the retries of the session's `RetryPolicy`.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create(
        self,
        file_ids: Iterable[str],
        *,
        rules: Iterable[Rule],
        mode: str = "FAST",
        parsing_configuration: ClassifierParsingConfiguration | None = None,
        webhook_configurations: Iterable[WebhookConfiguration] | None = None,
        organization_id: str | None = None,
        project_id: str | None = None,
    ) -> ClassifierJob:
        """Start a job over 1 to 500 files (``POST /api/v1/classifier/jobs``).

        v1 has no idempotency key, so a create that the server may have acted on is never sent again: it is
        retried only where it was refused with 429 or never sent. After any other error, look with `list`
        whether the job is there.

        Args:
            file_ids: The ids of 1 to 500 uploaded files.
            rules: At least one; descriptions of at most 500 characters.
            mode: ``"FAST"`` or ``"MULTIMODAL"``, which costs twice as much.
            parsing_configuration: One of 86 languages, 0-based pages; 5 pages at most if not given.
            webhook_configurations: Where the server reports changes of this job.
            organization_id: Instead of the session's.
            project_id: Instead of the session's.

        Raises:
            ConfigurationError: The request cannot be right; every field at fault is named.
        """
        body = encode_request(
            {
                "file_ids": listed("file_ids", file_ids),
                "rules": listed("rules", rules),
                "mode": mode,
                "parsing_configuration": parsing_configuration,
                "webhook_configurations": listed("webhook_configurations", webhook_configurations),
            }
        )
        refuse(classifier_job_issues(body))
        query = {"organization_id": organization_id, "project_id": project_id}
        answer = await self._transport.request(
            "POST", _PATH, query=query, body=body, kind="create", repeatable=False
        )
        return decode(ClassifierJob, answer, request=f"POST {_PATH}")

    async def get(
        self, classify_job_id: str, *, organization_id: str | None = None, project_id: str | None = None
    ) -> ClassifierJob:
        """Give a job as it stands (``GET …/{classify_job_id}``).

        Raises:
            NotFoundError: The project has no such job.
        """
        path = f"{_PATH}/{identifier('classify_job_id', classify_job_id)}"
        query = {"organization_id": organization_id, "project_id": project_id}
        answer = await self._transport.request("GET", path, query=query)
        return decode(ClassifierJob, answer, request=f"GET {path}")

    def list(
        self,
        *,
        page_size: int | None = None,
        page_token: str | None = None,
        organization_id: str | None = None,
        project_id: str | None = None,
    ) -> Pager[ClassifierJob]:
        """List the project's v1 jobs (``GET``); `page_size` is jobs a page."""
        filters = {
            "page_size": page_size_in(page_size, _LARGEST_PAGE),
            "organization_id": organization_id,
            "project_id": project_id,
        }

        async def fetch(token: str | None) -> Any:
            return await self._transport.request("GET", _PATH, query={**filters, "page_token": token})

        return Pager(fetch, ClassifierJob, request=f"GET {_PATH}", page_token=page_token)

    async def get_results(
        self, classify_job_id: str, *, organization_id: str | None = None, project_id: str | None = None
    ) -> Page[FileClassification]:
        """Give what a job found, file by file (``GET …/{classify_job_id}/results``).

        The order is not promised: join on `file_id`. The endpoint takes no page token, so this is one page.
        """
        path = f"{_PATH}/{identifier('classify_job_id', classify_job_id)}/results"
        query = {"organization_id": organization_id, "project_id": project_id}
        answer = await self._transport.request("GET", path, query=query)
        page_of: Any = Page
        page: Page[FileClassification] = decode(page_of[FileClassification], answer, request=f"GET {path}")
        return page
