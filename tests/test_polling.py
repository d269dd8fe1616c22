"""The wait for one job, with a clock that only sleeping moves."""

import math
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from hypothesis import given, strategies as st

from llamaclassify import (
    InternalServerError,
    Job,
    JobCancelledError,
    JobFailedError,
    JobTimeoutError,
    PollPolicy,
)
from llamaclassify.waiting.clock import Clock
from llamaclassify.waiting.polling import Waits, shielded
from llamaclassify.waiting.schedule import Schedule

from .conftest import FakeTime, Seen

STEADY = PollPolicy(initial=1, maximum=4, multiplier=2, jitter=0, timeout=20)


def following(clock, look):
    """Follow a job by itself, with no reader between."""

    async def follow(job_id, at, saw):
        while at is not None:
            if at > clock.now():
                await clock.sleep(at - clock.now())
            at = saw(look(job_id), clock.now())

    return follow


class Script:
    """A job that stands as the script says at each look; the last status stays."""

    def __init__(self, *statuses, time=None, seconds=0.0):
        self.statuses = statuses
        self.looks = 0
        self.cancelled = []
        self.time, self.seconds = time, seconds
        self.schedule = Schedule(1000.0)

    def look(self, job_id):
        status = self.statuses[min(self.looks, len(self.statuses) - 1)]
        self.looks += 1
        if self.time:
            self.time.now += self.seconds
        if isinstance(status, Exception):
            raise status
        return Seen(Job(id=job_id, status=status, error_message="no text" if status == "FAILED" else None))

    async def abandon(self, find):
        async def cancel():
            self.cancelled.append(await find())

        await shielded(cancel)

    def waits(self, clock):
        return Waits(following(clock, self.look), self.schedule, clock)

    async def wait(self, time, policy=STEADY, job=None, on_cancel="detach"):
        abandon = self.abandon if on_cancel == "cancel" else None
        clock = time.clock if isinstance(time, FakeTime) else time
        seen = job and Seen(job)
        return await self.waits(clock).until_completed("clj-1", policy, seen=seen, abandon=abandon)


async def test_it_looks_before_it_sleeps(time):
    script = Script("COMPLETED")
    assert (await script.wait(time)).status == "COMPLETED"
    assert (script.looks, time.slept) == (1, [])


async def test_a_job_that_ended_in_the_create_answer_costs_no_request(time):
    script = Script("RUNNING")
    done = Job(id="clj-1", status="COMPLETED")
    assert await script.wait(time, job=done) is done
    assert script.looks == 0


async def test_a_job_from_the_create_answer_is_not_looked_at_again_at_once(time):
    script = Script("COMPLETED")
    await script.wait(time, job=Job(id="clj-1", status="PENDING"))
    assert (script.looks, time.slept) == (1, [1])


async def test_pauses_grow_up_to_the_maximum(time):
    script = Script("PENDING", "RUNNING", "RUNNING", "RUNNING", "COMPLETED")
    await script.wait(time)
    assert time.slept == [1, 2, 4, 4]


async def test_the_last_pause_ends_at_the_deadline_and_one_more_look_follows(time):
    script = Script("RUNNING")
    with pytest.raises(JobTimeoutError) as caught:
        await script.wait(time)
    assert time.slept == [1, 2, 4, 4, 4, 4, 1]
    assert script.looks == 8
    assert time.now == 1020
    assert caught.value.job.status == "RUNNING"
    assert caught.value.job_id == "clj-1"


async def test_the_last_look_is_timed_to_be_answered_at_the_deadline(time):
    script = Script("RUNNING", time=time, seconds=0.2)
    with pytest.raises(JobTimeoutError):
        await script.wait(time)
    assert 1020 - 1 / 64 <= time.now <= 1020


async def test_a_status_nobody_knows_is_bounded_by_the_deadline_and_named(time):
    with pytest.raises(JobTimeoutError, match="last seen PAUSED"):
        await Script("PAUSED").wait(time)


async def test_failed_raises_with_the_servers_message(time):
    with pytest.raises(JobFailedError, match="no text") as caught:
        await Script("RUNNING", "FAILED").wait(time)
    assert caught.value.job.status == "FAILED"


async def test_cancelled_raises_within_one_look(time):
    script = Script("CANCELLED")
    with pytest.raises(JobCancelledError):
        await script.wait(time)
    assert script.looks == 1


async def test_an_error_while_looking_carries_the_job_id(time):
    with pytest.raises(InternalServerError) as caught:
        await Script(InternalServerError("GET", 503, "")).wait(time)
    assert caught.value.job_id == "clj-1"


@pytest.mark.parametrize(("on_cancel", "cancelled"), [("detach", []), ("cancel", ["clj-1"])])
async def test_a_wait_that_times_out_does_with_the_job_as_told(time, on_cancel, cancelled):
    script = Script("RUNNING")
    with pytest.raises(JobTimeoutError):
        await script.wait(time, on_cancel=on_cancel)
    assert script.cancelled == cancelled


@pytest.mark.parametrize(("on_cancel", "cancelled"), [("detach", []), ("cancel", ["clj-1"])])
async def test_a_wait_that_is_cancelled_does_with_the_job_as_told(on_cancel, cancelled):
    script = Script("RUNNING")
    with anyio.move_on_after(0.02) as scope:
        await script.wait(Clock(), on_cancel=on_cancel)
    assert scope.cancelled_caught
    assert script.cancelled == cancelled


async def test_watch_gives_each_status_once(time):
    script = Script("PENDING", "PENDING", "RUNNING", "RUNNING", "FAILED")
    jobs = script.waits(time.clock).watch("clj-1", STEADY)
    assert [job.status async for job in jobs] == ["PENDING", "RUNNING", "FAILED"]


@given(
    initial=st.floats(0.1, 2),
    maximum=st.floats(0.1, 10),
    multiplier=st.floats(1, 4),
    jitter=st.floats(0, 0.5),
    timeout=st.floats(0, 30),
    seconds=st.floats(0, 1),
)
def test_no_schedule_sleeps_across_the_deadline(initial, maximum, multiplier, jitter, timeout, seconds):
    policy = PollPolicy(
        initial=initial, maximum=maximum, multiplier=multiplier, jitter=jitter, timeout=timeout
    )
    time = FakeTime()
    script = Script("RUNNING", time=time, seconds=seconds)

    async def give_up():
        with pytest.raises(JobTimeoutError):
            await script.wait(time, policy=policy)

    anyio.run(give_up)
    assert sum(time.slept) <= timeout + 1e-6
    longest = max(initial, maximum) * (1 + jitter)
    assert all(0 <= pause <= longest * 1.25 + 1e-9 for pause in time.slept)
    assert time.now - 1000 <= timeout + seconds + 1e-6


async def test_a_wait_without_a_timeout_goes_on(time):
    script = Script(*["RUNNING"] * 50, "COMPLETED")
    await script.wait(time, PollPolicy(jitter=0, timeout=math.inf))
    assert script.looks == 51


async def test_a_timeout_of_zero_looks_once(time):
    script = Script("RUNNING")
    with pytest.raises(JobTimeoutError):
        await script.wait(time, PollPolicy(timeout=0))
    assert (script.looks, time.slept) == (1, [])


async def test_what_jobs_took_sets_the_first_look_at_the_next(time):
    script = Script("COMPLETED")
    for _ in range(8):
        script.schedule.learn(30.0)
    await script.wait(time, PollPolicy(initial=1), job=Job(id="clj-1", status="PENDING"))
    assert (script.looks, time.slept) == (1, [30])


async def test_the_servers_own_times_tell_what_a_job_took(time):
    made = datetime(2026, 1, 1, tzinfo=UTC)
    ended = Job(id="clj-1", status="COMPLETED", created_at=made, updated_at=made + timedelta(seconds=7))
    script = Script()

    waits = Waits(following(time.clock, lambda _: Seen(ended)), script.schedule, time.clock)
    for _ in range(8):
        await waits.until_completed("clj-1", STEADY)
    assert script.schedule.first_pause(1) == 7


async def test_without_them_the_looks_tell(time):
    script = Script("RUNNING", "COMPLETED")
    for _ in range(8):
        script.looks = 0
        await script.wait(time, job=Job(id="clj-1", status="PENDING"))
    # Seen running after 1 s and done 2 s later.
    assert script.schedule.first_pause(1) == 2
