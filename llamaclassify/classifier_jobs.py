"""The deprecated v1 jobs with waiting on top, as ``session.classifier_jobs``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from attrs import frozen

from .errors import LlamaClassifyError
from .models import Rule
from .models_v1 import ClassifierJob, ClassifierParsingConfiguration, ClassifierResults
from .policies import PollPolicy
from .waiting import polling
from .waiting.clock import Clock
from .waiting.schedule import Schedule
from .wire.classifier_jobs import ClassifierCalls
from .wire.transport import Transport


@frozen
class _Sighting:
    """A v1 job as it was seen."""

    _job: ClassifierJob

    @property
    def status(self) -> str:
        return self._job.status

    @property
    def is_terminal(self) -> bool:
        return self._job.is_terminal

    def job(self) -> ClassifierJob:
        return self._job


class ClassifierJobs(ClassifierCalls):
    """The v1 jobs; `create_and_wait` starts one and gives its results."""

    def __init__(self, transport: Transport, *, poll: PollPolicy, clock: Clock) -> None:
        super().__init__(transport)
        self._poll = poll
        self._clock = clock
        self._schedule = Schedule(clock.now())

    async def create_and_wait(
        self,
        file_ids: Iterable[str],
        *,
        rules: Iterable[Rule],
        mode: str = "FAST",
        parsing_configuration: ClassifierParsingConfiguration | None = None,
        poll: PollPolicy | None = None,
        organization_id: str | None = None,
        project_id: str | None = None,
    ) -> ClassifierResults:
        """Start a job, wait until it has ended, and give its results.

        SUCCESS and PARTIAL_SUCCESS give results; in the latter, some files have none. v1 jobs cannot be
        cancelled: one that is not waited for any longer goes on.

        Args:
            file_ids: The ids of 1 to 500 uploaded files.
            rules: At least one.
            mode: ``"FAST"`` or ``"MULTIMODAL"``.
            parsing_configuration: How the files are read.
            poll: When to look and when to give up; the session's if not given.
            organization_id: Instead of the session's.
            project_id: Instead of the session's.

        Raises:
            JobFailedError, JobCancelledError: It ended so; `results` holds what there is all the same.
            JobTimeoutError: It had not ended in time; the error carries the job.
        """
        scope: dict[str, Any] = {"organization_id": organization_id, "project_id": project_id}
        job = await self.create(
            file_ids, rules=rules, mode=mode, parsing_configuration=parsing_configuration, **scope
        )

        async def follow(job_id: str, at: float, saw: Callable[[_Sighting, float], float | None]) -> None:
            due: float | None = at
            while due is not None:
                await self._clock.sleep(max(0.0, due - self._clock.now()))
                seen = _Sighting(await self.get(job_id, **scope))
                due = saw(seen, self._clock.now())

        waits = polling.Waits(follow, self._schedule, self._clock)
        policy = polling.policy_in(poll, self._poll)
        ended = await waits.until_terminal(job.id, policy, seen=_Sighting(job))
        try:
            # Some files may have results even where the job has failed.
            results = (await self.get_results(job.id, **scope)).items
        except LlamaClassifyError as error:
            polling.completed(ended)
            error.job_id = job.id
            raise
        polling.completed(ended, results=results)
        return ClassifierResults(job=ended, items=results)
