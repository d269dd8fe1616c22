"""Async-first SDK for LlamaCloud's document classification API.

async with ClassifySession() as session:
    job = await session.create_and_wait(Path("a.pdf"), rules=RULES)
    print(job.result.type, job.result.confidence)
"""

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
from .version import __version__
from .waiting.batch import Batch
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
