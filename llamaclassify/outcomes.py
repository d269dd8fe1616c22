"""What is classified, and what became of each document of a batch."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Iterable

from attrs import frozen

from .models import Job, Result

Document = str | os.PathLike[str] | tuple[str, bytes]
"""What can be classified: the id of a file or parse job, a path, or a name and the bytes."""
Documents = Iterable[Document] | AsyncIterable[Document]
"""Many of them, finite or not, read lazily."""


@frozen
class Outcome:
    """What became of one document of a batch.

    Attributes:
        index: Its place in the source, from 0.
        document: The document as it was given.
        job: Its job as last seen; None where there was none yet.
        error: Why it has no result; None when it has one.
    """

    index: int
    document: Document
    job: Job | None
    error: Exception | None

    @property
    def ok(self) -> bool:
        """Whether the document was classified (a result whose type is None included)."""
        return self.error is None

    @property
    def result(self) -> Result | None:
        """The answer; None where there is an error."""
        return self.job.result if self.job is not None and self.ok else None


@frozen(kw_only=True)
class Progress:
    """How far a batch is.

    Attributes:
        done: Documents that have an outcome, failed ones included.
        failed: Those of them that have no result.
        in_flight: Documents under way.
        seconds: Since the batch was started.
        total: Documents in all, where the source has a length.
    """

    done: int
    failed: int
    in_flight: int
    seconds: float
    total: int | None

    @property
    def rate(self) -> float:
        """Documents done a second."""
        return self.done / self.seconds if self.seconds > 0 else 0.0
