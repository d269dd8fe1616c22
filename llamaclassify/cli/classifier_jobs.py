"""``llamaclassify classifier:jobs``: the deprecated v1 jobs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from . import endpoints
from .flags import CLASSIFIER_JOB_ID, PAGES, WEBHOOKS, Flag, Request
from .values import LIST, OBJECT, modelled

if TYPE_CHECKING:
    from ..session import ClassifySession


@click.group("classifier:jobs")
def classifier_jobs() -> None:
    """Jobs of the v1 API, many files each. Deprecated: use classify."""


command: Callable[..., Callable[[endpoints.Call], endpoints.Call]] = partial(
    endpoints.command,
    classifier_jobs,
    note="classifier:jobs is deprecated; use classify",
)


@command(
    "create",
    Flag("file-id", "An uploaded file; may be repeated, up to 500 times.", at="file_ids[]"),
    Flag("rule", "A rule, {type: …, description: …}; may be repeated.", LIST, at="rules[]"),
    Flag("rule.type", "The type of a rule; may be repeated.", at="rules[].type"),
    Flag("rule.description", "Its description, in the same order.", at="rules[].description"),
    Flag("mode", "FAST or MULTIMODAL."),
    Flag("parsing-configuration", "How to read: lang, max_pages, target_pages.", OBJECT),
    Flag("parsing-configuration.lang", "The documents' language, such as en."),
    Flag("parsing-configuration.max-pages", "Read at most so many pages.", click.INT),
    Flag(
        "parsing-configuration.target-pages",
        "The pages to read, counted from 0: [0, 2].",
        LIST,
        at="parsing_configuration.target_pages[]",
    ),
    *WEBHOOKS,
    body=True,
)
def create(session: ClassifySession, request: Request) -> Awaitable[Any]:
    """Start a job."""
    from ..models import Rule, WebhookConfiguration
    from ..models_v1 import ClassifierParsingConfiguration
    from ..wire.checks import classifier_job_issues, refuse

    refuse(classifier_job_issues(request))
    return session.classifier_jobs.create(
        **modelled(
            request,
            rules=Rule,
            parsing_configuration=ClassifierParsingConfiguration,
            webhook_configurations=WebhookConfiguration,
        )
    )


@command("list", *PAGES)
def list_jobs(session: ClassifySession, request: Request) -> Awaitable[Any]:
    """List the project's jobs."""
    return session.classifier_jobs.list(**request)


@command("get", CLASSIFIER_JOB_ID)
def get(session: ClassifySession, request: Request) -> Awaitable[Any]:
    """Show a job."""
    return session.classifier_jobs.get(**request)


@command("get-results", CLASSIFIER_JOB_ID)
async def get_results(session: ClassifySession, request: Request) -> Any:
    """Show what a job found for its files."""
    from ..wire.converter import encode

    page = encode(await session.classifier_jobs.get_results(**request))
    # The keys in the order of the service's reference.
    return page | {"items": [_sorted(item) for item in page["items"]]}


def _sorted(value: Any) -> Any:
    """Sort an object's keys: its id first, then by name."""
    if not isinstance(value, dict):
        return value
    return {key: _sorted(value[key]) for key in sorted(value, key=lambda key: (key != "id", key))}
