"""The wait for one job, with a clock that only sleeping moves."""

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
from llamaclassify.waiting.polling import wait_for, watch

from .conftest import FakeTime

STEADY = PollPolicy(initial=1, maximum=4, multiplier=2, jitter=0, timeout=20)


class Script:
    """A job that stands as the script says at each look; the last status stays."""

    def __init__(self, *statuses, time=None, seconds=0.0):
        self.statuses = statuses
        self.looks = 0
        self.cancelled = []
        self.time, self.seconds = time, seconds

    async def look(self, job_id):
        status = self.statuses[min(self.looks, len(self.statuses) - 1)]
        self.looks += 1
        if self.time:
            self.time.now += self.seconds
        if isinstance(status, Exception):
            raise status
        return Job(id=job_id, status=status, error_message="no text" if status == "FAILED" else None)

    async def cancel(self, job_id):
        self.cancelled.append(job_id)

    def wait(self, time, policy=STEADY, **options):
        return wait_for(self.look, self.cancel, "clj-1", policy=policy, clock=time.clock, **options)


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
    assert time.now == pytest.approx(1020)


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
        await wait_for(script.look, script.cancel, "clj-1", policy=STEADY, clock=Clock(), on_cancel=on_cancel)
    assert scope.cancelled_caught
    assert script.cancelled == cancelled


async def test_watch_gives_each_status_once(time):
    script = Script("PENDING", "PENDING", "RUNNING", "RUNNING", "FAILED")
    jobs = watch(script.look, "clj-1", policy=STEADY, clock=time.clock)
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
    assert all(0 <= pause <= maximum * (1 + jitter) + 1e-9 for pause in time.slept)
    assert time.now - 1000 <= timeout + seconds + 1e-6
