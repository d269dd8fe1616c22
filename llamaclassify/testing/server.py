"""`ClassifyServer`: the embedded server in a thread of its own, doing what a test says."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import anyio
from aiohttp import web
from anyio.from_thread import start_blocking_portal

from ..models import Result
from ..policies import PollPolicy, RetryPolicy
from ..server import LocalServer
from ..server.clock import Clock
from ..session import ClassifySession
from .clock import ManualClock
from .faults import KINDS, LOOKS, Fault, Faults, Handler, kind_of
from .scripts import Script, Scripts

_WORKERS = 256
_SETTLES_WITHIN = 10.0
_QUICK_POLL = PollPolicy(initial=0.005, maximum=0.02, timeout=10.0)
_QUICK_RETRY = RetryPolicy(initial=0.005, maximum=0.02)


class ClassifyServer:
    """The classification API for tests, as a context manager: scripted, with faults, on a clock of its own.

    It runs in a thread of its own, so that any event loop can be tested with it, and none at all. Jobs take
    no time unless a script says so.

    Attributes:
        url: Where it listens; known once it is entered.
        api_key: A key that it accepts, as it does any that starts with ``llx-``.
        clock: Its time.
    """

    url: str

    def __init__(self, *, api_key: str = "llx-test", workers: int = _WORKERS, **options: Any) -> None:
        """Set a server up.

        Args:
            api_key: The key of its sessions.
            workers: Documents that run at once; the others stay PENDING.
            options: What else `LocalServer` takes.
        """
        self.api_key = api_key
        self.clock: ManualClock = ManualClock()
        self._scripts = Scripts(self.clock)
        self._faults = Faults()
        self._workers = workers
        self._server = LocalServer(
            classify=self._scripts.classify,
            workers=workers,
            clock=Clock(now=lambda: self.clock.now, sleep=self.clock.sleep),
            middlewares=[self._around],
            **options,
        )
        self._running = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as running:
            portal = running.enter_context(start_blocking_portal())
            server = running.enter_context(portal.wrap_async_context_manager(self._server))
            self.url = server.url
            self.clock.run_with(portal.call, self._settled)
            self._running = running.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._running.close()

    @property
    def requests(self) -> Counter[str]:
        """How many requests there have been of each kind, such as ``create``, ``get`` or ``upload``."""
        return Counter(self._faults.requests)

    def session(self, **options: Any) -> ClassifySession:
        """Give a session with it that looks and retries without long pauses.

        Args:
            options: What `ClassifySession` takes.
        """
        quick: dict[str, Any] = {"poll": _QUICK_POLL, "retry": _QUICK_RETRY}
        return ClassifySession(self.api_key, base_url=self.url, **(quick | options))

    def script(
        self,
        name: str = "*",
        *,
        rule: str | None = None,
        type: str | None = None,
        confidence: float = 1.0,
        reasoning: str = "as the test says",
        error: str | None = None,
        seconds: float = 0.0,
    ) -> None:
        """Say what becomes of some documents; a later script goes before an earlier one.

        A document without a script gets the first rule whose type its name contains, or none.

        Args:
            name: The documents' file name, a pattern such as ``"invoice-*.pdf"``.
            rule: Only in jobs that have a rule of this type.
            type: The type they get; None: no rule fits.
            confidence: How sure that is, 0.0 to 1.0.
            reasoning: Why.
            error: Instead of a result: the job fails, with this message.
            seconds: How long that takes, by the server's clock.
        """
        result = Result(type=type, confidence=confidence, reasoning=reasoning)
        self._scripts.add(Script(name=name, rule=rule, result=result, error=error, seconds=seconds))

    def fault(
        self,
        kind: str = "*",
        *,
        status: int | None = None,
        retry_after: float | None = None,
        lost: bool = False,
        cut: bool = False,
        delay: float = 0.0,
        times: int | None = 1,
        after: int = 0,
        chance: float = 1.0,
        seed: int = 0,
    ) -> None:
        """Say what goes wrong with some requests.

        Args:
            kind: Which: ``create``, ``get``, ``list``, ``cancel``, ``delete``, ``upload``, ``files.get`` and
                so on, as `requests` counts them; all, if not given.
            status: They are refused with this status, and not done.
            retry_after: The refusal's ``Retry-After``, in seconds.
            lost: They are done, then the connection is dropped.
            cut: They are done, then the connection is dropped in the middle of the answer.
            delay: They are done, then answered so many real seconds later.
            times: How many of them; None: all.
            after: How many go well before.
            chance: How likely each is to go wrong.
            seed: Makes the chance choose others.

        Raises:
            ValueError: There are no such requests.
        """
        if kind not in KINDS | {"*"}:
            message = f"{kind!r} is no kind of request; there are {', '.join(sorted(KINDS))}"
            raise ValueError(message)
        self._faults.add(
            Fault(
                kind=kind,
                status=status,
                retry_after=retry_after,
                is_lost=lost,
                is_cut=cut,
                delay=delay,
                times=times,
                after=after,
                chance=chance,
                seed=seed,
            )
        )

    def clear_faults(self) -> None:
        """Have all requests go well again."""
        self._faults.clear()

    @web.middleware
    async def _around(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        kind = kind_of(request)
        fault = self._faults.next_for(kind)
        if kind in LOOKS:
            # Whatever a job's end depends on has happened before anybody looks: no test depends on chance.
            await self.clock.move(self.clock.step)
        return await (handler(request) if fault is None else fault.answer(request, handler))

    async def _settled(self) -> None:
        """Wait until every document has ended or waits for the time to be moved."""
        with anyio.fail_after(_SETTLES_WITHIN):
            while min(self._server.unsettled, self._workers) > self.clock.jobs_asleep:  # noqa: ASYNC110
                await anyio.sleep(0.0005)
