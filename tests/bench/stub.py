"""A stub of the service, lean and in a process of its own: its jobs do nothing but take their time."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from attrs import define, field, frozen

_PENDING_SHARE = 0.1
_SEED = 20261122
_WALL_AT_ZERO = time.time() - time.monotonic()
_CONNECTIONS_WAITING = 4096


@frozen
class Job:
    """A job: what it is never changes, how it stands is a function of the time.

    Attributes:
        id: Its id.
        fixed: The JSON of all that stays, its closing brace left out.
        result: The JSON of its result.
        created: When it was made, in monotonic seconds.
        seconds: How long it takes.
    """

    id: str
    fixed: str
    result: str
    created: float
    seconds: float

    @classmethod
    def of(cls, body: dict[str, Any], seconds: float) -> Job:
        """Make the job that a create's body asks for."""
        now = time.monotonic()
        number = random.Random(body["file_input"]).random()  # noqa: S311
        rules = body["configuration"]["rules"]
        result = {
            "type": rules[int(number * len(rules))]["type"],
            "confidence": round(0.5 + number / 2, 4),
            "reasoning": "The title and the table on the first page name what the rule describes.",
        }
        fixed = {
            "id": f"clj-{uuid.uuid4()}",
            "file_input": body["file_input"],
            "document_input_type": "file_id",
            "project_id": "123e4567-e89b-12d3-a456-426614174000",
            "user_id": "u1",
            "configuration": {"mode": "FAST", "parsing_configuration": None, **body["configuration"]},
            "configuration_id": None,
            "transaction_id": body.get("transaction_id"),
            "parse_job_id": f"pjb-{uuid.uuid4()}",
            "error_message": None,
            "created_at": _moment(now),
        }
        return cls(fixed["id"], _json(fixed)[:-1], _json(result), now, seconds)

    def json(self, now: float) -> str:
        """Give the job as it stands."""
        age = now - self.created
        if age >= self.seconds:
            status, since, result = "COMPLETED", self.seconds, self.result
        elif age >= self.seconds * _PENDING_SHARE:
            status, since, result = "RUNNING", self.seconds * _PENDING_SHARE, "null"
        else:
            status, since, result = "PENDING", 0.0, "null"
        updated_at = _moment(self.created + since)
        return f'{self.fixed},"status":"{status}","updated_at":"{updated_at}","result":{result}}}'


@define
class Stub:
    """The routes, the jobs, and the count of what was asked."""

    seconds: Sequence[float]
    jobs: dict[str, Job] = field(factory=dict)
    transactions: dict[str, Job] = field(factory=dict)
    requests: Counter[str] = field(factory=Counter)
    durations: random.Random = field(factory=lambda: random.Random(_SEED))  # noqa: S311

    def application(self) -> web.Application:
        """Give the routes."""
        application = web.Application()
        application.router.add_post("/api/v2/classify", self._create)
        application.router.add_get("/api/v2/classify", self._list)
        application.router.add_get("/api/v2/classify/{id}", self._get)
        application.router.add_get("/stats", self._stats)
        application.router.add_post("/reset", self._reset)
        return application

    async def _create(self, request: web.Request) -> web.Response:
        self._admit(request, "create")
        body = await request.json()
        transaction = body.get("transaction_id")
        job = self.transactions.get(transaction)
        if job is None:
            job = Job.of(body, self.durations.uniform(self.seconds[0], self.seconds[-1]))
            self.jobs[job.id] = job
            if transaction is not None:
                self.transactions[transaction] = job
        return _answer(job.json(time.monotonic()))

    async def _get(self, request: web.Request) -> web.Response:
        self._admit(request, "get")
        job = self.jobs.get(request.match_info["id"])
        if job is None:
            return _answer('{"detail":"Classify job not found"}', 404)
        return _answer(job.json(time.monotonic()))

    async def _list(self, request: web.Request) -> web.Response:
        self._admit(request, "list")
        asked = request.query.getall("job_ids", None)
        jobs = list(self.jobs.values()) if asked is None else [self.jobs[i] for i in asked if i in self.jobs]
        start = int(request.query.get("page_token") or 0)
        end = start + max(1, min(int(request.query.get("page_size") or 50), 100))
        return _answer(page_of(jobs[start:end], str(end) if end < len(jobs) else None, len(jobs)))

    async def _stats(self, _: web.Request) -> web.Response:
        return _answer(_json({**self.requests, "jobs": len(self.jobs)}))

    async def _reset(self, request: web.Request) -> web.Response:
        """Forget everything; `seconds`, once or twice, is how long jobs take from now on."""
        self.seconds = [float(value) for value in request.query.getall("seconds", [])] or self.seconds
        self.jobs, self.transactions, self.requests = {}, {}, Counter()
        self.durations.seed(_SEED)
        return _answer("{}")

    def _admit(self, request: web.Request, kind: str) -> None:
        if not request.headers.get("Authorization", "").startswith("Bearer llx-"):
            self.requests["refused"] += 1
            raise web.HTTPUnauthorized(
                text='{"detail":"Invalid authentication token"}', content_type="application/json"
            )
        self.requests[kind] += 1


def page_of(jobs: Sequence[Job], next_page_token: str | None, total: int) -> str:
    """Give a page of jobs as they stand."""
    now = time.monotonic()
    items = ",".join(job.json(now) for job in jobs)
    return f'{{"items":[{items}],"next_page_token":{json.dumps(next_page_token)},"total_size":{total}}}'


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _moment(monotonic: float) -> str:
    moment = datetime.fromtimestamp(_WALL_AT_ZERO + monotonic, UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _answer(text: str, status: int = 200) -> web.Response:
    return web.Response(body=text.encode(), status=status, content_type="application/json")


async def _serve(seconds: Sequence[float]) -> None:
    """Serve until stdin is closed, and so no longer than whoever has started this."""
    runner = web.AppRunner(Stub(seconds).application(), access_log=None)
    await runner.setup()
    # All clients connect at once: with a short queue the kernel would let them wait whole seconds.
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=_CONNECTIONS_WAITING)
    await site.start()
    host, port = runner.addresses[0]
    print(f"http://{host}:{port}", flush=True)
    await asyncio.to_thread(sys.stdin.buffer.read)
    await runner.cleanup()


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--seconds",
        type=float,
        nargs="+",
        default=[2.0],
        help="how long a job takes; two values: uniformly between them, the same for every run",
    )
    asyncio.run(_serve(parser.parse_args().seconds))


if __name__ == "__main__":
    _main()
