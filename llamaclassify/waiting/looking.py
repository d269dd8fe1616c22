"""What a wait needs of whoever looks at its job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from ..models import Job
from ..models_v1 import ClassifierJob

J = TypeVar("J", Job, ClassifierJob)
J_co = TypeVar("J_co", Job, ClassifierJob, covariant=True)


class Sighting(Protocol[J_co]):
    """A job as it was seen; the model is made only where it is asked for."""

    @property
    def status(self) -> str:
        """How the job stands."""
        ...

    @property
    def is_terminal(self) -> bool:
        """Whether the job has ended."""
        ...

    def job(self) -> J_co:
        """Make the model."""
        ...


class Follow(Protocol[J_co]):
    """Looks at a job again and again.

    The first look is made at a moment of the session's clock, or at once where that has passed. `saw` is told
    of each, and when it was answered; it gives the moment of the next one, and None ends it.
    """

    async def __call__(
        self, job_id: str, at: float, saw: Callable[[Sighting[J_co], float], float | None]
    ) -> None:
        """Look until `saw` has seen enough."""
        ...
