"""What a look into the store costs, and what its parts keep to."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from llamaclassify import Configuration, JobStatus, Rule
from llamaclassify.server import LocalServer
from llamaclassify.server.changes import Changes
from llamaclassify.server.clock import Clock
from llamaclassify.server.store import Project, Store
from llamaclassify.server.store.database import Database
from llamaclassify.server.store.files import ORDERS, FileFilter
from llamaclassify.server.store.jobs import JobFilter, NewJob

from .conftest import scripted
from .test_server import JOBS, answer, created, finished, uploaded
from .test_server_routes import CLASSIFIER, client_of, ended

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PROJECT = Project.of("llx-test", None)
CONFIGURATION = Configuration([Rule("invoice", "contains an invoice number")])


@pytest.fixture
async def store(tmp_path):
    clock = Clock(now=lambda: NOW)
    async with Store.open(tmp_path, durable=False, keep=None, clock=clock, changes=Changes()) as opened:
        yield opened


@pytest.fixture
def plans(monkeypatch):
    """How SQLite looks up what is read."""
    noted = []
    read = Database.read

    async def explained(self, sql, values=()):
        noted.extend(row["detail"] for row in await read(self, f"EXPLAIN QUERY PLAN {sql}", values))
        return await read(self, sql, values)

    monkeypatch.setattr(Database, "read", explained)
    return noted


@pytest.mark.parametrize("after", [None, (5, 5)])
@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"status": "FAILED"},
        {"configuration_id": "cfg-1"},
        {"created_from": NOW},
        {"created_until": NOW, "status": "FAILED"},
        {"created_from": NOW, "created_until": NOW, "configuration_id": "cfg-1"},
    ],
)
async def test_a_page_of_jobs_is_read_off_an_index(store, plans, wanted, after):
    await store.jobs.part(PROJECT, JobFilter(**wanted), after=after, size=100)
    assert [plan.partition(" USING INDEX ")[0] for plan in plans] == ["SEARCH jobs"]


async def test_jobs_are_looked_up_by_their_ids(store, plans):
    await store.jobs.part(PROJECT, JobFilter(job_ids=["a", "b"], status="FAILED"), after=None, size=100)
    assert "SEARCH jobs USING INDEX sqlite_autoindex_jobs_1 (id=?)" in plans


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("wanted", [{}, {"file_name": "a"}, {"external_file_id": "a"}])
async def test_a_page_of_files_is_looked_up_by_an_index(store, plans, order, wanted):
    await store.files.part(PROJECT, FileFilter(**wanted), order=ORDERS[order], after=None, size=50)
    assert all(plan.startswith(("SEARCH files USING", "USE TEMP B-TREE")) for plan in plans)
    assert wanted or len(plans) == 1


async def test_jobs_of_one_moment_are_told_apart_from_page_to_page(store):
    for number in range(5):
        await store.jobs.add(PROJECT, NewJob(file_id=f"dfl-{number}", configuration=CONFIGURATION))
    seen, after = [], None
    while True:
        part = await store.jobs.part(PROJECT, JobFilter(), after=after, size=2)
        seen += [row["file_id"] for row in part.rows]
        after = part.last
        if after is None:
            break
    assert seen == [f"dfl-{number}" for number in (4, 3, 2, 1, 0)]


async def test_of_two_that_end_a_job_the_first_one_wins(store):
    row = await store.jobs.add(PROJECT, NewJob(file_id="dfl-0", configuration=CONFIGURATION))
    ends = (JobStatus.CANCELLED, JobStatus.FAILED)
    first, second = await asyncio.gather(*(store.jobs.advance(row["id"], status) for status in ends))
    assert (first["status"], second) == ("CANCELLED", None)


async def test_texts_that_sqlite_cannot_hold(store):
    row = await store.jobs.add(PROJECT, NewJob(file_id="dfl-0", configuration=CONFIGURATION))
    row = await store.jobs.advance(row["id"], JobStatus.FAILED, error_message="half a \ud83d, a \0 and an ä")
    assert json.loads(row["body"])["error_message"] == "half a \ud83d, a \0 and an ä"


async def test_a_create_that_comes_many_times_at_once_is_one_job(server):
    async with client_of(server) as http:
        file_id = await uploaded(http)
        ask = (created(http, file_input=file_id, transaction_id="t-1") for _ in range(10))
        answers = await asyncio.gather(*ask)
    assert {status for status, _ in answers} == {200}
    assert len({job["id"] for _, job in answers}) == 1


async def test_a_transaction_is_one_projects_own(server):
    async with client_of(server) as http:
        _, ours = await created(http, transaction_id="t-1")
    async with client_of(server) as http:
        http.headers["Authorization"] = "Bearer llx-other"
        _, theirs = await created(http, transaction_id="t-1")
    assert ours["id"] != theirs["id"]


async def test_every_change_of_a_job_is_announced_once_it_is_stored():
    heard = []
    server = LocalServer(classify=scripted, workers=1)

    def fails(change):
        raise ZeroDivisionError

    server.changes.listen(fails)  # and keeps nobody else from hearing
    server.changes.listen(lambda change: heard.append((change.job.id, change.job.status, change.webhooks)))
    async with server, client_of(server) as http:
        webhook = {"webhook_url": "http://127.0.0.1:9/hook", "webhook_events": ["classify.success"]}
        _, job = await created(http, webhook_configurations=[webhook, {"webhook_url": None}])
        done = await finished(http, job["id"])
        _, cancelled = await created(http, file_input=done["file_input"])
        await answer(http.post(f"{JOBS}/{cancelled['id']}/cancel"))
        body = {"file_ids": [done["file_input"]], "rules": job["configuration"]["rules"]}
        _, many = await answer(http.post(CLASSIFIER, json=body))
        await ended(http, many["id"])
    told = {job_id: [status for each, status, _ in heard if each == job_id] for job_id, _, _ in heard}
    assert told[job["id"]] == ["PENDING", "RUNNING", "COMPLETED"]
    assert told[cancelled["id"]][0] == "PENDING"
    assert told[many["id"]] == ["PENDING", "SUCCESS"]
    [hook] = heard[0][2]
    assert (hook.webhook_url, hook.webhook_events) == ("http://127.0.0.1:9/hook", ("classify.success",))


async def test_what_is_stored_has_the_clocks_time():
    now = NOW
    clock = Clock(now=lambda: now)
    async with LocalServer(classify=scripted, clock=clock) as server, client_of(server) as http:
        _, job = await created(http)
        now += timedelta(hours=1)
        cancelled = await answer(http.post(f"{JOBS}/{job['id']}/cancel"))
    assert job["created_at"] == "2026-01-01T00:00:00Z"
    assert cancelled[0] in {200, 409}
