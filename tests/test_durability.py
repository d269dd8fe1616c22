"""What a server with a data folder keeps, whatever ends it, and what it says when it cannot."""

import asyncio
import contextlib
import errno
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from llamaclassify import Result
from llamaclassify.server import DataFolderError, LocalServer
from llamaclassify.server.clock import Clock
from llamaclassify.server.store.database import Database
from llamaclassify.server.store.documents import Documents
from llamaclassify.server.store.errors import is_disk_full

from .conftest import KEY, scripted
from .test_server import FILES, JOBS, RULE, answer, created, finished, form, uploaded
from .test_server_routes import CLASSIFIER, CONFIGURATIONS, client_of, ended, listed, saved, status_of

DATABASE = "llamaclassify.db"


async def never(path, name, configuration):
    await asyncio.sleep(3600)


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


async def test_everything_is_there_after_a_restart(data):
    async with LocalServer(data=data, classify=scripted) as server, client_of(server) as http:
        configuration = await saved(http)
        file_id = await uploaded(http, content=b"the document")
        _, job = await created(http, file_input=file_id, transaction_id="t-1")
        job = await finished(http, job["id"])
        _, many = await answer(http.post(CLASSIFIER, json={"file_ids": [file_id], "rules": [RULE]}))
        many = await ended(http, many["id"])
        results = await answer(http.get(f"{CLASSIFIER}/{many['id']}/results"))
    async with LocalServer(data=data, classify=never) as server, client_of(server) as http:
        assert await answer(http.get(f"{JOBS}/{job['id']}")) == (200, job)
        assert await listed(http, JOBS) == [job]
        assert (await created(http, file_input=file_id, transaction_id="t-1"))[1] == job
        assert await answer(http.get(f"{CLASSIFIER}/{many['id']}")) == (200, many)
        assert await answer(http.get(f"{CLASSIFIER}/{many['id']}/results")) == results
        assert await answer(http.get(f"{CONFIGURATIONS}/{configuration['id']}")) == (200, configuration)
        _, link = await answer(http.get(f"{FILES}/{file_id}/content"))
        assert await status_of(http.get(link["url"])) == (200, b"the document")


async def test_what_had_not_ended_runs_again(data):
    async with LocalServer(data=data, classify=never, workers=1) as server, client_of(server) as http:
        jobs = [(await created(http))[1] for _ in range(2)]
        body = {"file_ids": [job["file_input"] for job in jobs], "rules": [RULE]}
        _, many = await answer(http.post(CLASSIFIER, json=body))
        while not await listed(http, JOBS, status="RUNNING"):
            await asyncio.sleep(0.001)
    async with LocalServer(data=data, classify=scripted) as server, client_of(server) as http:
        for job in jobs:
            assert (await finished(http, job["id"]))["status"] == "COMPLETED"
        assert (await ended(http, many["id"]))["status"] == "SUCCESS"


async def test_a_v1_job_that_lacked_its_last_word_ends_at_the_restart(data):
    async with LocalServer(data=data, classify=scripted) as server, client_of(server) as http:
        file_id = await uploaded(http)
        _, many = await answer(http.post(CLASSIFIER, json={"file_ids": [file_id], "rules": [RULE]}))
        await ended(http, many["id"])
    with contextlib.closing(sqlite3.connect(data / DATABASE)) as database, database:
        database.execute(
            "UPDATE classifier_jobs SET ended = NULL, body = json_set(body, '$.status', 'PENDING')"
        )
    async with LocalServer(data=data, classify=never) as server, client_of(server) as http:
        assert (await answer(http.get(f"{CLASSIFIER}/{many['id']}")))[1]["status"] == "SUCCESS"


# A server that is killed

SERVE = """
import asyncio, sys
from pathlib import Path
from llamaclassify import Result
from llamaclassify.server import LocalServer

async def classify(path, name, configuration):
    await asyncio.sleep(0.005)
    return Result(type="invoice", confidence=len(path.read_bytes()) / 10)

async def main():
    async with LocalServer(data=Path(sys.argv[1]), classify=classify, workers=2) as server:
        print(server.url, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@contextlib.contextmanager
def serving_in_another_process(data):
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, str(data)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


async def create_many(url, numbers, answered):
    """Upload and create, each under a transaction id of its own; notes what was answered."""
    places = asyncio.Semaphore(20)

    async def create_one(http, number):
        async with places:
            job = {"transaction_id": f"t-{number}"}
            with contextlib.suppress(aiohttp.ClientError):
                status, job = await created(http, **job)
                assert status == 200
                answered[number] = job["id"]

    async with aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {KEY}"}) as http:
        await asyncio.gather(*(create_one(http, number) for number in numbers))


async def test_no_job_that_was_answered_is_lost_when_the_server_is_killed(data):
    answered = {}
    with serving_in_another_process(data) as (process, url):
        creating = asyncio.create_task(create_many(url, range(200), answered))
        while len(answered) < 100:
            await asyncio.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        await creating
    before = dict(answered)
    assert 100 <= len(before) < 200
    with serving_in_another_process(data) as (_, url):
        await create_many(url, range(200), answered)
        assert answered | before == answered  # a transaction that was answered has its job still
        async with aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {KEY}"}) as http:
            for job_id in answered.values():
                assert (await finished(http, job_id))["status"] == "COMPLETED"
            assert len(await listed(http, JOBS)) == 200


# A folder that cannot be used


async def refused(data):
    with pytest.raises(DataFolderError) as caught:
        async with LocalServer(data=data, classify=scripted):
            pass
    assert "\n" not in str(caught.value)
    return str(caught.value)


async def test_one_server_at_a_time_uses_a_folder(data):
    async with LocalServer(data=data, classify=scripted):
        assert (await refused(data)).endswith("is in use by another server")
    async with LocalServer(data=data, classify=scripted):
        pass


async def test_a_file_in_the_place_of_the_folder(data):
    data.write_text("mine")
    assert "cannot be used" in await refused(data)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("CREATE TABLE mine (a)", "is another program's database"),
        (
            "PRAGMA application_id = 1819042659; PRAGMA user_version = 99; CREATE TABLE a (b)",
            "another version",
        ),
    ],
)
async def test_a_database_that_is_not_ours(data, sql, message):
    data.mkdir()
    with contextlib.closing(sqlite3.connect(data / DATABASE)) as database:
        database.executescript(sql)
    assert message in await refused(data)


@pytest.mark.parametrize("name", [DATABASE, "lock"])
async def test_a_file_that_is_no_database(data, name):
    data.mkdir()
    (data / name).write_bytes(b"anything else" * 1000)
    assert "not a database" in await refused(data)


async def test_a_damaged_database_is_not_served(data):
    async with LocalServer(data=data, classify=scripted) as server, client_of(server) as http:
        for _ in range(20):
            await created(http)
    with (data / DATABASE).open("r+b") as database:
        size = database.seek(0, 2)
        database.seek(4096)
        database.write(b"\xff" * (size - 4096))
    message = await refused(data)
    assert "damaged" in message or "malformed" in message


async def test_a_database_that_is_full_loses_nobody_elses_rows(tmp_path):
    add = "INSERT INTO configurations (id, project, name, product_type, body) VALUES (?, x'00', ?, 'x', ?)"
    async with Database.open(tmp_path / DATABASE, durable=True) as database:
        [[pages]] = await database.read("PRAGMA page_count")
        await database.write((f"PRAGMA max_page_count = {pages + 5}", ()))
        small = database.write((add, ("small", "small", "{}")))
        large = database.write((add, ("large", "large", "x" * 100_000)))
        both = database.write((add, ("a", "a", "{}")), (add, ("b", "b", "x" * 100_000)))
        outcomes = await asyncio.gather(small, large, both, return_exceptions=True)
        assert outcomes[0] == []
        assert all(is_disk_full(outcome) for outcome in outcomes[1:])
        assert [row["id"] for row in await database.read("SELECT id FROM configurations")] == ["small"]
        await database.write(("PRAGMA max_page_count = 1000", ()))
        await database.write((add, ("large", "large", "x" * 100_000)))


def full_disk():
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


async def test_a_full_disk_is_a_507_and_nothing_is_stored(data, monkeypatch, caplog):
    async with LocalServer(data=data, classify=never) as server, client_of(server) as http:
        file_id = await uploaded(http)

        async def full(*arguments):
            raise full_disk()

        body = {"file_input": file_id, "configuration": {"rules": [RULE]}}
        with monkeypatch.context() as patched:
            patched.setattr(Database, "write", full)
            refusal = await answer(http.post(JOBS, json=body))
        assert refusal == (507, {"detail": "The disk that holds the server's data is full"})
        assert await listed(http, JOBS) == []

        async def full_too(*arguments):
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(Documents, "keep", full_too)
            assert (await answer(http.post(FILES, data=form())))[0] == 507
        assert len(list((data / "documents").iterdir())) == 1
        assert (await answer(http.post(JOBS, json=body)))[0] == 200
    assert "disk is full" in caplog.text


async def test_a_database_that_fails_is_a_500_with_the_reason(monkeypatch, server, caplog):
    async def broken(*arguments):
        raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(Database, "read", broken)
    async with client_of(server) as http:
        status, failure = await answer(http.get(JOBS))
    assert (status, "malformed" in failure["detail"]) == (500, True)


async def test_a_result_that_cannot_be_stored_is_stored_later(data, monkeypatch, caplog):
    slept = []
    write = Database.write

    async def pause(seconds):
        slept.append(seconds)
        if len(slept) == 3:
            monkeypatch.setattr(Database, "write", write)
        await asyncio.sleep(0)

    async def fills_the_disk(path, name, configuration):
        async def full(*arguments):
            raise full_disk()

        if not slept:
            monkeypatch.setattr(Database, "write", full)
        return Result(confidence=0.5)

    clock = Clock(sleep=pause)
    server = LocalServer(data=data, classify=fills_the_disk, clock=clock, workers=1)
    async with server, client_of(server) as http:
        _, job = await created(http)
        assert (await finished(http, job["id"]))["result"]["confidence"] == 0.5
    assert len(slept) == 3


# What is old


async def test_what_is_old_is_removed_and_what_is_needed_stays(data):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    pause = asyncio.Event()
    hold = asyncio.Event()

    async def sleep(seconds):
        await pause.wait()
        pause.clear()

    async def some_wait(path, name, configuration):
        if name.startswith("slow"):
            await hold.wait()
        return Result(confidence=0.5)

    clock = Clock(now=lambda: now, sleep=sleep)
    server = LocalServer(data=data, classify=some_wait, clock=clock, keep=timedelta(days=7), workers=3)
    async with server, client_of(server) as http:
        old = await finished(http, (await created(http, transaction_id="t-1"))[1]["id"])
        slow = await uploaded(http, name="slow.txt")
        _, running = await created(http, file_input=slow)
        _, many = await answer(http.post(CLASSIFIER, json={"file_ids": [slow], "rules": [RULE]}))
        configuration = await saved(http)
        now += timedelta(days=6)
        recent = await finished(http, (await created(http))[1]["id"])
        now += timedelta(days=2)
        pause.set()
        while (await status_of(http.get(f"{FILES}/{old['file_input']}")))[0] == 200:
            await asyncio.sleep(0.001)
        assert {job["id"] for job in await listed(http, JOBS)} == {recent["id"], running["id"]}
        assert {file["id"] for file in await listed(http, FILES)} == {recent["file_input"], slow}
        while len(list((data / "documents").iterdir())) > 2:  # a document goes after its row
            await asyncio.sleep(0.001)
        assert (await status_of(http.get(f"{CLASSIFIER}/{many['id']}")))[0] == 200
        assert (await status_of(http.get(f"{CONFIGURATIONS}/{configuration['id']}")))[0] == 200
        hold.set()
        await ended(http, many["id"])
        await finished(http, running["id"])
    now += timedelta(days=9)
    server = LocalServer(data=data, classify=never, clock=clock, keep=timedelta(days=7))
    async with server, client_of(server) as http:
        for path in (JOBS, CLASSIFIER, FILES):
            assert await listed(http, path) == []
    assert list((data / "documents").iterdir()) == []


async def test_a_document_that_was_being_taken_in_is_removed_at_the_restart(data):
    async with LocalServer(data=data, classify=scripted) as server, client_of(server) as http:
        file_id = await uploaded(http)
    [kept] = (data / "documents").iterdir()
    half, foreign = data / "documents" / f"{'0' * 32}.pdf", data / "documents" / "notes.txt"
    for path in (half, foreign):
        path.write_text("x")
    async with LocalServer(data=data, classify=scripted) as server, client_of(server) as http:
        assert (await answer(http.get(f"{FILES}/{file_id}")))[0] == 200
    assert set((data / "documents").iterdir()) == {kept, foreign}


async def test_nothing_is_left_of_a_server_without_a_folder(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    async with LocalServer(classify=scripted) as server, client_of(server) as http:
        await created(http)
        assert list(tmp_path.iterdir())
    assert list(tmp_path.iterdir()) == []
