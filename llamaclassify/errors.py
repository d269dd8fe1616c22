"""Everything that this library raises, under one root; each error pickles.

.. code-block:: text

    LlamaClassifyError
    ├── ConfigurationError (also a ValueError)   the request cannot be right; nothing was sent
    │   └── SessionClosedError                   the session was closed, before or meanwhile
    ├── JournalError                             a batch's journal cannot be written or read
    ├── APIConnectionError                       no answer
    │   └── APITimeoutError                      no answer in time
    ├── APIStatusError                           an answer of 400 or more
    │   ├── BadRequestError 400 · AuthenticationError 401 · PaymentRequiredError 402
    │   ├── PermissionDeniedError 403 · NotFoundError 404 · ConflictError 409
    │   ├── PayloadTooLargeError 413 · UnprocessableEntityError 422 · RateLimitError 429
    │   └── InternalServerError 500 and above
    ├── ResponseDecodeError                      an answer that is not what the API promises
    ├── PaginationError                          a listing that would never end
    └── JobError                                 a job that did not complete; carries the job
        ├── JobFailedError
        ├── JobCancelledError
        └── JobTimeoutError (also a TimeoutError)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .models import Job
    from .models_v1 import ClassifierJob, FileClassification
    from .outcomes import Outcome


class LlamaClassifyError(Exception):
    """The root of every error raised by this library.

    Attributes:
        attempts: The errors of the earlier attempts at the same request, oldest first.
        job_id: The job that was being worked on, where there already was one: it can be waited for again.
        transaction_id: The idempotency key of a create that failed: creating again with it gives the job that
            may have been made all the same.
        outcomes: What an awaited batch had finished before this ended it, in the documents' order.
    """

    attempts: tuple[LlamaClassifyError, ...] = ()
    job_id: str | None = None
    transaction_id: str | None = None
    outcomes: Sequence[Outcome] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(
    kind: type[LlamaClassifyError], args: tuple[Any, ...], state: dict[str, Any]
) -> LlamaClassifyError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigurationError(LlamaClassifyError, ValueError):
    """A setting, an argument or a document that cannot be right; nothing was sent."""


class SessionClosedError(ConfigurationError):
    """The session was closed, before this was asked or while it was under way."""


class JournalError(LlamaClassifyError):
    """The journal of a batch cannot be written or read any more: the batch has ended, to lose nothing."""


class APIConnectionError(LlamaClassifyError):
    """No complete answer came: refused, dropped, or not resolved.

    Attributes:
        sent: Whether the server may have had the request, and acted on it.
    """

    sent: bool = True


class APITimeoutError(APIConnectionError):
    """No complete answer came in time."""


class APIStatusError(LlamaClassifyError):
    """The server answered with a status of 400 or more.

    Attributes:
        status: The HTTP status.
        body: The answer's body: decoded JSON where it was JSON, else its text.
        detail: What the server says is wrong, as one text; None where it says nothing.
        retry_after: Seconds after which the server asks to be tried again, where it says so.
    """

    status: int
    body: Any
    detail: str | None
    retry_after: float | None

    _by_status: ClassVar[dict[int, type[APIStatusError]]] = {}

    def __init_subclass__(cls, *, status: int, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        APIStatusError._by_status[status] = cls

    def __init__(self, request: str, status: int, body: Any, retry_after: float | None = None) -> None:
        self.status = status
        self.body = body
        self.detail = _detail(body)
        self.retry_after = retry_after
        super().__init__(f"{request}: {status}" + (f" {self.detail}" if self.detail else ""))

    @classmethod
    def of(cls, request: str, status: int, body: Any, retry_after: float | None = None) -> APIStatusError:
        """Make the error of the class that belongs to `status`; `request` names what was asked."""
        kind = cls._by_status.get(min(status, 500), APIStatusError)
        return kind(request, status, body, retry_after)


def _detail(body: Any) -> str | None:
    """Read the service's two forms, a text or a list of validation issues, and a gateway's plain text."""
    if isinstance(body, str):
        return body.strip()[:200] or None
    detail = body.get("detail") if isinstance(body, dict) else None
    if isinstance(detail, list):
        return "; ".join(_issue(issue) for issue in detail)
    return None if detail is None else str(detail)


def _issue(issue: Any) -> str:
    if not isinstance(issue, dict):
        return str(issue)
    loc = issue.get("loc")
    where = ".".join(map(str, loc)) if isinstance(loc, list) else ""
    return f"{where}: {issue.get('msg', issue)}" if where else str(issue.get("msg", issue))


class BadRequestError(APIStatusError, status=400):
    """400: the request makes no sense to the server."""


class AuthenticationError(APIStatusError, status=401):
    """401: the key is missing, wrong, or of another region."""


class PaymentRequiredError(APIStatusError, status=402):
    """402: the credits or the quota of the plan are used up."""


class PermissionDeniedError(APIStatusError, status=403):
    """403: the key may not do this."""


class NotFoundError(APIStatusError, status=404):
    """404: no such job, file or configuration in this project."""


class ConflictError(APIStatusError, status=409):
    """409: a concurrent change, or a state that does not allow it."""


class PayloadTooLargeError(APIStatusError, status=413):
    """413: the document is larger than the server takes."""


class UnprocessableEntityError(APIStatusError, status=422):
    """422: the server's validation refused the request."""


class RateLimitError(APIStatusError, status=429):
    """429: too many requests, or a count of the plan."""


class InternalServerError(APIStatusError, status=500):
    """500 and above: the server's fault."""


class ResponseDecodeError(LlamaClassifyError):
    """The server answered 2xx with something the API does not promise.

    Attributes:
        path: Where in the answer, as a JSON path such as ``$.result.confidence``.
    """

    path: str

    def __init__(self, request: str, path: str, problem: str) -> None:
        self.path = path
        super().__init__(f"{request}: unexpected answer at {path}: {problem}")


class PaginationError(LlamaClassifyError):
    """The server gave the same page token twice: the listing would never end."""


class JobError(LlamaClassifyError):
    """A job did not complete.

    Attributes:
        job: The job as last seen; None only where a time-out came before the first answer.
        results: What a job of the deprecated v1 API found for its files all the same.
    """

    job: Job | ClassifierJob | None
    results: Sequence[FileClassification]

    def __init__(
        self,
        message: str,
        *,
        job: Job | ClassifierJob | None,
        job_id: str | None,
        results: Sequence[FileClassification] = (),
    ) -> None:
        self.job = job
        self.job_id = job_id
        self.results = results
        super().__init__(message)


class JobFailedError(JobError):
    """The job ended as FAILED; the text is the server's."""


class JobCancelledError(JobError):
    """The job ended as CANCELLED."""


class JobTimeoutError(JobError, TimeoutError):
    """The wait's deadline passed first; the job itself goes on unless it was cancelled too."""
