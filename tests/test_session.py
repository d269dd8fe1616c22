"""The session against the embedded server: uploads, waits, fan-out, lifetime."""

import asyncio
import os
import threading

import aiohttp
import pytest
from aiohttp import web

from llamaclassify import (
    AuthenticationError,
    BadRequestError,
    ClassifySession,
    Configuration,
    ConfigurationError,
    ConflictError,
    JobCancelledError,
    JobFailedError,
    JobTimeoutError,
    NotFoundError,
    ParsingConfiguration,
    PollPolicy,
    Rate,
    RateLimit,
    Result,
    SessionClosedError,
)
from llamaclassify.cli.documents import expand
from llamaclassify.loopback import is_loopback
from llamaclassify.server import LocalServer

from .conftest import KEY, RULES, serving


async def never(path, name, configuration):
    await asyncio.sleep(3600)


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "invoice-7.txt"
    path.write_bytes(b"x" * 300_000)
    return path


async def test_a_path_is_uploaded_and_classified(session, document):
    job = await session.create_and_wait(document, rules=RULES)
    assert job.result == Result(type="invoice", confidence=0.9, reasoning="invoice-7.txt: 300000 bytes")
    assert job.configuration == Configuration(RULES)


async def test_named_bytes_are_uploaded(session):
    job = await session.create_and_wait(("receipt-ä 1.txt", b"paid"), rules=RULES)
    assert job.result.type == "receipt"
    file = await session.files.get(job.file_input)
    assert (file.name, file.purpose, file.file_type) == ("receipt-ä 1.txt", "classify", "txt")


async def test_an_id_is_classified_without_an_upload(session, document):
    file = await session.files.upload(document, external_file_id="mine")
    assert file.external_file_id == "mine"
    job = await session.create_and_wait(file.id, rules=RULES)
    assert job.file_input == file.id


async def test_no_rule_that_fits_is_an_answer(session):
    assert (await session.create_and_wait(("poem-1.txt", b"x"), rules=RULES)).result.type is None


async def test_a_failed_job_raises_with_the_servers_message(session):
    with pytest.raises(JobFailedError, match="PDF_IS_BROKEN") as caught:
        await session.create_and_wait(("broken-1.pdf", b"x"), rules=RULES)
    assert caught.value.job.error_message.startswith("PDF_IS_BROKEN")


async def test_the_parsing_configuration_is_echoed(session):
    parsing = ParsingConfiguration(lang="de", max_pages=2)
    configuration = Configuration(RULES, parsing_configuration=parsing)
    job = await session.create_and_wait(("invoice-1.txt", b"x"), configuration=configuration)
    assert job.configuration == configuration


async def test_the_same_transaction_id_gives_the_same_job(session):
    file = await session.files.upload(("invoice-1.txt", b"x"))
    first = await session.create(file.id, rules=RULES, transaction_id="order-1")
    again = await session.create(file.id, rules=RULES[:1], transaction_id="order-1")
    assert again.id == first.id


async def test_watch_ends_with_the_terminal_status(session):
    file = await session.files.upload(("invoice-1.txt", b"x"))
    job = await session.create(file.id, rules=RULES)
    assert [seen.status async for seen in session.watch(job.id)][-1] == "COMPLETED"


async def test_a_job_is_cancelled_then_deleted():
    async with (
        LocalServer(classify=never, workers=1) as server,
        ClassifySession(KEY, base_url=server.url) as session,
    ):
        file = await session.files.upload(("invoice-1.txt", b"x"))
        job = await session.create(file.id, rules=RULES)
        with pytest.raises(ConflictError):
            await session.delete(job.id)
        assert (await session.cancel(job.id)).status == "CANCELLED"
        with pytest.raises(JobCancelledError):
            await session.wait(job.id)
        with pytest.raises(ConflictError):
            await session.cancel(job.id)
        assert (await session.delete(job.id)).id == job.id
        with pytest.raises(NotFoundError, match="Classify job not found"):
            await session.get(job.id)


@pytest.mark.parametrize(("on_cancel", "status"), [("detach", "RUNNING"), ("cancel", "CANCELLED")])
async def test_a_timed_out_wait_leaves_or_cancels_the_job(on_cancel, status):
    async with (
        LocalServer(classify=never, workers=1) as server,
        ClassifySession(KEY, base_url=server.url) as session,
    ):
        poll = PollPolicy(initial=0.01, timeout=0.04)
        with pytest.raises(JobTimeoutError) as caught:
            await session.create_and_wait(
                ("invoice-1.txt", b"x"), rules=RULES, poll=poll, on_cancel=on_cancel
            )
        assert (await session.get(caught.value.job_id)).status == status


async def test_a_cancelled_wait_says_which_job_it_was():
    async with (
        LocalServer(classify=never, workers=1) as server,
        ClassifySession(KEY, base_url=server.url) as session,
    ):
        task = asyncio.create_task(session.create_and_wait(("invoice-1.txt", b"x"), rules=RULES))
        while not [job async for job in session.list()]:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        [job] = [job async for job in session.list()]
        assert caught.value.__notes__ == [f"classify job: {job.id}"]


async def test_many_documents_in_order(session):
    documents = [("invoice-1.txt", b"x"), ("broken-2.txt", b"x"), ("receipt-3.txt", b"x")] * 20
    outcomes = await session.classify_many(documents, rules=RULES, concurrency=7)
    assert [outcome.document for outcome in outcomes] == documents
    assert [outcome.result and outcome.result.type for outcome in outcomes] == [
        "invoice",
        None,
        "receipt",
    ] * 20
    assert len([job async for job in session.list(status="FAILED", page_size=3)]) == 20


async def test_bad_documents_are_outcomes_and_nothing_of_them_is_sent(session, tmp_path):
    (tmp_path / "empty.txt").touch()
    documents = [tmp_path / "missing.txt", tmp_path / "empty.txt", tmp_path, ("", b"x"), 5, ("a.txt", "text")]
    outcomes = await session.classify_many(documents, rules=RULES)
    assert [type(outcome.error) for outcome in outcomes] == [ConfigurationError] * 6
    assert [str(outcome.error).rpartition(": ")[2] for outcome in outcomes[:3]] == [
        "no such file",
        "empty.txt is empty",
        "is a folder, not a file",
    ]
    assert not [job async for job in session.list()]


async def test_a_path_given_as_a_text_is_explained(session, document):
    with pytest.raises(ConfigurationError, match="give Path"):
        await session.create_and_wait(str(document), rules=RULES)


async def test_rules_are_checked_before_anything_is_uploaded(session, document):
    with pytest.raises(ConfigurationError, match=r"configuration\.rules"):
        await session.create_and_wait(document, rules=[])
    with pytest.raises(ConfigurationError, match="not both"):
        session.classify_many([document], rules=RULES, configuration_id="cfg-1")
    with pytest.raises(ConfigurationError, match=r"rules\[0\]: expected a Rule"):
        session.classify_many([document], rules=[{"type": "a"}])
    with pytest.raises(ConfigurationError, match=r"rules\[0\]: expected a Rule, got dict"):
        session.classify_many([document], configuration=Configuration([{"type": "a"}]))
    with pytest.raises(ConfigurationError, match="parsing_configuration: expected a ParsingConfiguration"):
        session.classify_many([document], configuration=Configuration(RULES, parsing_configuration={}))
    with pytest.raises(ConfigurationError, match="poll: expected a PollPolicy, got int"):
        session.classify_many([document], rules=RULES, poll=5)
    with pytest.raises(ConfigurationError, match="created_at_on_or_after: expected a datetime, got str"):
        session.list(created_at_on_or_after="yesterday")
    with pytest.raises(ConfigurationError, match="on_cancel"):
        session.classify_many([document], rules=RULES, on_cancel="stop")


async def test_an_unknown_file_is_refused_by_the_server(session):
    with pytest.raises(BadRequestError, match="File ID dfl-0 is not in Project ID"):
        await session.create("dfl-0", rules=RULES)


async def test_a_wrong_key_ends_a_batch(server):
    async with ClassifySession("wrong", base_url=server.url) as session:
        with pytest.raises(AuthenticationError):
            await session.classify_many([("a.txt", b"x")] * 50, rules=RULES)


async def test_each_key_and_project_sees_its_own(session, server):
    file = await session.files.upload(("invoice-1.txt", b"x"))
    job = await session.create(file.id, rules=RULES)
    async with ClassifySession("llx-other", base_url=server.url) as other:
        with pytest.raises(NotFoundError):
            await other.get(job.id)
    with pytest.raises(NotFoundError):
        await session.get(job.id, project_id="123e4567-e89b-12d3-a456-426614174000")


async def test_a_borrowed_http_session_is_used_and_never_closed(server):
    async with aiohttp.ClientSession() as http:
        async with ClassifySession(KEY, base_url=server.url, http=http) as session:
            assert not [job async for job in session.list()]
        assert not http.closed


async def test_closing_twice_does_nothing_and_a_closed_session_says_so(server):
    session = ClassifySession(KEY, base_url=server.url)
    await session.aclose()
    await session.aclose()
    with pytest.raises(ConfigurationError, match="closed"):
        await session.get("clj-1")


async def test_another_event_loop_is_told_so(session):
    assert not [job async for job in session.list()]
    errors = []

    def elsewhere():
        try:
            asyncio.run(session.get("clj-1"))
        except ConfigurationError as error:
            errors.append(str(error))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    await asyncio.to_thread(thread.join)
    assert "another event loop" in errors[0]


async def test_a_server_that_never_answers_the_create_ends_at_the_deadline():
    async def swallow(reader, writer):
        await reader.read()
        writer.close()
        await writer.wait_closed()
        gone.set()

    gone = asyncio.Event()

    silent = await asyncio.start_server(swallow, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    async with silent, ClassifySession(KEY, base_url=f"http://127.0.0.1:{port}") as session:
        with pytest.raises(JobTimeoutError, match="transaction_id='order-1'") as caught:
            await session.create_and_wait(
                "dfl-1", rules=RULES, transaction_id="order-1", poll=PollPolicy(timeout=0.02)
            )
        await session.aclose()
        await gone.wait()
    assert caught.value.job is None


async def test_creates_are_limited_as_creates(server):
    limit = RateLimit(creates=Rate(5, 0.05), uploads=None)
    async with ClassifySession(KEY, base_url=server.url, rate_limit=limit) as session:
        file = await session.files.upload(("invoice-1.txt", b"x"))
        started = asyncio.get_running_loop().time()
        await asyncio.gather(*(session.create(file.id, rules=RULES) for _ in range(11)))
        assert asyncio.get_running_loop().time() - started >= 0.1


@pytest.mark.parametrize("interval", [0.001, 60])
async def test_closing_the_session_ends_every_wait_at_once(interval):
    async with LocalServer(classify=never, workers=1) as server:
        session = ClassifySession(KEY, base_url=server.url, poll=PollPolicy(initial=interval, maximum=60))
        waits = [
            asyncio.create_task(session.create_and_wait((f"invoice-{n}.txt", b"x"), rules=RULES))
            for n in range(5)
        ]
        while len([job async for job in session.list()]) < 5:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.03)
        await session.aclose()
        ended = await asyncio.gather(*waits, return_exceptions=True)
    assert [type(error) for error in ended] == [SessionClosedError] * 5
    assert all("closed" in str(error) and error.job_id for error in ended)


class SlowCreate:
    """A server that makes the job at once and answers the create late; it counts what it is asked."""

    def __init__(self):
        self.jobs = {}
        self.cancelled = []
        self.released = asyncio.Event()

    async def create(self, request):
        transaction = (await request.json())["transaction_id"]
        known = transaction in self.jobs
        self.jobs[transaction] = "clj-1"
        if not known:
            await self.released.wait()
        return web.json_response({"id": "clj-1", "status": "RUNNING"})

    async def cancel(self, request):
        self.cancelled.append(request.match_info["job_id"])
        return web.json_response({"id": "clj-1", "status": "CANCELLED"})


@pytest.fixture
async def slow():
    """A session with such a server, and the server."""
    server = SlowCreate()
    routes = [
        web.post("/api/v2/classify", server.create),
        web.post("/api/v2/classify/{job_id}/cancel", server.cancel),
    ]
    async with serving(*routes) as url, ClassifySession(KEY, base_url=url) as session:
        yield session, server
        server.released.set()


@pytest.mark.parametrize(("on_cancel", "cancelled"), [("detach", []), ("cancel", ["clj-1"])])
@pytest.mark.parametrize("way", ["task", "deadline"])
async def test_a_create_that_is_cut_off_leaves_or_cancels_the_job_it_made(slow, way, on_cancel, cancelled):
    session, server = slow
    poll = PollPolicy(timeout=0.03 if way == "deadline" else 60)
    wait = session.create_and_wait("dfl-1", rules=RULES, poll=poll, on_cancel=on_cancel)
    task = asyncio.create_task(wait)
    while not server.jobs:
        await asyncio.sleep(0.001)
    if way == "task":
        task.cancel()
    with pytest.raises((asyncio.CancelledError, JobTimeoutError)) as caught:
        await task
    [transaction] = server.jobs
    assert caught.value.__notes__ == [f"classify transaction: {transaction}"]
    assert server.cancelled == cancelled


async def test_a_create_that_fails_carries_its_transaction_id(session):
    with pytest.raises(BadRequestError) as caught:
        await session.create("dfl-0", rules=RULES, transaction_id="order-1")
    assert caught.value.transaction_id == "order-1"


@pytest.mark.parametrize(
    "url",
    ["http://[::1", "http://host:99999", "http://user:pw@host", "http://", "http://host?x=1", "ftp://x"],
)
def test_a_base_url_that_cannot_be_right(url):
    with pytest.raises(ConfigurationError, match="base_url"):
        ClassifySession(KEY, base_url=url)


@pytest.mark.parametrize(
    ("host", "is_this_machine"),
    [
        *(("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True)),
        *(("127.pages.example", False), ("localhost.example", False), ("10.0.0.1", False), ("", False)),
    ],
)
def test_which_hosts_are_this_machine(host, is_this_machine):
    assert is_loopback(host) is is_this_machine


async def test_a_proxy_of_the_environment_is_not_used_for_this_machine(server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with ClassifySession(KEY, base_url=server.url) as session:
        assert not [job async for job in session.list()]
    assert ClassifySession(KEY, base_url="http://host.example")._transport._proxy == "http://127.0.0.1:9"


async def test_a_login_in_netrc_is_not_used(server, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    async with ClassifySession(KEY, base_url=server.url) as session:
        assert not [job async for job in session.list()]


async def test_a_borrowed_http_session_that_is_closed_is_told_so(server):
    http = aiohttp.ClientSession()
    await http.close()
    async with ClassifySession(KEY, base_url=server.url, http=http) as session:
        with pytest.raises(ConfigurationError, match=r"http: .* closed"):
            await session.get("clj-1")


async def test_a_pipe_is_no_document(session, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert expand([str(tmp_path)]) == []
    with pytest.raises(ConfigurationError, match="is no ordinary file"):
        await session.create_and_wait(tmp_path / "pipe", rules=RULES)
