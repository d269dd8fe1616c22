"""What the API speaks of: rules, jobs, results and files, as frozen values.

Reading is tolerant: only what a caller cannot do without is required, and a status that nobody
has heard of stays the plain string it came as.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import attr
from attrs import field, frozen


class JobStatus(StrEnum):
    """Where a classify job stands; equal to its string (``job.status == "COMPLETED"``)."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


TERMINAL_STATUSES = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED})


def timestamp(moment: datetime) -> str:
    """Write a moment as the wire does: UTC, ending in Z, with no more digits than it has."""
    text = moment.astimezone(UTC).isoformat().removesuffix("+00:00")
    return (text.rstrip("0") if "." in text else text) + "Z"


def _wire_value(_: object, __: object, value: object) -> object:
    if isinstance(value, datetime):
        return timestamp(value)
    return str(value) if isinstance(value, StrEnum) else value


class WireModel:
    """What the server gives: it can be written as the wire's JSON again."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Give the wire's JSON, with every key; null where there is nothing."""
        model: Any = self
        return attr.asdict(model, value_serializer=_wire_value, retain_collection_types=False)


@frozen
class Rule:
    """One label and the criteria, in plain language, by which a document gets it.

    Attributes:
        type: The label: 1 to 50 letters, digits, spaces, hyphens or underscores; unique in a request.
        description: The criteria, 10 to 2000 characters.
    """

    type: str
    description: str


@frozen(kw_only=True)
class ParsingConfiguration:
    """How the document is read before it is classified.

    Attributes:
        lang: ISO 639-1 code of the document's language.
        max_pages: Read at most this many pages (1 or more); None reads them all.
        target_pages: 1-based pages and ranges to read, such as ``"1,3,5-7"``; None reads them all.
    """

    lang: str = "en"
    max_pages: int | None = None
    target_pages: str | None = None


def _all_rules(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    return tuple(rules)


@frozen
class Configuration:
    """The rules of a job and how its document is read.

    Attributes:
        rules: At least one; their types are unique.
        mode: The API knows ``"FAST"`` alone.
        parsing_configuration: None leaves the reading to the server's defaults.
    """

    rules: tuple[Rule, ...] = field(converter=_all_rules)
    mode: str = "FAST"
    parsing_configuration: ParsingConfiguration | None = None


@frozen(kw_only=True)
class Result:
    """What a completed job found.

    Attributes:
        type: The type of the rule that fits best, or None when no rule fits: an answer, not a failure.
        confidence: 0.0 to 1.0.
        reasoning: Why this answer was chosen.
    """

    type: str | None = None
    confidence: float
    reasoning: str = ""


@frozen(kw_only=True)
class Usage:
    """What a job cost, in credits; None until billing has recorded it."""

    credits: float | None = None
    parse_credits: float | None = None


@frozen(kw_only=True)
class Job(WireModel):
    """A classify job as the server last described it (``/api/v2/classify``).

    Attributes:
        id: The job's id, opaque.
        status: A `JobStatus`, or the plain string of a status this version does not know.
        result: The answer, once the job is completed.
        error_message: Why the job failed, where the server says so.
        file_input: The id of the classified file or parse job.
        document_input_type: ``"file_id"``, ``"parse_job_id"`` or ``"url"``.
        configuration: The configuration used, also where a saved one was named.
        configuration_id: The saved configuration that was named, if one was.
        transaction_id: The idempotency key the job was created with.
        parse_job_id: The parse job that read the document.
        usage: What it cost; only where it was asked for.
    """

    id: str
    status: JobStatus | str
    result: Result | None = None
    error_message: str | None = None
    file_input: str | None = None
    document_input_type: str | None = None
    configuration: Configuration | None = None
    configuration_id: str | None = None
    transaction_id: str | None = None
    parse_job_id: str | None = None
    project_id: str | None = None
    user_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    usage: Usage | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether the job has ended: completed, failed or cancelled. An unknown status has not."""
        return self.status in TERMINAL_STATUSES


@frozen(kw_only=True)
class DeletedJob(WireModel):
    """What is left of a deleted job."""

    id: str
    project_id: str | None = None


@frozen(kw_only=True)
class WebhookConfiguration:
    """Where and how the server reports a job's changes.

    Attributes:
        webhook_url: Where the events are posted.
        webhook_events: Their names, such as ``"classify.success"``; None for all.
        webhook_headers: Headers to send along.
        webhook_output_format: ``"json"``, or ``"string"`` (the server's default): JSON inside a JSON string.
        webhook_signing_secret: What the ``LC-Signature`` header is made with.
    """

    webhook_url: str
    webhook_events: tuple[str, ...] | None = None
    webhook_headers: dict[str, str] | None = field(default=None, repr=False)
    webhook_output_format: str | None = None
    webhook_signing_secret: str | None = field(default=None, repr=False)


@frozen(kw_only=True)
class PresignedUrl(WireModel):
    """Where a stored document can be fetched from, without a key, until it expires."""

    url: str = field(repr=False)
    expires_at: datetime | None = None
    form_fields: dict[str, str] | None = field(default=None, repr=False)


@frozen(kw_only=True)
class File(WireModel):
    """A stored document (``/api/v1/beta/files``); `id` is what a job takes as its `file_input`."""

    id: str
    name: str
    project_id: str | None = None
    external_file_id: str | None = None
    file_type: str | None = None
    purpose: str | None = None
    last_modified_at: datetime | None = None
    expires_at: datetime | None = None
    download_url: PresignedUrl | None = None


@frozen(kw_only=True)
class SavedConfiguration(WireModel):
    """A configuration saved on the server (``/api/v1/beta/configurations``).

    Attributes:
        id: What a job takes as its `configuration_id`.
        name: Unique with the product type in a project.
        product_type: ``"classify_v2"`` for ours.
        version: When it was last written.
        parameters: A `Configuration`; for other products their parameters as they came.
    """

    id: str
    name: str
    product_type: str
    version: str | None = None
    parameters: Configuration | dict[str, Any]
    created_at: datetime | None = None
    updated_at: datetime | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give the wire's JSON; the parameters tell their product."""
        data = super().to_dict()
        data["parameters"] = {"product_type": self.product_type} | data["parameters"]
        return data
