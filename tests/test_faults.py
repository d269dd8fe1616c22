"""A thousand documents through a server that fails at random: nothing twice, nothing lost."""

import asyncio
import random
from collections import Counter

import pytest
from aiohttp import web

from llamaclassify import ClassifySession, PollPolicy, RetryPolicy

from .conftest import KEY, RULES, serving

DOCUMENTS = [f"dfl-{number}" for number in range(1000)]


class Faulty:
    """Makes one job a transaction id, and one more for each create that has none; faults by a fixed seed."""

    def __init__(self, *, lost, others):
        self.random = random.Random(7)  # noqa: S311
        self.lost = lost
        self.others = others
        self.jobs = {}
        self.by_transaction = {}
        self.faults = Counter()

    def fault(self, *kinds):
        """Draw at most one of these faults, each with its own probability."""
        drawn = self.random.random()
        for kind in kinds:
            drawn -= self.others
            if drawn < 0:
                self.faults[kind] += 1
                return kind
        return None

    async def create(self, request):
        fault = self.fault("429", "503", "html")
        if fault:
            return self.refusal(fault)
        body = await request.json()
        job = self.by_transaction.setdefault(
            body.get("transaction_id"), {"id": f"clj-{len(self.jobs)}", "file_input": body["file_input"]}
        )
        self.jobs[job["id"]] = job
        if self.random.random() < self.lost:
            self.faults["lost"] += 1
            request.transport.close()
        return self.answer(job | {"status": "PENDING"})

    async def get(self, request):
        job = self.jobs[request.match_info["job_id"]]
        fault = self.fault("429", "503", "html", "dropped")
        if fault == "dropped":
            request.transport.close()
        elif fault:
            return self.refusal(fault)
        result = {"type": job["file_input"], "confidence": 1, "reasoning": ""}
        return self.answer(job | {"status": "COMPLETED", "result": result})

    def answer(self, job):
        response = web.json_response(job)
        if self.fault("cut"):
            response.text = response.text[:-5]
        return response

    def refusal(self, fault):
        if fault == "html":
            return web.Response(status=502, text="<html>Bad gateway</html>", content_type="text/html")
        return web.json_response({"detail": "not now"}, status=int(fault))


@pytest.mark.parametrize("others", [0, 0.05])
async def test_a_thousand_documents_make_a_thousand_jobs(others):
    asyncio.get_running_loop().set_debug(False)  # many requests: debugging them would take most of the time
    faulty = Faulty(lost=0.3, others=others)
    routes = [
        web.post("/api/v2/classify", faulty.create),
        web.get("/api/v2/classify/{job_id}", faulty.get),
    ]
    retry = RetryPolicy(attempts=20, initial=0.001, maximum=0.01)
    poll = PollPolicy(initial=0.001, timeout=60)
    async with (
        serving(*routes) as url,
        ClassifySession(KEY, base_url=url, retry=retry, poll=poll) as session,
    ):
        outcomes = await session.classify_many(DOCUMENTS, rules=RULES)
    assert [outcome.error for outcome in outcomes if not outcome.ok] == []
    assert [outcome.result.type for outcome in outcomes] == DOCUMENTS
    assert len(faulty.jobs) == 1000
    assert len(faulty.by_transaction) == 1000
    assert faulty.faults["lost"] > 200
    if others:
        assert min(faulty.faults[kind] for kind in ("429", "503", "html", "cut", "dropped")) > 20
