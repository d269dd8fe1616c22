"""One document, from where it is to its completed job: stored, created, waited for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

import anyio
from attrs import frozen

from ..errors import JobTimeoutError, SessionClosedError
from ..models import Job
from ..outcomes import Document
from ..policies import PollPolicy
from .looking import Sighting
from .polling import Abandon, Deadline, Waits
from .status_reader import StatusReader
from .under_way import UnderWay


class JobSighting(Sighting[Job], Protocol):
    """A job as it was seen, and its id."""

    @property
    def id(self) -> str:
        """The job's id."""
        ...


@frozen
class Classifying:
    """What the documents of one call have in common, and how each is classified.

    Attributes:
        store: Gives the id of a document on the server, uploading it if it is not there yet.
        create: Starts a job on a stored document, with a transaction id.
        abandon: Ends the job on the server when its wait is cut off; None leaves it running.
        waits: The session's waits.
        reader: Looks at the session's jobs.
        policy: How each job is waited for.
    """

    store: Callable[[Document], Awaitable[str]]
    create: Callable[[str, str], Awaitable[JobSighting]]
    abandon: Abandon | None
    waits: Waits[Job]
    reader: StatusReader
    policy: PollPolicy

    async def begin(self, document: Document, transaction_id: str) -> UnderWay:
        """Take one document to where its job is running."""
        file_input = await self.store(document)
        deadline = self.deadline()
        seen = await self.start(file_input, transaction_id, deadline)
        return self.under_way(seen.id, deadline, seen)

    def under_way(self, job_id: str, deadline: Deadline, seen: JobSighting | None = None) -> UnderWay:
        """Make the wait for a job of a batch; `seen` is what the create's answer said of it."""
        wait = self.waits.wait(job_id, self.policy, seen, deadline)
        return UnderWay(wait, self.reader, self.abandon)

    async def run(self, document: Document, transaction_id: str) -> Job:
        """Classify one document."""
        file_input = await self.store(document)
        deadline = self.deadline()
        seen = await self.start(file_input, transaction_id, deadline)
        return await self.waits.until_completed(
            seen.id, self.policy, seen=seen, deadline=deadline, abandon=self.abandon
        )

    def deadline(self) -> Deadline:
        """Set the deadline of a document that is on the server: it spans the create and the wait."""
        return Deadline.after(self.waits.clock, self.policy.timeout)

    async def start(self, file_input: str, transaction_id: str, deadline: Deadline) -> JobSighting:
        """Create the job.

        Raises:
            JobTimeoutError: The deadline came before the answer.
        """
        try:
            try:
                async with deadline.limit():
                    return await self.create(file_input, transaction_id)
            except TimeoutError:
                raise self._unanswered(transaction_id) from None
        except (JobTimeoutError, SessionClosedError, anyio.get_cancelled_exc_class()) as error:
            error.add_note(f"classify transaction: {transaction_id}")
            if self.abandon is not None:

                async def find() -> str:
                    # The same key gives the job that may have been made.
                    return (await self.create(file_input, transaction_id)).id

                await self.abandon(find)
            raise

    def _unanswered(self, transaction_id: str) -> JobTimeoutError:
        message = (
            f"the create was not answered within {self.policy.timeout:g} s; creating again with "
            f"transaction_id={transaction_id!r} gives the job that it may have made"
        )
        late = JobTimeoutError(message, job=None, job_id=None)
        late.transaction_id = transaction_id
        return late
