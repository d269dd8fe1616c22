"""Async-first SDK for LlamaCloud's document classification API.

async with ClassifySession() as session:
    job = await session.create_and_wait(Path("a.pdf"), rules=RULES)
    print(job.result.type, job.result.confidence)

Importing the package is cheap: a name is loaded when it is first used (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from . import webhooks
    from .errors import (
        APIConnectionError,
        APIStatusError,
        APITimeoutError,
        AuthenticationError,
        BadRequestError,
        ConfigurationError,
        ConflictError,
        InternalServerError,
        JobCancelledError,
        JobError,
        JobFailedError,
        JobTimeoutError,
        JournalError,
        LlamaClassifyError,
        NotFoundError,
        PaginationError,
        PayloadTooLargeError,
        PaymentRequiredError,
        PermissionDeniedError,
        RateLimitError,
        ResponseDecodeError,
        SessionClosedError,
        UnprocessableEntityError,
    )
    from .host_budget import HostBudget
    from .models import (
        Configuration,
        DeletedJob,
        File,
        Job,
        JobStatus,
        ParsingConfiguration,
        PresignedUrl,
        Result,
        Rule,
        SavedConfiguration,
        Usage,
        WebhookConfiguration,
    )
    from .models_v1 import (
        ClassifierJob,
        ClassifierParsingConfiguration,
        ClassifierResults,
        ClassifierStatus,
        FileClassification,
    )
    from .outcomes import Document, Documents, Outcome, Progress
    from .policies import PollPolicy, Rate, RateLimit, RetryPolicy
    from .session import ClassifySession
    from .waiting.batch import Batch
    from .wire.limits import RateBudget
    from .wire.pagination import Page, Pager

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "Batch",
    "ClassifierJob",
    "ClassifierParsingConfiguration",
    "ClassifierResults",
    "ClassifierStatus",
    "ClassifySession",
    "Configuration",
    "ConfigurationError",
    "ConflictError",
    "DeletedJob",
    "Document",
    "Documents",
    "File",
    "FileClassification",
    "HostBudget",
    "InternalServerError",
    "Job",
    "JobCancelledError",
    "JobError",
    "JobFailedError",
    "JobStatus",
    "JobTimeoutError",
    "JournalError",
    "LlamaClassifyError",
    "NotFoundError",
    "Outcome",
    "Page",
    "Pager",
    "PaginationError",
    "ParsingConfiguration",
    "PayloadTooLargeError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "PollPolicy",
    "PresignedUrl",
    "Progress",
    "Rate",
    "RateBudget",
    "RateLimit",
    "RateLimitError",
    "ResponseDecodeError",
    "Result",
    "RetryPolicy",
    "Rule",
    "SavedConfiguration",
    "SessionClosedError",
    "UnprocessableEntityError",
    "Usage",
    "WebhookConfiguration",
    "__version__",
    "webhooks",
]

_HOMES = (
    "models",
    "errors",
    "policies",
    "outcomes",
    "models_v1",
    "wire.pagination",
    "waiting.batch",
    "wire.limits",
    "session",
    "host_budget",
)
"""Where the names are, what costs least first."""

if not TYPE_CHECKING:  # to a type checker, a name that is not there is an error

    def __getattr__(name: str) -> Any:
        if name == "webhooks":
            return import_module(".webhooks", __name__)
        for home in _HOMES if name in __all__ else ():
            found = getattr(import_module(f".{home}", __name__), name, None)
            if found is not None:
                globals()[name] = found
                return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
