"""`LocalServer`: the routes, the store, the jobs and the workers, brought up and down together."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web
from aiohttp.typedefs import Middleware

from ..models import Configuration, Result
from . import (
    classifier_jobs,
    classify,
    configurations,
    downloads,
    file_lists,
    files,
    webhook_configurations,
    window,
)
from .background import running_in_background
from .changes import Changes
from .clock import Clock
from .deliveries import Deliveries
from .http import API_KEY, CLOCK, RUNNER, STORE, WEBHOOK_HOSTS, errors_as_json
from .jobs import Classified, Classify, JobRunner
from .pool import WorkerPool
from .store import Store
from .units import unfinished

_ROUTES = (
    classify,
    classifier_jobs,
    files,
    file_lists,
    downloads,
    configurations,
    webhook_configurations,
    window,
)
_LARGEST_JSON = 16 * 1024 * 1024
_CLOSE_WITHIN = 1.0
_MOST_WAITING = 10_000

GiveResult = Callable[[Path, str, Configuration], Awaitable[Result]]
"""Gives the result for a document's path, name and configuration, instead of the engine."""


class LocalServer:
    """The classification API on this machine, as an async context manager.

    Jobs really run: each document's text is read and classified by the engine, in worker processes. Any API
    key that starts with ``llx-`` is accepted and sees a project of its own.

    Attributes:
        url: Where it listens, such as ``http://127.0.0.1:43127``; known once it is entered.
        changes: Tells listeners of every change of a job's status.
    """

    url: str

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        data: Path | None = None,
        keep: timedelta | None = None,
        api_key: str | None = None,
        workers: int | None = None,
        waiting: int = _MOST_WAITING,
        classify: GiveResult | None = None,
        webhook_hosts: Collection[str] = (),
        clock: Clock | None = None,
        middlewares: Sequence[Middleware] = (),
    ) -> None:
        """Set a server up; it listens once it is entered.

        Args:
            host: The address to listen on.
            port: The port; 0 takes any that is free.
            data: A folder to keep files and jobs in; without one they last as long as the server.
            keep: How long ended jobs and files are kept; for ever, if not given.
            api_key: The one key that is accepted, instead of any that starts with ``llx-``.
            workers: Documents classified at once; as many as there are processors, at most 4, if not given.
            waiting: Documents that may wait; more are refused with a 429.
            classify: Instead of the engine: gives the result for a document's path, name and configuration.
            webhook_hosts: Hosts besides this machine that webhooks may go to; a create that names another is
                refused.
            clock: Tells the time, instead of the system's.
            middlewares: Of aiohttp, around everything that is answered.
        """
        self.changes: Changes = Changes()
        self._host = host
        self._port = port
        self._data = data
        self._keep = keep
        self._api_key = api_key
        self._workers = workers or min(4, os.cpu_count() or 1)
        self._waiting = waiting
        self._classify = classify and _one_page_each(classify)
        self._webhook_hosts = webhook_hosts
        self._clock = clock or Clock()
        self._middlewares = middlewares
        self._runner: JobRunner | None = None
        self._running = AsyncExitStack()

    @property
    def unsettled(self) -> int:
        """How many documents wait or are under way."""
        return 0 if self._runner is None else self._runner.unsettled

    async def __aenter__(self) -> Self:
        """Bring everything up.

        Raises:
            DataFolderError: The data folder cannot be used.
        """
        async with AsyncExitStack() as running:
            deliveries = Deliveries(self._clock)
            running.push_async_callback(deliveries.aclose)
            running.callback(self.changes.listen(deliveries.announce))
            scratch = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="llamaclassify-")))
            store = await running.enter_async_context(
                Store.open(
                    self._data or scratch / "data",
                    durable=self._data is not None,
                    keep=self._keep,
                    clock=self._clock,
                    changes=self.changes,
                )
            )
            if store.pruner is not None:
                await running.enter_async_context(running_in_background(store.pruner.run()))
            self._runner = runner = JobRunner(
                self._classify or self._pool(scratch, running),
                concurrency=self._workers,
                waiting=self._waiting,
                clock=self._clock,
            )
            running.push_async_callback(runner.stop)
            runner.submit(await unfinished(store))
            await self._listen(self._application(store, runner), running)
            runner.start()
            self._running = running.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._running.aclose()

    def _pool(self, scratch: Path, running: AsyncExitStack) -> Classify:
        pool = WorkerPool(scratch)
        running.push_async_callback(pool.aclose)
        return pool.classify

    def _application(self, store: Store, runner: JobRunner) -> web.Application:
        middlewares = [*self._middlewares, errors_as_json]
        app = web.Application(middlewares=middlewares, client_max_size=_LARGEST_JSON)
        app[STORE] = store
        app[RUNNER] = runner
        app[CLOCK] = self._clock
        app[API_KEY] = self._api_key
        app[WEBHOOK_HOSTS] = self._webhook_hosts
        app[downloads.LINKS] = downloads.Links(self._clock)
        for module in _ROUTES:
            app.add_routes(module.routes)
        return app

    async def _listen(self, app: web.Application, running: AsyncExitStack) -> None:
        served = web.AppRunner(app, access_log=None, shutdown_timeout=_CLOSE_WITHIN)
        await served.setup()
        running.push_async_callback(served.cleanup)
        await web.TCPSite(served, self._host, self._port).start()
        host, port = served.addresses[0][:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _one_page_each(give: GiveResult) -> Classify:
    async def classify(path: Path, name: str, configuration: Configuration) -> Classified:
        return Classified(await give(path, name, configuration), pages=1)

    return classify
