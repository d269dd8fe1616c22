"""What the deprecated v1 API speaks of: jobs over many files, and what they found for each."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from attrs import frozen

from .models import Result, Rule, WireModel


class ClassifierStatus(StrEnum):
    """Where a job of the deprecated v1 API stands; there is no RUNNING."""

    PENDING = "PENDING"
    SUCCESS = "SUCCESS"
    PARTIAL_SUCCESS = "PARTIAL_SUCCESS"
    ERROR = "ERROR"
    CANCELLED = "CANCELLED"


_TERMINAL = frozenset(ClassifierStatus) - {ClassifierStatus.PENDING}


@frozen(kw_only=True)
class ClassifierParsingConfiguration:
    """How the deprecated v1 API reads documents.

    Attributes:
        lang: One of the 86 codes of `LANGUAGES`.
        max_pages: Read at most this many pages; the service's default is 5.
        target_pages: 0-based pages to read.
    """

    lang: str = "en"
    max_pages: int | None = None
    target_pages: tuple[int, ...] | None = None


@frozen(kw_only=True)
class ClassifierJob(WireModel):
    """A job of the deprecated v1 API (``/api/v1/classifier/jobs``): many files, one set of rules."""

    id: str
    status: ClassifierStatus | str
    rules: tuple[Rule, ...] = ()
    mode: str = "FAST"
    parsing_configuration: ClassifierParsingConfiguration | None = None
    error_message: str | None = None
    job_record_id: str | None = None
    project_id: str | None = None
    user_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    effective_at: datetime | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether the job has ended. An unknown status has not."""
        return self.status in _TERMINAL


@frozen(kw_only=True)
class FileClassification(WireModel):
    """What a v1 job found for one of its files; no result where that file could not be classified."""

    id: str
    classify_job_id: str | None = None
    file_id: str | None = None
    result: Result | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@frozen(kw_only=True)
class ClassifierResults:
    """A v1 job that has ended, with what it found for its files."""

    job: ClassifierJob
    items: tuple[FileClassification, ...]


LANGUAGES = frozenset(
    "abq ady af ang ar as ava az be bg bgc bh bho bn bs ch_sim ch_tra che cs cy da dar de en es et fa"
    " fr ga gom hi hr hu id inh is it ja kbd kn ko ku la lbe lez lt lv mah mai mi mn mni mr ms mt ne new"
    " nl no oc pi pl pt ro rs_cyrillic rs_latin ru sa sck sk sl sq sv sw ta tab te th tjk tl tr ug uk ur"
    " uz vi".split()
)
"""The languages of the v1 API; v2 takes any ISO 639-1 code."""
