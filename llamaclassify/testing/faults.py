"""What goes wrong, and with which requests; and how many requests of which kind there were."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable

from aiohttp import web
from attrs import Factory, define, field

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_KINDS = {
    "POST /api/v2/classify": "create",
    "GET /api/v2/classify": "list",
    "GET /api/v2/classify/{job_id}": "get",
    "POST /api/v2/classify/{job_id}/cancel": "cancel",
    "DELETE /api/v2/classify/{job_id}": "delete",
    "POST /api/v1/beta/files": "upload",
    "GET /api/v1/beta/files": "files.list",
    "POST /api/v1/beta/files/query": "files.query",
    "GET /api/v1/beta/files/{file_id}": "files.get",
    "DELETE /api/v1/beta/files/{file_id}": "files.delete",
    "GET /api/v1/beta/files/{file_id}/content": "files.content",
    "POST /api/v1/beta/configurations": "configurations.create",
    "GET /api/v1/beta/configurations": "configurations.list",
    "GET /api/v1/beta/configurations/{config_id}": "configurations.get",
    "PUT /api/v1/beta/configurations/{config_id}": "configurations.update",
    "DELETE /api/v1/beta/configurations/{config_id}": "configurations.delete",
    "POST /api/v1/classifier/jobs": "classifier_jobs.create",
    "GET /api/v1/classifier/jobs": "classifier_jobs.list",
    "GET /api/v1/classifier/jobs/{classify_job_id}": "classifier_jobs.get",
    "GET /api/v1/classifier/jobs/{classify_job_id}/results": "classifier_jobs.get_results",
}
KINDS = frozenset(_KINDS.values())
"""The kinds of requests, by the names of the session's calls."""
LOOKS = frozenset({"get", "list", "classifier_jobs.get"})
"""The kinds that look at how a job stands."""


def kind_of(request: web.Request) -> str:
    """Name a request's kind; one that is not the API's is named by its method and path."""
    resource = request.match_info.route.resource
    route = f"{request.method} {resource.canonical if resource else request.path}"
    return _KINDS.get(route, route)


@define(kw_only=True)
class Fault:
    """What goes wrong with requests of one kind.

    Attributes:
        kind: Of the requests; ``"*"`` for all.
        status: Answer this and do nothing.
        retry_after: The ``Retry-After`` that goes with it.
        is_lost: Do what was asked, then drop the connection.
        is_cut: Do what was asked, then drop the connection in the middle of the answer's body.
        delay: Do what was asked, then wait so many real seconds before answering.
        times: How often; None: always.
        after: How many such requests go well before.
        chance: How likely each of them is to go wrong.
        seed: Of the chance.
    """

    kind: str
    status: int | None = None
    retry_after: float | None = None
    is_lost: bool = False
    is_cut: bool = False
    delay: float = 0.0
    times: int | None = 1
    after: int = 0
    chance: float = 1.0
    seed: int = 0
    _random: random.Random = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311  (a test's chance, the same each time)

    def strikes(self, kind: str) -> bool:
        """Tell whether a request of a kind goes wrong, counting it."""
        if self.kind not in {"*", kind} or self.times == 0:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        # Drawn each time, so that which requests are struck is the seed's choice alone.
        if self._random.random() >= self.chance:
            return False
        if self.times is not None:
            self.times -= 1
        return True

    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request as it should not be."""
        if self.status is not None:
            headers = {} if self.retry_after is None else {"Retry-After": f"{self.retry_after:g}"}
            detail = {"detail": f"a fault that the test asked for ({self.status})"}
            return web.json_response(detail, status=self.status, headers=headers)
        response = await handler(request)
        await asyncio.sleep(self.delay)
        if self.is_lost:
            _drop(request)
        if self.is_cut:
            return await _cut(request, response)
        return response


def _drop(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()


async def _cut(request: web.Request, whole: web.StreamResponse) -> web.StreamResponse:
    body = whole.body if isinstance(whole, web.Response) and isinstance(whole.body, bytes) else b"{}"
    half = web.StreamResponse(status=whole.status, headers={"Content-Type": whole.content_type})
    half.content_length = len(body)
    await half.prepare(request)
    await half.write(body[: len(body) // 2])
    _drop(request)
    return half


@define
class Faults:
    """Every fault, and the requests so far."""

    requests: Counter[str] = Factory(Counter)
    _all: list[Fault] = Factory(list)

    def add(self, fault: Fault) -> None:
        """Have a fault from now on; where several strike, the first one does."""
        self._all.append(fault)

    def clear(self) -> None:
        """Have all go well again."""
        self._all.clear()

    def next_for(self, kind: str) -> Fault | None:
        """Count a request; give what goes wrong with it."""
        self.requests[kind] += 1
        return next((fault for fault in self._all if fault.strikes(kind)), None)
