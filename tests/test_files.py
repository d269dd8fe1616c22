"""Documents up and down: streams, attempts, and a key that goes to the API alone."""

import asyncio
import os
from contextlib import AsyncExitStack

import aiohttp
import pytest
from aiohttp import web

from llamaclassify import APIConnectionError, ClassifySession, ConfigurationError, NotFoundError, RetryPolicy

from .conftest import KEY, serving

CONTENT = b"line\n" * 40_000


async def chunks():
    for start in range(0, len(CONTENT), 70_000):
        yield CONTENT[start : start + 70_000]


@pytest.mark.parametrize(
    "document",
    [("a.txt", CONTENT), ("a.txt", bytearray(CONTENT)), ("a.txt", chunks)],
    ids=["bytes", "bytearray", "function"],
)
async def test_what_goes_up_comes_down(session, document):
    file = await session.files.upload(document)
    assert file.name == "a.txt"
    assert await session.files.content(file.id) == CONTENT


async def test_a_stream_that_can_be_read_once(session):
    file = await session.files.upload(("a.txt", chunks()))
    assert await session.files.content(file.id) == CONTENT


async def test_a_path_is_streamed(session, tmp_path):
    path = tmp_path / "ü b.txt"
    path.write_bytes(CONTENT)
    file = await session.files.upload(path)
    assert file.name == "ü b.txt"
    assert await session.files.content(file.id) == CONTENT


async def test_a_deleted_file_is_gone(session):
    file = await session.files.upload(("a.txt", b"x"))
    assert await session.files.delete(file.id) is None
    with pytest.raises(NotFoundError):
        await session.files.get(file.id)


async def test_files_are_listed_by_name(session):
    for name in ("b.txt", "a.txt", "c.txt"):
        await session.files.upload((name, b"x"), external_file_id=f"mine-{name}")
    assert [file.name async for file in session.files.list(order_by="name", page_size=2)] == [
        "a.txt",
        "b.txt",
        "c.txt",
    ]
    [found] = [file async for file in session.files.list(external_file_id="mine-b.txt")]
    assert found.name == "b.txt"


async def test_what_is_no_document_is_refused(session):
    for document in (5, ("a.txt",), ("a.txt", "text"), ("", b"x"), (b"a", b"x")):
        with pytest.raises(ConfigurationError, match="document"):
            await session.files.upload(document)
    with pytest.raises(ConfigurationError, match="order_by"):
        session.files.list(order_by="size")


class Storage:
    """A server that fails the first uploads, and keeps its documents behind a signed URL elsewhere."""

    def __init__(self, failures):
        self.failures = failures
        self.received = []
        self.keys = []

    async def upload(self, request):
        form = await request.post()
        self.received.append(form["file"].file.read())
        if len(self.received) <= self.failures:
            return web.Response(status=503)
        return web.json_response({"id": "dfl-1", "name": form["file"].filename}, status=201)

    async def content(self, request):
        self.keys.append(request.headers.get("Authorization"))
        url = request.url.with_path("/elsewhere").with_query("sig=%2Fa%2Bb")
        return web.json_response({"url": str(url), "expires_at": "2026-01-01T00:00:00Z"})

    async def elsewhere(self, request):
        self.keys.append(request.headers.get("Authorization"))
        return web.Response(text=request.query_string)


@pytest.fixture
async def storage():
    """Starts such a server; gives a session with it."""
    async with AsyncExitStack() as running:

        async def start(storage):
            routes = [
                web.post("/api/v1/beta/files", storage.upload),
                web.get("/api/v1/beta/files/dfl-1/content", storage.content),
                web.get("/elsewhere", storage.elsewhere),
            ]
            url = await running.enter_async_context(serving(*routes))
            session = ClassifySession(KEY, base_url=url, retry=RetryPolicy(attempts=3, initial=0))
            return await running.enter_async_context(session)

        yield start


async def test_each_attempt_opens_the_document_anew(storage, tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(CONTENT)
    for document in (path, ("a.txt", chunks), ("a.txt", CONTENT)):
        server = Storage(failures=2)
        session = await storage(server)
        await session.files.upload(document)
        assert server.received == [CONTENT] * 3


async def test_a_stream_that_can_be_read_once_is_sent_once(storage):
    server = Storage(failures=1)
    session = await storage(server)
    with pytest.raises(Exception, match="503"):
        await session.files.upload(("a.txt", chunks()))
    assert server.received == [CONTENT]


async def test_the_key_goes_to_the_api_and_not_to_where_the_bytes_are(storage):
    server = Storage(failures=0)
    session = await storage(server)
    assert await session.files.content("dfl-1") == b"sig=%2Fa%2Bb"
    assert server.keys == [f"Bearer {KEY}", None]


async def test_a_refused_connection_is_our_error():
    async with ClassifySession(KEY, base_url="http://127.0.0.1:1", retry=RetryPolicy(attempts=1)) as session:
        with pytest.raises(APIConnectionError) as caught:
            await session.get("clj-1")
    assert not caught.value.sent
    assert isinstance(caught.value.__cause__, aiohttp.ClientError)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork")  # just what this is about
def test_a_session_from_before_a_fork_says_so():
    session = ClassifySession(KEY, base_url="http://127.0.0.1:9")
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            asyncio.run(session.get("clj-1"))
        except ConfigurationError as error:
            os.write(writer, str(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as told:
        assert "before a fork" in told.read()
