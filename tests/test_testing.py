"""The pytest plugin: what its server does when told, and that its fixtures work wherever tests run."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from llamaclassify import (
    APIConnectionError,
    APITimeoutError,
    ClassifySession,
    InternalServerError,
    JobFailedError,
    JobStatus,
    RateLimitError,
    RetryPolicy,
    Rule,
)
from llamaclassify.testing import ClassifyServer

from .conftest import RULES

ONCE = RetryPolicy(attempts=1)


async def uploaded(session, name="a.txt"):
    return (await session.files.upload((name, b"x"))).id


async def test_without_a_script_the_name_is_the_content(classify_session):
    names = ["my-invoice.pdf", "Receipt.pdf", "letter.pdf"]
    outcomes = await classify_session.classify_many([(name, b"x") for name in names], rules=RULES)
    assert [outcome.result.type for outcome in outcomes] == ["invoice", "receipt", None]


async def test_scripts_by_name_and_by_rule(classify_server, classify_session):
    classify_server.script("*.pdf", type="invoice", confidence=0.7, reasoning="it says so")
    classify_server.script("scan-*", error="NO_DATA_FOUND_IN_FILE")
    classify_server.script(rule="poem", type="poem")
    job = await classify_session.create_and_wait(("a.pdf", b"x"), rules=RULES)
    assert (job.result.type, job.result.confidence, job.result.reasoning) == ("invoice", 0.7, "it says so")
    with pytest.raises(JobFailedError, match="NO_DATA_FOUND"):
        await classify_session.create_and_wait(("scan-1.pdf", b"x"), rules=RULES)
    poems = [Rule("poem", "speaks in verse of something")]
    job = await classify_session.create_and_wait(("scan-1.pdf", b"x"), rules=poems)
    assert job.result.type == "poem"


async def test_jobs_take_their_time_by_a_clock_that_the_test_moves(classify_server, classify_session):
    classify_server.script("slow*", type="invoice", seconds=30)
    classify_server.script("slower*", type="invoice", seconds=60)
    slow = await classify_session.create(await uploaded(classify_session, "slow.pdf"), rules=RULES)
    slower = await classify_session.create(await uploaded(classify_session, "slower.pdf"), rules=RULES)

    async def statuses():
        return [(await classify_session.get(job.id)).status for job in (slow, slower)]

    assert await statuses() == ["RUNNING", "RUNNING"]
    classify_server.clock.advance(29.9)
    assert await statuses() == ["RUNNING", "RUNNING"]
    classify_server.clock.advance(0.1)
    assert await statuses() == ["COMPLETED", "RUNNING"]
    classify_server.clock.advance(3600)
    assert await statuses() == ["COMPLETED", "COMPLETED"]
    ended = await classify_session.get(slower.id)
    assert (ended.updated_at - ended.created_at).total_seconds() == 60


async def test_a_step_of_the_clock_at_each_look(classify_server, classify_session):
    classify_server.script(type="invoice", seconds=3)
    classify_server.clock.step = 1
    job = await classify_session.create_and_wait(("a.pdf", b"x"), rules=RULES)
    assert job.result.type == "invoice"
    assert classify_server.requests["get"] + classify_server.requests["list"] == 3


async def test_a_job_that_is_cancelled_while_it_runs(classify_server, classify_session):
    classify_server.script(type="invoice", seconds=30)
    job = await classify_session.create(await uploaded(classify_session), rules=RULES)
    assert (await classify_session.get(job.id)).status == JobStatus.RUNNING
    await classify_session.cancel(job.id)
    classify_server.clock.advance(60)
    assert (await classify_session.get(job.id)).status == JobStatus.CANCELLED


def test_jobs_that_wait_for_a_place():
    async def flow(server):
        async with server.session() as session:
            jobs = [await session.create(await uploaded(session), rules=RULES) for _ in range(2)]
            yield [(await session.get(job.id)).status for job in jobs]
            server.clock.advance(10)
            yield [(await session.get(job.id)).status for job in jobs]

    async def collected(server):
        return [statuses async for statuses in flow(server)]

    with ClassifyServer(workers=1) as server:
        server.script(type="invoice", seconds=10)
        assert asyncio.run(collected(server)) == [["RUNNING", "PENDING"], ["COMPLETED", "RUNNING"]]


async def test_a_lost_answer_makes_one_job(classify_server, classify_session):
    classify_server.fault("create", lost=True)
    job = await classify_session.create_and_wait(("invoice.pdf", b"x"), rules=RULES)
    assert job.result.type == "invoice"
    assert [found.id async for found in classify_session.list()] == [job.id]
    assert classify_server.requests["create"] == 2


async def test_a_cut_answer(classify_server):
    classify_server.fault("get", cut=True, times=2)
    async with classify_server.session(retry=ONCE) as session:
        job = await session.create(await uploaded(session), rules=RULES)
        for _ in range(2):
            with pytest.raises(APIConnectionError):
                await session.get(job.id)
        assert (await session.get(job.id)).id == job.id


@pytest.mark.parametrize("retry_after", [None, 0.01])
async def test_a_refusal_with_and_without_retry_after(classify_server, retry_after):
    classify_server.fault("upload", status=429, retry_after=retry_after)
    async with classify_server.session(retry=ONCE) as session:
        with pytest.raises(RateLimitError) as refused:
            await uploaded(session)
        assert refused.value.retry_after == retry_after
        await uploaded(session)
    assert classify_server.requests["upload"] == 2


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_server_errors_do_nothing(classify_server, status):
    classify_server.fault("create", status=status, after=1, times=None)
    async with classify_server.session(retry=ONCE) as session:
        file_id = await uploaded(session)
        made = await session.create(file_id, rules=RULES)
        with pytest.raises(InternalServerError):
            await session.create(file_id, rules=RULES)
        assert [job.id async for job in session.list()] == [made.id]
        classify_server.clear_faults()
        await session.create(file_id, rules=RULES)


async def test_a_slow_answer(classify_server, classify_session):
    file_id = await uploaded(classify_session)
    classify_server.fault("files.get", delay=0.2)
    async with classify_server.session(retry=ONCE, timeout=0.02) as hasty:
        with pytest.raises(APITimeoutError):
            await hasty.files.get(file_id)
    assert (await classify_session.files.get(file_id)).id == file_id


async def test_a_chance_is_the_seeds_choice_alone(classify_server):
    struck = []
    for seed in (1, 1, 2):
        classify_server.clear_faults()
        classify_server.fault("list", status=500, chance=0.5, times=None, seed=seed)
        async with classify_server.session(retry=ONCE) as session:
            struck.append("")
            for _ in range(16):
                try:
                    await session.list()
                except InternalServerError:
                    struck[-1] += "x"
                else:
                    struck[-1] += "."
    assert struck[0] == struck[1] != struck[2]
    assert "x" in struck[0]
    assert "." in struck[0]


def test_a_kind_that_is_none(classify_server):
    with pytest.raises(ValueError, match=r"'creates' is no kind of request; there are .*create"):
        classify_server.fault("creates", status=500)


async def test_code_that_makes_its_own_session_finds_the_server(classify_server):
    async with ClassifySession() as session:
        job = await session.create_and_wait(("invoice.pdf", b"x"), rules=RULES)
    assert job.result.type == "invoice"
    assert classify_server.requests == {"upload": 1, "create": 1, "get": 1}


THEIRS = """
    import asyncio
    import pytest
    from llamaclassify import Rule

    RULES = [Rule("invoice", "contains an invoice number")]
    {marks}
    async def test_async(classify_server, classify_session):
        job = await classify_session.create_and_wait(("invoice.pdf", b"x"), rules=RULES)
        assert job.result.type == "invoice"
        assert classify_server.requests["create"] == 1

    def test_sync(classify_server):
        async def flow():
            async with classify_server.session() as session:
                return await session.create_and_wait(("invoice.pdf", b"x"), rules=RULES)
        assert asyncio.run(flow()).result.type == "invoice"
"""
ANYIO = """
    @pytest.fixture
    def anyio_backend():
        return "asyncio"

    @pytest.mark.anyio
"""
ASYNCIO = ["-o", "asyncio_default_fixture_loop_scope=function", "-o"]
RUNNERS = {
    "auto": ("", [*ASYNCIO, "asyncio_mode=auto"]),
    "strict": ("@pytest.mark.asyncio", [*ASYNCIO, "asyncio_mode=strict"]),
    "anyio": (ANYIO, [*ASYNCIO, "asyncio_mode=strict"]),
    "anyio alone": (ANYIO, ["-p", "no:asyncio"]),
}


def run_pytest(folder, test, *arguments):
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_theirs.py").write_text(dedent(test))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("runner", RUNNERS)
def test_the_fixtures_work_with_every_way_to_run_async_tests(tmp_path, runner):
    marks, arguments = RUNNERS[runner]
    ran = run_pytest(tmp_path, THEIRS.format(marks=marks), *arguments)
    assert "2 passed" in ran.stdout, ran.stdout + ran.stderr


def test_who_does_not_use_it_pays_nothing(tmp_path):
    test = """
        import sys

        def test_imports():
            assert not {"llamaclassify", "aiohttp", "cattrs"} & set(sys.modules)
    """
    ran = run_pytest(tmp_path, test, "-p", "no:asyncio")
    assert "1 passed" in ran.stdout, ran.stdout + ran.stderr


def test_every_block_of_its_page_runs(tmp_path):
    page = (Path(__file__).parent.parent / "docs/testing.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    service, *tests, program = blocks
    (tmp_path / "inbox.py").write_text(service)
    for number, test in enumerate(tests):
        (tmp_path / f"test_{number}.py").write_text(test)
    (tmp_path / "test_program.py").write_text(f"def test_program():\n    exec({program!r}, {{}})\n")
    ran = run_pytest(tmp_path, "", *ASYNCIO, "asyncio_mode=strict", "-o", "pythonpath=.")
    assert "6 passed" in ran.stdout, ran.stdout + ran.stderr
