"""The programs in docs/examples do what they say, as processes of their own, with the embedded server."""

import asyncio
import os
import re
import sqlite3
import sys
from contextlib import asynccontextmanager, closing
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import unused_port
from attrs import Factory, define

from llamaclassify import Job, JobStatus
from llamaclassify.server import LocalServer

from .conftest import KEY, scripted

EXAMPLES = Path(__file__).parent.parent / "docs/examples"


@define
class Service:
    """The embedded server: documents named ``slow…`` take until the test frees them."""

    url: str = ""
    freed: asyncio.Event = Factory(asyncio.Event)
    changes: list[Job] = Factory(list)
    _changed: asyncio.Event = Factory(asyncio.Event)

    async def classify(self, path, name, configuration):
        if name.startswith("slow"):
            await self.freed.wait()
        return await scripted(path, name.removeprefix("slow-"), configuration)

    def hear(self, change):
        self.changes.append(change.job)
        self._changed.set()

    async def has(self, count, status):
        while sum(job.status == status for job in self.changes) < count:
            self._changed.clear()
            await self._changed.wait()

    @property
    def jobs(self):
        return {job.id for job in self.changes}

    @asynccontextmanager
    async def running(self, example, *arguments, **environment):
        """Run an example with this server; whatever happens, it has ended afterwards."""
        given = {
            "LLAMA_CLOUD_API_KEY": KEY,
            "LLAMA_CLOUD_BASE_URL": self.url,
            "PYTHONUNBUFFERED": "1",
            "PORT": "0",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-W", "error", EXAMPLES / example, *arguments),
            env=os.environ | given | environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


async def rest(process):
    """Wait for an example's end; give what it said since."""
    said, _ = await process.communicate()
    assert b"Traceback" not in said, said.decode()
    return said.decode()


async def ended(process):
    """End an example as a supervisor does; give what it said since."""
    process.terminate()
    return await rest(process)


@asynccontextmanager
async def client(process):
    """A client of an example that is a web service, once it listens."""
    said = b""
    async for line in process.stdout:
        said += line
        if found := re.search(rb"on (http://[\d.:]+)", line):
            break
    else:
        pytest.fail(said.decode())
    async with aiohttp.ClientSession(found[1].decode()) as http:
        yield http


@pytest.fixture
async def service():
    service = Service()
    async with LocalServer(classify=service.classify, workers=8) as server:
        server.changes.listen(service.hear)
        service.url = server.url
        yield service


def form(field, *names):
    data = aiohttp.FormData()
    for name in names:
        data.add_field(field, b"content", filename=name)
    return data


def to_fastapi(http, name):
    return http.post("/documents", data=form("document", name))


def to_aiohttp(http, name):
    return http.post(f"/documents/{name}", data=b"content")


both = pytest.mark.parametrize(
    ("example", "post"), [("fastapi_service.py", to_fastapi), ("aiohttp_service.py", to_aiohttp)]
)


@both
async def test_a_service_says_what_a_document_is(service, example, post):
    async with service.running(example) as process, client(process) as http:
        async with post(http, "invoice-1.txt") as answer:
            assert (answer.status, (await answer.json())["type"]) == (200, "invoice")
        async with post(http, "broken-1.txt") as answer:
            assert (answer.status, "PDF_IS_BROKEN" in (await answer.json())["detail"]) == (422, True)
        await ended(process)


@both
async def test_a_client_that_hangs_up_cancels_its_job(service, example, post):
    async with service.running(example) as process, client(process) as http:
        asking = asyncio.create_task(post(http, "slow-invoice.txt").__aenter__())
        await service.has(1, JobStatus.RUNNING)
        asking.cancel()
        await service.has(1, JobStatus.CANCELLED)
        async with post(http, "invoice-1.txt") as answer:
            assert answer.status == 200
        await ended(process)


async def batch(http, batch_id):
    async with http.get(f"/batches/{batch_id}") as answer:
        return await answer.json()


async def batch_with(results, http, batch_id):
    while len((found := await batch(http, batch_id))["results"]) < results:
        await asyncio.sleep(0.02)
    return found


@both
async def test_a_batch_runs_in_the_background(service, example, post):
    async with service.running(example) as process, client(process) as http:
        names = ["invoice-1.txt", "slow-receipt-2.txt"]
        async with http.post("/batches", data=form("documents", *names)) as answer:
            assert answer.status == 202
            batch_id = (await answer.json())["id"]
        found = await batch_with(1, http, batch_id)
        assert (found["done"], found["total"]) == (1, 2)
        service.freed.set()
        found = await batch_with(2, http, batch_id)
        assert [(result["document"], result["type"]) for result in found["results"]] == [
            ("invoice-1.txt", "invoice"),
            ("slow-receipt-2.txt", "receipt"),
        ]
        assert (await http.get("/batches/none")).status == 404
        await ended(process)


@both
async def test_a_service_ends_with_a_batch_under_way(service, example, post):
    async with service.running(example) as process, client(process) as http:
        async with http.post("/batches", data=form("documents", "slow-receipt.txt")) as answer:
            assert answer.status == 202
        await service.has(1, JobStatus.RUNNING)
        await ended(process)


@both
async def test_a_key_that_is_refused_is_said(service, example, post):
    async with service.running(example, LLAMA_CLOUD_API_KEY="refused") as process, client(process) as http:
        async with post(http, "invoice-1.txt") as answer:
            assert answer.status == 502
        async with http.post("/batches", data=form("documents", "invoice-1.txt")) as answer:
            batch_id = (await answer.json())["id"]
        while not (error := (await batch(http, batch_id))["error"]):
            await asyncio.sleep(0.02)
        assert "401" in error
        await ended(process)


SECRET = "whsec-1"


async def test_a_webhook_ends_a_wait(service):
    port = str(unused_port())
    with_hooks = {"PORT": port, "WEBHOOK_SECRET": SECRET, "POLL_SECONDS": "3600"}
    async with service.running("webhook_service.py", **with_hooks) as process, client(process) as http:
        asking = asyncio.create_task(to_aiohttp(http, "slow-invoice.txt").__aenter__())
        await service.has(1, JobStatus.RUNNING)
        service.freed.set()
        answer = await asking
        assert (await answer.json())["type"] == "invoice"
        await ended(process)


async def test_polling_ends_it_where_the_delivery_is_lost(service):
    lost = {
        "WEBHOOK_SECRET": SECRET,
        "PUBLIC_URL": f"http://127.0.0.1:{unused_port()}",
        "POLL_SECONDS": "0.1",
    }
    async with service.running("webhook_service.py", **lost) as process, client(process) as http:
        async with to_aiohttp(http, "invoice-1.txt") as answer:
            assert (await answer.json())["type"] == "invoice"
        await ended(process)


async def test_a_delivery_that_is_not_genuine_is_refused(service):
    async with (
        service.running("webhook_service.py", WEBHOOK_SECRET=SECRET) as process,
        client(process) as http,
    ):
        signed = {"LC-Signature": "sha256=" + 64 * "0"}
        async with http.post("/hook", json={"event_type": "classify.success"}, headers=signed) as answer:
            assert answer.status == 401
        await ended(process)


def stored(work):
    with closing(sqlite3.connect(work / "results.db")) as results:
        rows = results.execute("SELECT document, type, error IS NULL FROM results ORDER BY document")
        return [(Path(document).name, *found) for document, *found in rows]


async def lines(process, count):
    return [(await process.stdout.readline()).decode() for _ in range(count)]


def folder_of(tmp_path, *names):
    folder = tmp_path / "inbox"
    folder.mkdir()
    for name in names:
        (folder / name).write_text(name)
    return folder


@pytest.fixture
def inbox(tmp_path):
    return folder_of(tmp_path, "slow-invoice-1.txt", "slow-receipt-2.txt", "broken-3.txt")


STORED = [
    ("broken-3.txt", None, 0),
    ("slow-invoice-1.txt", "invoice", 1),
    ("slow-receipt-2.txt", "receipt", 1),
]


async def test_a_pipeline_that_is_told_to_end_finishes_what_is_under_way(service, inbox, tmp_path):
    work = tmp_path / "work"
    async with service.running("pipeline.py", inbox, work) as process:
        await service.has(3, JobStatus.RUNNING)
        process.terminate()
        service.freed.set()
        said = await rest(process)
        assert (process.returncode, said.splitlines()[-1]) == (0, "drained")
    assert stored(work) == STORED


async def test_a_pipeline_goes_on_with_the_jobs_it_left(service, inbox, tmp_path):
    work = tmp_path / "work"
    async with service.running("pipeline.py", inbox, work, DRAIN_SECONDS="0") as process:
        await service.has(3, JobStatus.RUNNING)
        assert "broken-3.txt" in (await lines(process, 1))[0]
        said = await ended(process)
        assert (process.returncode, said) == (0, "")
    service.freed.set()
    (inbox / "invoice-4.txt").write_text("4")
    async with service.running("pipeline.py", inbox, work) as process:
        assert len(set(await lines(process, 4))) == 4
        assert "drained" in await ended(process)
    assert stored(work) == [STORED[0], ("invoice-4.txt", "invoice", 1), *STORED[1:]]
    assert len(service.jobs) == 4


async def test_the_notebook_runs_as_a_script(service, tmp_path):
    folder = folder_of(tmp_path, "invoice-1.txt", "bank_statement-2.txt", "broken-3.txt")
    for _ in range(2):  # the second time from its journal
        async with service.running("notebook.py", FOLDER=str(folder)) as process:
            said = await rest(process)
        assert "broken-3.txt (error) job" in said
        assert said.splitlines()[-1] == "bank_statement-2.txt: (none) -> bank_statement"
    assert len(service.jobs) == 6


async def test_the_notebook_runs_where_a_loop_is_running(classify_server, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("FOLDER", str(folder_of(tmp_path, "invoice-1.txt", "bank_statement-2.txt")))
    exec((EXAMPLES / "notebook.py").read_text(), {})  # noqa: S102
    assert "bank_statement-2.txt: (none) -> bank_statement" in capsys.readouterr().out


async def test_a_durable_queue_goes_on_after_a_crash(service, inbox, tmp_path):
    work = tmp_path / "work"
    async with service.running("durable_queue.py", inbox, work) as process:
        await service.has(3, JobStatus.RUNNING)
        assert "broken-3.txt job" in (await lines(process, 1))[0]
        process.kill()
    service.freed.set()
    (inbox / "invoice-4.txt").write_text("4")
    async with service.running("durable_queue.py", inbox, work) as process:
        # One whose end was not noted at the crash says it again.
        while len(stored(work)) < 4:
            await lines(process, 1)
    assert stored(work) == [STORED[0], ("invoice-4.txt", "invoice", 1), *STORED[1:]]
    assert len(service.jobs) == 4
