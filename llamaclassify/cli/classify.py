"""``llamaclassify classify``: classify jobs."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

import click

from .endpoints import command
from .flags import CREATED, JOB_ID, PAGES, WEBHOOKS, Flag, Request
from .values import LIST, OBJECT, modelled

if TYPE_CHECKING:
    from ..session import ClassifySession

_STATUSES = ("PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED")


@click.group()
def classify() -> None:
    """Classify jobs: start, look at, wait for, end and remove them."""


@command(
    classify,
    "create",
    Flag("file-input", "The id of an uploaded file or of a parse job."),
    Flag("configuration", "The rules and how to read the document; @rules.yaml reads a file.", OBJECT),
    Flag(
        "configuration.rules",
        "The rules: a list, or one each time it is given.",
        LIST,
        at="configuration.rules[]",
    ),
    Flag("configuration.mode", "FAST, which is all there is."),
    Flag(
        "configuration.parsing-configuration",
        "How to read: lang, max_pages, target_pages.",
        OBJECT,
    ),
    Flag("configuration-id", "A saved configuration, instead of --configuration."),
    Flag("transaction-id", "Idempotency key: a known one gives its first job. Made anew if not given."),
    *WEBHOOKS,
    Flag(
        "webhook-configuration-id",
        "A saved webhook configuration; may be repeated.",
        at="webhook_configuration_ids[]",
    ),
    Flag("file-id", "Deprecated: use --file-input."),
    Flag("parse-job-id", "Deprecated: use --file-input."),
    body=True,
)
def create(session: ClassifySession, request: Request) -> Awaitable[Any]:
    """Start a job."""
    from itertools import chain

    from ..models import Configuration, WebhookConfiguration
    from ..wire.checks import refuse, rules_issues, webhook_issues

    refuse(chain(rules_issues(request), webhook_issues(request.get("webhook_configurations"))))
    return session.create(
        **modelled(request, configuration=Configuration, webhook_configurations=WebhookConfiguration)
    )


@command(
    classify,
    "list",
    Flag("status", "Only jobs that stand so.", click.Choice(_STATUSES, case_sensitive=False)),
    Flag("job-id", "Only this job; may be repeated.", at="job_ids[]"),
    Flag("configuration-id", "Only jobs of this saved configuration."),
    *CREATED,
    *PAGES,
)
def list_jobs(session: ClassifySession, request: Request) -> Awaitable[Any]:
    """List the project's jobs."""
    return session.list(**request)


@command(
    classify,
    "get",
    JOB_ID,
    Flag("expand", "What to add: usage, what the job cost.", at="expand[]"),
)
def get(session: ClassifySession, request: Request) -> Awaitable[Any]:
    """Show a job."""
    return session.get(**request)


@command(classify, "cancel", JOB_ID)
def cancel(session: ClassifySession, request: Request) -> Awaitable[Any]:
    """End a job that has not ended."""
    return session.cancel(**request)


@command(classify, "delete", JOB_ID)
def delete(session: ClassifySession, request: Request) -> Awaitable[Any]:
    """Remove a job that has ended."""
    return session.delete(**request)


@command(
    classify,
    "wait",
    JOB_ID,
    Flag("timeout", "Seconds until the wait is given up; 600 if not given.", click.FloatRange(min=0)),
)
def wait(session: ClassifySession, request: Request) -> Awaitable[Any]:
    """Wait until a job has ended, and show it.

    Exit status: 0 completed, 3 failed or cancelled, 6 not ended in time (it goes on).
    """
    from ..policies import PollPolicy

    timeout = request.get("timeout")
    return session.wait(request["job_id"], None if timeout is None else PollPolicy(timeout=timeout))
