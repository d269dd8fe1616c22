"""What the command line says of one document."""

from __future__ import annotations

from attrs import frozen

from ..outcomes import Outcome


@frozen
class Record:
    """One document's line.

    Attributes:
        document: As it was given on the command line.
        status: The job's status; None where there was no job.
        type: The type found; None where no rule fits, or where there is an error.
        confidence: 0.0 to 1.0.
        reasoning: Why.
        job_id: The job, where there was one.
        error: Why there is no result; None where there is one.
    """

    document: str
    status: str | None
    type: str | None
    confidence: float | None
    reasoning: str | None
    job_id: str | None
    error: str | None

    @classmethod
    def of(cls, outcome: Outcome) -> Record:
        """Make the record of an outcome."""
        job, result = outcome.job, outcome.result
        return cls(
            document=str(outcome.document),
            status=str(job.status) if job else None,
            type=result.type if result else None,
            confidence=result.confidence if result else None,
            reasoning=result.reasoning if result else None,
            job_id=job.id if job else getattr(outcome.error, "job_id", None),
            error=str(outcome.error) if outcome.error else None,
        )
