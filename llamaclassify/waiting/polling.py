"""The wait for one job: look, sleep, look again, until it has ended or the deadline has come.

Who makes the requests and sleeps through the pauses, for how many waits at once, is not decided here: a
`Wait` is told of each look and says when the next one is due. The pauses are tenacity's backoff. There is
one monotonic deadline. No sleep crosses it: the last look is timed to be answered at it.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress
from functools import cache
from typing import Generic, Literal

import anyio
from attrs import define, field, frozen
from tenacity import wait_exponential

from ..errors import (
    ConfigurationError,
    JobCancelledError,
    JobFailedError,
    JobTimeoutError,
    LlamaClassifyError,
    SessionClosedError,
)
from ..events import JobFinished, JobSeen, Listener
from ..models import Job
from ..models_v1 import ClassifierJob, FileClassification
from ..policies import PollPolicy
from .clock import Clock
from .looking import Follow, J, Sighting
from .schedule import Schedule

OnCancel = Literal["detach", "cancel"]
"""What becomes of the remote job when its wait is cancelled or times out."""

Abandon = Callable[[Callable[[], Awaitable[str]]], Awaitable[None]]
"""Ends a job on the server, out of reach of our own cancellation; is given what finds out the job's id."""

GRACE = 0.03
"""Seconds past the deadline within which a last answer still counts."""
_LONGEST_LEAD = 0.25
"""Seconds before the deadline at which the last look starts at the earliest."""
_CANCEL_WITHIN = 2.0
"""Seconds that cancelling the remote job may hold up a cancelled wait."""


@define
class Deadline:
    """One moment that a whole operation must end by."""

    clock: Clock
    at: float

    @classmethod
    def after(cls, clock: Clock, seconds: float) -> Deadline:
        """Set the deadline `seconds` from now."""
        return cls(clock, clock.now() + seconds)

    def remaining(self) -> float:
        """Give the seconds left; negative when it has passed."""
        return self.at - self.clock.now()

    def limit(self) -> asyncio.Timeout:
        """Give what ends a block just after the deadline, with `TimeoutError`.

        asyncio's own: an anyio scope for each create of a large batch is felt.
        """
        remaining = self.remaining()
        return asyncio.timeout(None if remaining == math.inf else max(0.0, remaining) + GRACE)


@cache
def _backoff(policy: PollPolicy) -> wait_exponential:
    return wait_exponential(policy.initial, policy.maximum, policy.multiplier)


@define
class Wait(Generic[J]):
    """One wait under way: what was seen last, and when to look next."""

    job_id: str
    policy: PollPolicy
    schedule: Schedule
    deadline: Deadline
    seen: Sighting[J] | None
    at: float = 0.0
    backoff: wait_exponential = field(init=False)
    attempt_number: int = 1
    answered_in: float = 0.0
    is_last: bool = False
    is_over: bool = False
    started: float | None = None
    running_at: float = 0.0
    seen_at: float = 0.0
    on_event: Listener | None = None

    def __attrs_post_init__(self) -> None:
        self.backoff = _backoff(self.policy)
        now = self.deadline.clock.now()
        self.running_at = self.seen_at = now
        if self.seen is None:
            self._look_at(now)
        else:
            self.started = now
            initial = self.policy.initial
            learned = self.schedule.first_pause(initial)
            if learned == initial:
                self._look_at(self.schedule.near(now + self._next_pause(), initial))
            else:  # a little too early would find the job still running
                self._look_at(self.schedule.after(now + learned, initial))

    def saw(self, seen: Sighting[J], now: float) -> float | None:
        """Take a look's sighting; gives when to look again, None where there is no more need or time to."""
        # Capped: one slow look must not end the wait early.
        self.answered_in = min(max(now - self.at, 0.0), _LONGEST_LEAD, self.policy.timeout / 10)
        was_last = self.is_last
        if self.seen is None or seen.status != self.seen.status:
            self.seen = seen
            if self.on_event is not None:
                self._tell(self.on_event, seen, now)
        self.seen_at = now
        if not seen.is_terminal:
            self.running_at = now
        if seen.is_terminal or was_last or now >= self.deadline.at - self.answered_in:
            self.is_over = True
            return None
        pause = self._next_pause()
        self._look_at(self.schedule.near(now + pause, pause))
        return self.at

    def _tell(self, tell: Listener, seen: Sighting[J], now: float) -> None:
        tell(JobSeen(job_id=self.job_id, status=seen.status))
        if seen.is_terminal:
            seconds = None if self.started is None else now - self.started
            lag = now - self.running_at
            tell(JobFinished(job_id=self.job_id, status=seen.status, seconds=seconds, lag=lag))

    def saw_change(self, seen: Sighting[J], now: float) -> float | None:
        """Take a look's sighting as `saw` does, and stop where the status has changed."""
        before = self.seen
        at = self.saw(seen, now)
        return at if before is not None and before.status == seen.status else None

    def ended(self) -> J:
        """Give the job as it ended.

        Raises:
            JobTimeoutError: It has not.
        """
        if self.seen is None or not self.seen.is_terminal:
            raise self.timed_out()
        job = self.seen.job()
        if (seconds := self.duration(job)) is not None:
            self.schedule.learn(seconds)
        return job

    def duration(self, job: J) -> float | None:
        """Give the seconds that a job took: as the server says, or as its looks tell; None where neither."""
        if job.created_at is not None and job.updated_at is not None:
            return max(0.0, (job.updated_at - job.created_at).total_seconds())
        if self.started is None:
            return None
        return (self.running_at + self.seen_at) / 2 - self.started

    def _next_pause(self) -> float:
        """Give tenacity's pause, stretched or shrunk by chance."""
        # tenacity's backoff goes by the number of attempts alone: its loop would cost more than the requests.
        pause = self.backoff(self)  # type: ignore[arg-type]
        self.attempt_number += 1
        return pause * (1 + self.policy.jitter * (2 * random.random() - 1))  # noqa: S311

    def _look_at(self, moment: float) -> None:
        """Set the next look; the last one is to be answered at the deadline."""
        latest = self.deadline.at - self.answered_in
        self.is_last = moment >= latest
        self.at = self.schedule.before(latest) if self.is_last else moment

    def timed_out(self) -> JobTimeoutError:
        """Make the error of a wait that has taken too long."""
        status = f"last seen {self.seen.status}" if self.seen else "never seen"
        message = f"job {self.job_id} did not end in time ({status}); it can be waited for again"
        return JobTimeoutError(message, job=self.seen.job() if self.seen else None, job_id=self.job_id)


@frozen
class Waits(Generic[J]):
    """The waits of one session.

    Attributes:
        follow: Looks at a job again and again.
        schedule: The moments of the looks.
        clock: The time to go by.
        on_event: Hears of what is seen.
    """

    follow: Follow[J]
    schedule: Schedule
    clock: Clock
    on_event: Listener | None = None

    async def watch(self, job_id: str, policy: PollPolicy) -> AsyncGenerator[J]:
        """Give the job each time its status has changed, and end with a status that is terminal.

        Raises:
            JobTimeoutError: The policy's time-out came first.
        """
        wait = self.wait(job_id, policy)
        status = None
        while not wait.is_over:
            with suppress(TimeoutError):
                async with wait.deadline.limit():
                    await self.follow(job_id, wait.at, wait.saw_change)
            if wait.seen is None or wait.seen.status == status:
                break
            status = wait.seen.status
            yield wait.seen.job()
        if wait.seen is None or not wait.seen.is_terminal:
            raise wait.timed_out()

    async def until_terminal(
        self,
        job_id: str,
        policy: PollPolicy,
        *,
        seen: Sighting[J] | None = None,
        deadline: Deadline | None = None,
    ) -> J:
        """Wait until a job has ended, however it ended, and give it.

        Args:
            job_id: The job.
            policy: When to look, and for how long.
            seen: The job as the create's answer described it: no look is spent on that.
            deadline: When to give up, where that was set before; else the policy's time-out from now.

        Raises:
            JobTimeoutError: The deadline came first.
        """
        if seen is not None and seen.is_terminal:
            return seen.job()
        wait = self.wait(job_id, policy, seen, deadline)
        try:
            with suppress(TimeoutError):
                async with wait.deadline.limit():
                    await self.follow(job_id, wait.at, wait.saw)
        except anyio.get_cancelled_exc_class() as error:
            error.add_note(f"classify job: {job_id}")
            raise
        except LlamaClassifyError as error:
            error.job_id = job_id
            raise
        return wait.ended()

    async def until_completed(
        self,
        job_id: str,
        policy: PollPolicy,
        *,
        seen: Sighting[J] | None = None,
        deadline: Deadline | None = None,
        abandon: Abandon | None = None,
    ) -> J:
        """Wait until a job has ended, and give it if it completed.

        Args:
            job_id: The job.
            policy: When to look, and for how long.
            seen: The job as the create's answer described it.
            deadline: When to give up, where that was set before.
            abandon: Ends the job on the server when this wait is cut off; None leaves it running.

        Raises:
            JobFailedError, JobCancelledError, JobTimeoutError: It did not complete; each carries the job.
        """
        try:
            ended = await self.until_terminal(job_id, policy, seen=seen, deadline=deadline)
        except (JobTimeoutError, SessionClosedError, anyio.get_cancelled_exc_class()):
            if abandon is not None:

                async def known() -> str:
                    return job_id

                await abandon(known)
            raise
        completed(ended)
        return ended

    def wait(
        self,
        job_id: str,
        policy: PollPolicy,
        seen: Sighting[J] | None = None,
        deadline: Deadline | None = None,
    ) -> Wait[J]:
        """Make a wait, to be followed."""
        deadline = deadline or Deadline.after(self.clock, policy.timeout)
        return Wait(job_id, policy, self.schedule, deadline, seen, on_event=self.on_event)


def completed(job: Job | ClassifierJob, results: Sequence[FileClassification] = ()) -> None:
    """Check that a job that has ended completed; `results` are what a v1 job found.

    Raises:
        JobFailedError, JobCancelledError: It ended otherwise.
    """
    if job.status in {"FAILED", "ERROR"}:
        why = job.error_message or "the server gives no reason"
        raise JobFailedError(f"job {job.id} failed: {why}", job=job, job_id=job.id, results=results)
    if job.status == "CANCELLED":
        raise JobCancelledError(f"job {job.id} was cancelled", job=job, job_id=job.id, results=results)


def policy_in(poll: PollPolicy | None, default: PollPolicy) -> PollPolicy:
    """Check how a job is to be waited for; None is the default."""
    if poll is not None and not isinstance(poll, PollPolicy):
        raise ConfigurationError(f"poll: expected a PollPolicy, got {type(poll).__name__}")
    return poll or default


def on_cancel_in(value: str) -> OnCancel:
    """Check what is to become of the remote job."""
    if value == "detach":
        return "detach"
    if value == "cancel":
        return "cancel"
    message = f'on_cancel: must be "detach" or "cancel", got {value!r}'
    raise ConfigurationError(message)


async def shielded(clean_up: Callable[[], Awaitable[object]]) -> None:
    """Clean up on the server, out of reach of our own cancellation but not for long."""
    with anyio.move_on_after(_CANCEL_WITHIN, shield=True):
        try:
            await clean_up()
        except LlamaClassifyError:
            return  # the job ended meanwhile, or cannot be reached: the error under way says more
