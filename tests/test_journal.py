"""Batches with a journal: what a second run delivers, waits for and creates; crashes; other files."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
from pathlib import Path

import pytest

from llamaclassify import (
    BadRequestError,
    ClassifySession,
    ConfigurationError,
    JobCancelledError,
    JobFailedError,
    JobTimeoutError,
    JournalError,
    PollPolicy,
    Rule,
)
from llamaclassify.waiting.journal import Entry, Journal, Key

from .conftest import KEY, RULES, serving
from .service import Service

PROGRAM = Path(__file__).with_name("journalled_run.py")
KEY_OF_ENTRY = Key("id:dfl-1", "http://127.0.0.1", "abc")


@pytest.fixture
def service():
    return Service()


@pytest.fixture
async def session(service):
    poll = PollPolicy(initial=0.002, maximum=0.005, timeout=5)
    async with serving(*service.routes()) as url, ClassifySession(KEY, base_url=url, poll=poll) as opened:
        yield opened


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "run.journal"


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "documents"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.txt").write_text(f"document {number}")
    return sorted(folder.iterdir())


async def test_a_second_run_asks_nothing_about_what_was_finished(session, service, journal, files):
    first = await session.classify_many(files, rules=RULES, journal=journal)
    asked = (service.creates, service.uploads, service.looks)
    second = await session.classify_many(files, rules=RULES, journal=journal)
    assert [outcome.job for outcome in second] == [outcome.job for outcome in first]
    assert all(outcome.ok and outcome.result.type == "invoice" for outcome in second)
    assert (service.creates, service.uploads, service.looks) == asked
    assert service.creates == service.uploads == 5


async def test_documents_are_told_by_their_content_not_their_name(session, service, journal, files):
    await session.classify_many(files, rules=RULES, journal=journal)
    files[0].rename(files[0].with_name("renamed.txt"))
    documents = [files[0].with_name("renamed.txt"), ("another", b"document 1"), *files[2:]]
    await session.classify_many(documents, rules=RULES, journal=journal)
    assert service.creates == 5
    files[2].write_text("document 2, second version")
    await session.classify_many([files[2]], rules=RULES, journal=journal)
    assert service.creates == 6


async def test_a_document_that_comes_twice_is_classified_once(session, service, journal):
    documents = [("a", b"same"), ("b", b"same"), "dfl-7", "dfl-7", ("c", b"same")]
    outcomes = await session.classify_many(documents[:2] + documents[4:], rules=RULES, journal=journal)
    assert [outcome.index for outcome in outcomes if outcome.ok] == [0, 1, 2]
    assert (service.uploads, service.creates, len({outcome.job.id for outcome in outcomes})) == (1, 1, 1)


async def test_another_configuration_is_another_entry_on_the_same_file(session, service, journal, files):
    await session.classify_many(files, rules=RULES, journal=journal)
    await session.classify_many(files, rules=RULES[:1], journal=journal)
    await session.classify_many(files, configuration_id="cfg-1", journal=journal)
    assert (service.uploads, service.creates) == (5, 15)


async def test_another_server_is_another_entry(service, journal):
    async with serving(*service.routes()) as url:
        for project in (None, "p-2"):
            poll = PollPolicy(initial=0.002)
            async with ClassifySession(KEY, base_url=url, project_id=project, poll=poll) as session:
                await session.classify_many(["dfl-1"], rules=RULES, journal=journal)
    assert service.creates == 2


async def test_an_interrupted_run_is_waited_for_by_the_next(session, service, journal):
    service.status = "RUNNING"
    poll = PollPolicy(initial=0.002, maximum=0.005, timeout=0.4)
    outcomes = await session.classify_many(["dfl-1", "dfl-2"], rules=RULES, journal=journal, poll=poll)
    assert [type(outcome.error) for outcome in outcomes] == [JobTimeoutError] * 2
    service.status = "COMPLETED"
    outcomes = await session.classify_many(["dfl-1", "dfl-2"], rules=RULES, journal=journal)
    assert all(outcome.ok for outcome in outcomes)
    assert service.creates == 2


@pytest.mark.parametrize("status", ["FAILED", "CANCELLED"])
async def test_failed_documents_are_tried_again_only_when_asked(session, service, journal, status):
    service.status = status
    error = {"FAILED": JobFailedError, "CANCELLED": JobCancelledError}[status]
    for _ in range(2):
        [outcome] = await session.classify_many(["dfl-1"], rules=RULES, journal=journal)
        assert isinstance(outcome.error, error)
        assert outcome.job.status == status
    assert service.creates == 1
    service.status = "COMPLETED"
    [outcome] = await session.classify_many(["dfl-1"], rules=RULES, journal=journal, retry_failed=True)
    assert outcome.ok
    assert (service.creates, len(service.jobs)) == (2, 2)
    await session.classify_many(["dfl-1"], rules=RULES, journal=journal, retry_failed=True)
    assert service.creates == 2


async def test_a_job_that_an_interrupted_run_cancelled_is_created_again(session, service, journal):
    service.status = "RUNNING"
    batch = session.classify_many(["dfl-1"], rules=RULES, journal=journal, on_cancel="cancel")
    task = asyncio.create_task(batch._collect())
    while not service.looks:
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [job["status"] for job in service.jobs.values()] == ["CANCELLED"]
    service.status = "COMPLETED"
    [outcome] = await session.classify_many(["dfl-1"], rules=RULES, journal=journal)
    assert outcome.ok
    assert len(service.jobs) == 2


async def test_what_the_server_has_forgotten_is_done_again(session, service, journal, files):
    service.status = "RUNNING"
    poll = PollPolicy(initial=0.002, timeout=0.4)
    await session.classify_many(files, rules=RULES, journal=journal, poll=poll)
    service.jobs.clear()
    service.files.clear()
    service.files["other"] = b""
    service.status = "COMPLETED"
    outcomes = await session.classify_many(files, rules=RULES, journal=journal)
    assert [outcome.error for outcome in outcomes] == [None] * 5
    assert (service.uploads, len(service.jobs)) == (10, 5)


async def test_a_refused_create_is_an_outcome_and_asked_again_by_the_next_run(session, service, journal):
    service.files["other"] = b""
    for creates in (1, 2):
        [outcome] = await session.classify_many(["dfl-1"], rules=RULES, journal=journal)
        assert isinstance(outcome.error, BadRequestError)
        assert service.creates == creates


async def test_a_document_that_cannot_be_read_says_why(session, service, journal, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").touch()
    documents = [tmp_path / "missing", tmp_path, tmp_path / "pipe", tmp_path / "empty", 5, "\ud800"]
    outcomes = await session.classify_many(documents, rules=RULES, journal=journal)
    assert [str(outcome.error).rpartition(": ")[2] for outcome in outcomes] == [
        "no such file",
        "is a folder, not a file",
        "is no ordinary file",
        "empty is empty",
        "expected a path or (name, bytes), got int",
        "cannot be told from others, as the journal must",
    ]
    assert not service.creates


async def test_a_journal_is_used_by_one_run_at_a_time(session, journal):
    async with Journal(journal):
        with pytest.raises(ConfigurationError, match=r"run\.journal: another run is using it"):
            await session.classify_many(["dfl-1"], rules=RULES, journal=journal)
    await session.classify_many(["dfl-1"], rules=RULES, journal=journal)


@pytest.mark.parametrize("content", ["text", "database", "newer"])
async def test_a_file_that_is_no_journal_is_left_as_it_is(session, service, journal, content):
    if content == "text":
        journal.write_text("my notes\n" * 200)
    elif content == "newer":
        async with Journal(journal):
            pass
        connection = sqlite3.connect(journal)
        connection.execute("PRAGMA user_version = 99")
        connection.close()
    else:
        connection = sqlite3.connect(journal)
        connection.execute("CREATE TABLE mine (x)")
        connection.close()
    before = journal.read_bytes()
    with pytest.raises(ConfigurationError, match=r"journal: .*give another file"):
        await session.classify_many(["dfl-1"], rules=RULES, journal=journal)
    assert not service.creates
    if content == "text":
        assert journal.read_bytes() == before


@pytest.mark.parametrize("path", ["missing/run.journal", "."])
async def test_a_journal_that_cannot_be_opened_says_so(session, tmp_path, path):
    with pytest.raises(ConfigurationError, match=r"journal: .*unable to open"):
        await session.classify_many(["dfl-1"], rules=RULES, journal=tmp_path / path)


async def test_a_journal_that_is_no_path_says_so(session):
    with pytest.raises(ConfigurationError, match="journal: expected a path, got int"):
        session.classify_many(["dfl-1"], rules=RULES, journal=5)


async def test_a_journal_that_cannot_be_written_ends_the_batch(session, service, journal, monkeypatch):
    def full(self, works):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Journal, "_transaction", full)
    with pytest.raises(JournalError, match="disk is full"):
        await session.classify_many((f"dfl-{n}" for n in range(1000)), rules=RULES, journal=journal)
    assert not service.creates


async def test_what_is_written_together_is_one_transaction(journal, monkeypatch):
    sizes = []
    transaction = Journal._transaction

    def counted(self, works):
        sizes.append(len(works))
        return transaction(self, works)

    monkeypatch.setattr(Journal, "_transaction", counted)
    entries = [Entry(Key(f"id:{n}", "s", "c"), job_id=f"clj-{n}") for n in range(300)]
    async with Journal(journal) as opened:
        await asyncio.gather(*(opened.write(entry) for entry in entries))
        assert await asyncio.gather(*(opened.entry(entry.key) for entry in entries)) == entries
    assert sum(sizes) == 600
    assert len(sizes) <= 4


async def test_what_every_job_echoes_is_kept_once(session, journal):
    await session.classify_many([f"dfl-{n}" for n in range(50)], rules=RULES, journal=journal)
    connection = sqlite3.connect(journal)
    assert connection.execute("SELECT count(*) FROM echoes").fetchone() == (1,)
    assert "description" not in connection.execute("SELECT group_concat(outcome) FROM entries").fetchone()[0]
    connection.close()
    outcomes = await session.classify_many([f"dfl-{n}" for n in range(50)], rules=RULES, journal=journal)
    assert all(outcome.job.configuration.rules == tuple(RULES) for outcome in outcomes)


async def test_a_write_whose_task_is_cancelled_is_made_all_the_same(journal):
    entry = Entry(KEY_OF_ENTRY, job_id="clj-1")
    async with Journal(journal) as opened:
        task = asyncio.create_task(opened.write(entry))
        await asyncio.sleep(0)
        task.cancel()
    async with Journal(journal) as opened:
        assert await opened.entry(KEY_OF_ENTRY) == entry


async def test_nothing_of_the_key_is_in_the_journal(session, journal):
    await session.classify_many(["dfl-1"], rules=RULES, journal=journal)
    assert KEY.encode() not in journal.read_bytes()


def test_transaction_ids_are_the_same_in_every_run_and_differ_otherwise():
    entries = [Entry(Key(*parts), attempt) for parts in ("abc", "abx", "axc", "xbc") for attempt in (0, 1)]
    again = [Entry(Key(*parts), attempt) for parts in ("abc", "abx", "axc", "xbc") for attempt in (0, 1)]
    assert [entry.transaction_id for entry in entries] == [entry.transaction_id for entry in again]
    assert len({entry.transaction_id for entry in entries}) == 8


async def run(*arguments, kill_after=None):
    """Run the program, killing it after so many seconds; gives its lines."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(PROGRAM), *map(str, arguments), stdout=asyncio.subprocess.PIPE
    )
    if kill_after is not None:
        await asyncio.sleep(kill_after)
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
    output, _ = await process.communicate()
    return output.decode().splitlines()


async def test_a_run_that_is_killed_again_and_again_does_everything_once(service, journal, tmp_path):
    folder = tmp_path / "documents"
    folder.mkdir()
    for number in range(150):
        (folder / f"{number:03}.txt").write_text(f"document {number}")
    async with serving(*service.routes()) as url:
        for kills in range(5):
            await run(url, journal, folder, 8, kill_after=0.4 + kills / 20)
        lines = await run(url, journal, folder)
        assert lines[-1] == "done 150 0"
        assert len(set(lines)) == 151
        assert len(service.jobs) == 150
        assert {service.files[job["file_input"]] for job in service.jobs.values()} == {
            path.read_bytes() for path in folder.iterdir()
        }
        creates, uploads = service.creates, service.uploads
        assert uploads <= 150 + 5 * 8
        assert (await run(url, journal, folder))[-1] == "done 150 0"
        assert (service.creates, service.uploads) == (creates, uploads)


async def test_a_changed_rule_is_a_changed_configuration(session, service, journal):
    rules = [Rule(type="invoice", description="contains an invoice number")]
    await session.classify_many(["dfl-1"], rules=rules, journal=journal)
    changed = [Rule(type="invoice", description="contains an invoice number, and a total")]
    await session.classify_many(["dfl-1"], rules=changed, journal=journal)
    assert service.creates == 2
    assert json.dumps([job["transaction_id"] for job in service.jobs.values()]).count("-") == 8


async def test_a_journal_is_looked_up_without_a_request(session, service, journal, files):
    await session.classify_many(files[:2], rules=RULES, journal=journal)
    asked = (service.creates, service.uploads, service.looks)
    documents = [*files[:3], files[0].with_name("no such file")]
    found = [pair async for pair in session.recall(documents, rules=RULES, journal=journal)]
    assert [document for document, _ in found] == documents
    assert [job and job.status for _, job in found] == ["COMPLETED", "COMPLETED", None, None]
    assert [job async for _, job in session.recall(files[:1], rules=RULES[:1], journal=journal)] == [None]
    assert (service.creates, service.uploads, service.looks) == asked


async def test_entries_may_be_kept_elsewhere(session):
    class Kept:
        def __init__(self):
            self.entries = {}

        async def entry(self, key):
            return self.entries.get(key) or Entry(key)

        async def write(self, entry):
            self.entries[entry.key] = entry

    kept = Kept()
    documents = [("invoice-1.txt", b"1"), ("receipt-2.txt", b"2")]
    first = await session.classify_many(documents, rules=RULES, journal=kept)
    assert all(outcome.ok for outcome in first)
    again = await session.classify_many(documents, rules=RULES, journal=kept)
    assert [outcome.job.id for outcome in again] == [outcome.job.id for outcome in first]
