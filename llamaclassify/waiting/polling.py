"""The wait for one job: look, sleep, look again, until it has ended or the deadline has come.

`look` is how a job is looked at; who makes the request, and for how many waits at once, is not decided
here. There is one monotonic deadline. No sleep crosses it: the last look is timed to be answered at it.
"""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Generic, Literal, TypeVar

import anyio
from attrs import define, field
from tenacity import AsyncRetrying, RetryCallState, RetryError, retry_if_result, wait_exponential

from ..errors import (
    ConfigurationError,
    JobCancelledError,
    JobFailedError,
    JobTimeoutError,
    LlamaClassifyError,
)
from ..models import Job
from ..models_v1 import ClassifierJob, FileClassification
from ..policies import PollPolicy
from .clock import Clock

J = TypeVar("J", Job, ClassifierJob)

OnCancel = Literal["detach", "cancel"]
"""What becomes of the remote job when its wait is cancelled or times out."""

_GRACE = 0.03
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

    def scope(self) -> anyio.CancelScope:
        """Give a scope that ends what runs in it just after the deadline."""
        return anyio.move_on_after(max(0.0, self.remaining()) + _GRACE)


@define
class _Wait(Generic[J]):
    """One wait under way."""

    job_id: str
    look: Callable[[str], Awaitable[J]]
    policy: PollPolicy
    deadline: Deadline
    job: J | None
    answered_in: float = 0.0
    looks: int = field(default=0)

    async def next_look(self) -> J:
        """Look once; a job that came with the create's answer has just been looked at."""
        self.looks += 1
        if self.looks == 1 and self.job is not None:
            return self.job
        started = self.deadline.clock.now()
        seen: J | None = None
        with self.deadline.scope():
            seen = await self.look(self.job_id)
        if seen is None:
            raise self.timed_out()
        took = self.deadline.clock.now() - started
        # Capped: one slow look must not end the wait early.
        self.answered_in = min(took, _LONGEST_LEAD, self.policy.timeout / 10)
        self.job = seen
        return seen

    def pause(self, state: RetryCallState) -> float:
        """Give the policy's pause, cut so that the last look is answered at the deadline."""
        policy = self.policy
        backoff = wait_exponential(policy.initial, policy.maximum, policy.multiplier)(state)
        jittered = backoff * (1 + policy.jitter * random.uniform(-1, 1))  # noqa: S311
        return max(0.0, min(jittered, self.deadline.remaining() - self.answered_in))

    def is_last(self, _: RetryCallState) -> bool:
        """Tell whether another look could not be answered in time."""
        return self.deadline.remaining() <= self.answered_in

    def timed_out(self) -> JobTimeoutError:
        seen = f"last seen {self.job.status}" if self.job else "never seen"
        message = f"job {self.job_id} did not end in time ({seen}); it can be waited for again"
        return JobTimeoutError(message, job=self.job, job_id=self.job_id)


async def watch(
    look: Callable[[str], Awaitable[J]],
    job_id: str,
    *,
    policy: PollPolicy,
    clock: Clock,
    job: J | None = None,
    deadline: Deadline | None = None,
) -> AsyncGenerator[J]:
    """Give the job each time its status has changed, and end with a status that is terminal.

    Args:
        look: Gives a job as it stands.
        job_id: The job.
        policy: When to look, and for how long.
        clock: The time to go by.
        job: The job as the create's answer described it: no look is spent on that.
        deadline: When to give up, where that was set before; else the policy's time-out from now.

    Raises:
        JobTimeoutError: The deadline came first.
    """
    wait = _Wait(job_id, look, policy, deadline or Deadline.after(clock, policy.timeout), job)
    retrying = AsyncRetrying(
        sleep=clock.sleep,
        wait=wait.pause,
        stop=wait.is_last,
        retry=retry_if_result(lambda seen: not seen.is_terminal),
    )
    status = None
    try:
        async for attempt in retrying:
            # Not in the attempt's own context: an error while looking ends the wait.
            seen = await wait.next_look()
            attempt.retry_state.set_result(seen)
            if seen.status != status:
                status = seen.status
                yield seen
    except RetryError:
        raise wait.timed_out() from None


async def wait_until_terminal(
    look: Callable[[str], Awaitable[J]],
    job_id: str,
    *,
    policy: PollPolicy,
    clock: Clock,
    job: J | None = None,
    deadline: Deadline | None = None,
) -> J:
    """Wait until a job has ended, however it ended, and give it; the arguments are those of `watch`.

    Raises:
        JobTimeoutError: The deadline came first.
    """
    ended = job
    statuses = watch(look, job_id, policy=policy, clock=clock, job=job, deadline=deadline)
    try:
        async with aclosing(statuses):
            async for seen in statuses:
                ended = seen
    except (JobTimeoutError, anyio.get_cancelled_exc_class()) as error:
        error.add_note(f"classify job: {job_id}")
        raise
    except LlamaClassifyError as error:
        error.job_id = job_id
        raise
    assert ended is not None  # noqa: S101  (watch gives at least one status, or raises)
    return ended


async def wait_for(
    look: Callable[[str], Awaitable[Job]],
    cancel: Callable[[str], Awaitable[object]],
    job_id: str,
    *,
    policy: PollPolicy,
    clock: Clock,
    job: Job | None = None,
    deadline: Deadline | None = None,
    on_cancel: OnCancel = "detach",
) -> Job:
    """Wait until a job has ended, and give it if it completed.

    Args:
        look: Gives a job as it stands.
        cancel: Ends a job on the server.
        job_id: The job.
        policy: When to look, and for how long.
        clock: The time to go by.
        job: The job as the create's answer described it.
        deadline: When to give up, where that was set before.
        on_cancel: What becomes of the remote job when this wait is cancelled or times out.

    Raises:
        JobFailedError, JobCancelledError, JobTimeoutError: It did not complete; each carries the job.
    """
    try:
        ended = await wait_until_terminal(
            look, job_id, policy=policy, clock=clock, job=job, deadline=deadline
        )
    except (JobTimeoutError, anyio.get_cancelled_exc_class()):
        if on_cancel == "cancel":
            await shielded(lambda: cancel(job_id))
        raise
    completed(ended)
    return ended


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
