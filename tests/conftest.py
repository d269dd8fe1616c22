"""What every test gets: a clean environment, a fake clock, mocked HTTP, a server with a scripted engine."""

from __future__ import annotations

import inspect
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from unittest.mock import Mock

import aiohttp
import aioresponses.core
import pytest
from aiohttp import web
from attrs import define, field, frozen
from hypothesis import settings

from llamaclassify import ClassifySession, Configuration, Job, PollPolicy, Result, Rule
from llamaclassify.server import LocalServer
from llamaclassify.server.jobs import UnclassifiableError
from llamaclassify.waiting.clock import Clock

settings.register_profile("default", deadline=None)
settings.load_profile("default")

KEY = "llx-test"
RULES = [
    Rule(type="invoice", description="contains an invoice number and a total amount"),
    Rule(type="receipt", description="shows a payment that has been made"),
]

# aioresponses 0.7.9 builds responses without what aiohttp 3.14 demands: drop this when it is released.
if "stream_writer" in inspect.signature(aiohttp.ClientResponse.__init__).parameters:

    class _Response(aiohttp.ClientResponse):
        def __init__(self, *args, **kwargs):
            kwargs.setdefault("stream_writer", Mock(output_size=0))
            super().__init__(*args, **kwargs)

    aioresponses.core.ClientResponse = _Response


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LLAMA_CLOUD_API_KEY", "LLAMA_CLOUD_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LLAMACLASSIFY_PROFILE", os.devnull)


@pytest.fixture
def mocked() -> Iterator[aioresponses.aioresponses]:
    """HTTP that is answered by the test; whatever it does not expect is refused."""
    with aioresponses.aioresponses() as mock:
        yield mock


@asynccontextmanager
async def serving(*routes: web.RouteDef) -> AsyncIterator[str]:
    """Serve a test's own routes on this machine; gives the URL."""
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@define
class FakeTime:
    """A clock that only sleeping moves; it remembers every sleep."""

    now: float = 1000.0
    slept: list[float] = field(factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    @property
    def clock(self) -> Clock:
        return Clock(now=lambda: self.now, sleep=self.sleep)


@frozen
class Seen:
    """A job as a wait sees it."""

    _job: Job

    @property
    def id(self) -> str:
        return self._job.id

    @property
    def status(self) -> str:
        return self._job.status

    @property
    def is_terminal(self) -> bool:
        return self._job.is_terminal

    def job(self) -> Job:
        return self._job


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


async def scripted(path: Path, name: str, configuration: Configuration) -> Result:
    """Classify by the document's name: ``receipt-1.txt`` is a receipt, ``broken…`` cannot be read."""
    label = name.split("-", maxsplit=1)[0].split(".", maxsplit=1)[0]
    if label == "broken":
        raise UnclassifiableError("PDF_IS_BROKEN: it cannot be opened")
    known = label in {rule.type for rule in configuration.rules}
    size = path.stat().st_size
    return Result(type=label if known else None, confidence=0.9, reasoning=f"{name}: {size} bytes")


@pytest.fixture
async def server() -> AsyncIterator[LocalServer]:
    """The embedded server with a scripted engine."""
    async with LocalServer(classify=scripted, workers=4) as running:
        yield running


@pytest.fixture
async def session(server: LocalServer) -> AsyncIterator[ClassifySession]:
    """A session with that server, looking often."""
    poll = PollPolicy(initial=0.005, maximum=0.02, timeout=10)
    async with ClassifySession(KEY, base_url=server.url, poll=poll) as opened:
        yield opened
