"""Async-first SDK for LlamaCloud's document classification API.

async with ClassifySession() as session:
    job = await session.create_and_wait(Path("a.pdf"), rules=RULES)
    print(job.result.type, job.result.confidence)
"""

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
    LlamaClassifyError,
    NotFoundError,
    PaginationError,
    PayloadTooLargeError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
    ResponseDecodeError,
    UnprocessableEntityError,
)
from .models import (
    Configuration,
    DeletedJob,
    File,
    Job,
    JobStatus,
    ParsingConfiguration,
    Result,
    Rule,
    Usage,
    WebhookConfiguration,
)
from .policies import PollPolicy, RetryPolicy
from .session import ClassifySession
from .version import __version__
from .waiting.batch import Batch, Document, Documents, Outcome
from .wire.pagination import Page, Pager

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "Batch",
    "ClassifySession",
    "Configuration",
    "ConfigurationError",
    "ConflictError",
    "DeletedJob",
    "Document",
    "Documents",
    "File",
    "InternalServerError",
    "Job",
    "JobCancelledError",
    "JobError",
    "JobFailedError",
    "JobStatus",
    "JobTimeoutError",
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
    "RateLimitError",
    "ResponseDecodeError",
    "Result",
    "RetryPolicy",
    "Rule",
    "UnprocessableEntityError",
    "Usage",
    "WebhookConfiguration",
    "__version__",
]
