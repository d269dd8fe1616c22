"""Waits in real time: how they end, and what a cancelled one leaves behind, here and on the server."""

import asyncio
import os
import signal
import sys

import anyio
import pytest

from llamaclassify import (
    ClassifySession,
    JobCancelledError,
    JobFailedError,
    JobTimeoutError,
    PollPolicy,
    SessionClosedError,
)

from .conftest import KEY, RULES, serving
from .service import Service

WAYS = ["task", "asyncio.timeout", "anyio scope", "session close"]
POLICIES = ["detach", "cancel"]
DOCUMENTS = [f"dfl-{n}" for n in range(20)]


@pytest.fixture
def service():
    return Service(status="RUNNING")


@pytest.fixture
async def session(service):
    poll = PollPolicy(initial=0.005, maximum=0.02, timeout=60)
    async with serving(*service.routes()) as url, ClassifySession(KEY, base_url=url, poll=poll) as opened:
        yield opened


async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)


async def end(way, waiting, session, are_running):
    """End what is waiting in one of the ways, once its jobs are running."""

    async def then(stop):
        await until(are_running)
        stop()

    loop = asyncio.get_running_loop()
    if way == "asyncio.timeout":
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(None) as limit:
                stopping = asyncio.create_task(then(lambda: limit.reschedule(loop.time())))
                await waiting()
        await stopping
    elif way == "anyio scope":
        with anyio.CancelScope() as scope:
            stopping = asyncio.create_task(then(scope.cancel))
            await waiting()
        assert scope.cancelled_caught
        await stopping
    else:
        task = asyncio.create_task(waiting())
        await until(are_running)
        if way == "task":
            task.cancel()
        else:
            await session.aclose()
        with pytest.raises((asyncio.CancelledError, SessionClosedError)):
            await task


@pytest.mark.parametrize("on_cancel", POLICIES)
@pytest.mark.parametrize("way", WAYS)
async def test_a_wait_for_one_job(session, service, way, on_cancel):
    tasks = len(asyncio.all_tasks())

    async def waiting():
        await session.create_and_wait("dfl-1", rules=RULES, on_cancel=on_cancel)

    await end(way, waiting, session, lambda: service.looks > 2)
    await asyncio.sleep(0.02)
    assert service.cancels == (list(service.jobs) if on_cancel == "cancel" else [])
    assert len(asyncio.all_tasks()) <= tasks + 1  # the server's own handler of a connection


@pytest.mark.parametrize("on_cancel", POLICIES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("use", ["awaited", "streamed"])
async def test_a_batch(session, service, way, on_cancel, use):
    batch = session.classify_many(DOCUMENTS, rules=RULES, on_cancel=on_cancel)

    async def waiting():
        if use == "awaited":
            await batch
        else:
            async with batch as outcomes:
                async for _ in outcomes:
                    pass

    await end(way, waiting, session, lambda: service.looks > 40)
    await asyncio.sleep(0.02)
    assert len(service.jobs) == 20
    assert sorted(service.cancels) == (sorted(service.jobs) if on_cancel == "cancel" else [])
    assert batch.progress.in_flight == 0
    assert not session._reader._following
    assert not session._reader._open


@pytest.mark.parametrize("on_cancel", POLICIES)
async def test_waits_on_one_job_by_its_id(session, service, on_cancel):
    job = await session.create("dfl-1", rules=RULES)
    with anyio.CancelScope() as scope:
        asyncio.get_running_loop().call_later(0.03, scope.cancel)
        await session.wait(job.id, on_cancel=on_cancel)
    assert service.cancels == ([job.id] if on_cancel == "cancel" else [])


async def test_leaving_a_stream_early_leaves_nothing_running(session, service):
    async with session.classify_many(DOCUMENTS, rules=RULES) as outcomes:
        await until(lambda: len(service.jobs) == 20)
        service.jobs[next(iter(service.jobs))]["status"] = "COMPLETED"
        assert (await anext(outcomes)).ok
    looks = service.looks
    await asyncio.sleep(0.04)
    assert service.looks == looks


async def test_closing_ends_a_batch_over_an_endless_source(session):
    def endless():
        while True:
            yield "dfl-1"

    task = asyncio.create_task(session.classify_many(endless(), rules=RULES)._collect())
    await asyncio.sleep(0.03)
    await session.aclose()
    with pytest.raises(SessionClosedError):
        await task


async def test_a_webhook_ends_a_wait_before_its_next_look(service):
    poll = PollPolicy(initial=3600, maximum=3600, timeout=7200)
    async with serving(*service.routes()) as url, ClassifySession(KEY, base_url=url, poll=poll) as session:
        task = asyncio.create_task(session.create_and_wait("dfl-1", rules=RULES))
        await until(lambda: service.jobs and session._reader._following)
        service.status = "COMPLETED"
        session.notify(next(iter(service.jobs)))
        assert (await task).result.type == "invoice"
        assert service.looks == 1


async def test_waits_started_together_share_their_requests(service):
    poll = PollPolicy(initial=0.04, maximum=0.04, jitter=0, timeout=60)
    async with serving(*service.routes()) as url, ClassifySession(KEY, base_url=url, poll=poll) as session:
        jobs = await asyncio.gather(*(session.create(document, rules=RULES) for document in DOCUMENTS))
        lists = []
        all_seen = session._reader._fetch_all

        async def counted(job_ids):
            lists.append(len(job_ids))
            return await all_seen(job_ids)

        session._reader._fetch_all = counted
        waits = [asyncio.create_task(session.wait(job.id)) for job in jobs]
        await until(lambda: service.looks >= 60)
        service.status = "COMPLETED"
        await asyncio.gather(*waits)
    assert lists == [20] * len(lists)


async def test_a_wait_does_not_sleep_across_its_deadline(session):
    job = await session.create("dfl-1", rules=RULES)
    with pytest.raises(JobTimeoutError, match="last seen RUNNING"):
        await session.wait(job.id, PollPolicy(initial=3600, maximum=3600, timeout=0.1))


@pytest.mark.parametrize("way", ["one", "batch"])
async def test_a_job_that_has_ended_in_the_creates_answer_costs_no_look(session, service, way):
    service.created_as = "COMPLETED"
    if way == "one":
        assert (await session.create_and_wait("dfl-1", rules=RULES)).status == "COMPLETED"
    else:
        assert all(outcome.ok for outcome in await session.classify_many(DOCUMENTS, rules=RULES))
    assert service.looks == 0


@pytest.mark.parametrize("way", ["one", "batch"])
async def test_a_status_that_nobody_knows_ends_at_the_deadline(session, service, way):
    service.created_as = service.status = "PAUSED"
    poll = PollPolicy(initial=0.01, timeout=0.5)
    if way == "one":
        with pytest.raises(JobTimeoutError, match="last seen PAUSED"):
            await session.create_and_wait("dfl-1", rules=RULES, poll=poll)
    else:
        [outcome] = await session.classify_many(["dfl-1"], rules=RULES, poll=poll)
        assert "last seen PAUSED" in str(outcome.error)


@pytest.mark.parametrize(("status", "error"), [("FAILED", JobFailedError), ("CANCELLED", JobCancelledError)])
async def test_a_job_that_ends_otherwise_raises_at_the_first_look(session, service, status, error):
    service.status = status
    with pytest.raises(error):
        await session.create_and_wait("dfl-1", rules=RULES)
    [outcome] = await session.classify_many(["dfl-2"], rules=RULES)
    assert isinstance(outcome.error, error)
    assert outcome.job.status == status
    assert service.looks == 2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
async def test_ctrl_c_cancels_the_jobs_where_the_policy_says_so(service, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import asyncio, sys\n"
        "from llamaclassify import ClassifySession, Rule\n"
        "async def main():\n"
        "    async with ClassifySession('llx-test', base_url=sys.argv[1]) as session:\n"
        "        await session.classify_many(['dfl-1', 'dfl-2'], rules=[Rule('a', 'a description')],\n"
        "                                    on_cancel='cancel')\n"
        "asyncio.run(main())\n"
    )
    async with serving(*service.routes()) as url:
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(program), url, stderr=asyncio.subprocess.DEVNULL
        )
        await until(lambda: len(service.jobs) == 2)
        await asyncio.sleep(0.05)
        os.kill(process.pid, signal.SIGINT)
        async with asyncio.timeout(5):
            await process.wait()
    assert sorted(service.cancels) == sorted(service.jobs)


async def test_a_batch_times_out_where_its_jobs_do(session, service):
    poll = PollPolicy(initial=0.01, timeout=0.5)
    outcomes = await session.classify_many(DOCUMENTS, rules=RULES, poll=poll, on_cancel="cancel")
    assert [type(outcome.error) for outcome in outcomes] == [JobTimeoutError] * 20
    assert all(outcome.job.status == "RUNNING" for outcome in outcomes)
    assert sorted(service.cancels) == sorted(service.jobs)
    assert not session._reader._following
