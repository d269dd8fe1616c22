"""`LocalServer`: the routes, the store, the jobs and the workers, brought up and down together."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from ..models import Configuration, Result
from . import classifier_jobs, classify, configurations, downloads, file_lists, files
from .http import RUNNER, STORE, errors_as_json
from .jobs import Classified, Classify, JobRunner
from .pool import WorkerPool
from .store import Store

_LARGEST_JSON = 16 * 1024 * 1024
_CLOSE_WITHIN = 1.0

GiveResult = Callable[[Path, str, Configuration], Awaitable[Result]]
"""Gives the result for a document's path, name and configuration, instead of the engine."""


class LocalServer:
    """The classification API on this machine, as an async context manager.

    Jobs really run: each document's text is read and classified by the engine, in worker processes. Any API
    key that starts with ``llx-`` is accepted and sees a project of its own. Files and jobs last as long as
    the server.

    Attributes:
        url: Where it listens, such as ``http://127.0.0.1:43127``; known once it is entered.
    """

    url: str

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        workers: int | None = None,
        classify: GiveResult | None = None,
    ) -> None:
        """Set a server up; it listens once it is entered.

        Args:
            host: The address to listen on.
            port: The port; 0 takes any that is free.
            workers: Documents classified at once; as many as there are processors, at most 4, if not given.
            classify: Instead of the engine: gives the result for a document's path, name and configuration.
        """
        self._host = host
        self._port = port
        self._workers = workers or min(4, os.cpu_count() or 1)
        self._classify = classify and _one_page_each(classify)
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as running:
            folder = running.enter_context(tempfile.TemporaryDirectory(prefix="llamaclassify-"))
            pool = self._classify or self._pool(Path(folder), running)
            runner = JobRunner(pool, concurrency=self._workers)
            running.push_async_callback(runner.stop)
            app = _application(Store(Path(folder)), runner)
            served = web.AppRunner(app, access_log=None, shutdown_timeout=_CLOSE_WITHIN)
            await served.setup()
            running.push_async_callback(served.cleanup)
            await web.TCPSite(served, self._host, self._port).start()
            runner.start()
            host, port = served.addresses[0][:2]
            self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
            self._running = running.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._running.aclose()

    def _pool(self, folder: Path, running: AsyncExitStack) -> Classify:
        pool = WorkerPool(folder)
        running.push_async_callback(pool.aclose)
        return pool.classify


def _one_page_each(give: GiveResult) -> Classify:
    async def classify(path: Path, name: str, configuration: Configuration) -> Classified:
        return Classified(await give(path, name, configuration), pages=1)

    return classify


def _application(store: Store, runner: JobRunner) -> web.Application:
    app = web.Application(middlewares=[errors_as_json], client_max_size=_LARGEST_JSON)
    app[STORE] = store
    app[RUNNER] = runner
    app[downloads.LINKS] = downloads.Links()
    for module in (classify, files, file_lists, downloads, configurations, classifier_jobs):
        app.add_routes(module.routes)
    return app
