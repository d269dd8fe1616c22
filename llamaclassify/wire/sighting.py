"""A job as an answer describes it, read only as far as it is needed."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from ..models import TERMINAL_STATUSES, Job
from .converter import decode, share_configuration


@frozen
class Sighting:
    """A job as it was seen: a wait needs its status alone until the job has ended.

    Attributes:
        id: The job's id.
        status: The status as the wire has it.
    """

    id: str
    status: str
    _data: Any
    _request: str

    @classmethod
    def of(cls, data: Any, *, request: str) -> Sighting:
        """Read who it is and how it stands; `request` names what was asked, for the error's text.

        Raises:
            ResponseDecodeError: That cannot be told.
        """
        seen = cls.read(data, request=request)
        if seen is None:
            job = decode(Job, data, request=request)
            return cls(job.id, job.status, data, request)
        return seen

    @classmethod
    def read(cls, data: Any, *, request: str) -> Sighting | None:
        """Read the same; None where it cannot be told."""
        if isinstance(data, dict):
            job_id, status = data.get("id"), data.get("status")
            if isinstance(job_id, str) and isinstance(status, str):
                share_configuration(data)
                return cls(job_id, status, data, request)
        return None

    @property
    def is_terminal(self) -> bool:
        """Whether the job has ended; with a status that nobody has heard of it has not."""
        return self.status in TERMINAL_STATUSES

    def job(self) -> Job:
        """Make the model.

        Raises:
            ResponseDecodeError: The answer is not what the API promises.
        """
        return decode(Job, self._data, request=self._request)
