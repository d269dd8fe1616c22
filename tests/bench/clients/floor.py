"""The least that can be done by hand: one poller asks for a hundred jobs at a time; no models, no retries."""

import asyncio
import uuid
from collections.abc import Iterator
from typing import Any

import aiohttp
from measuring import KEY, RULES, TERMINAL_STATUSES, Tally, main

PAUSE = 0.5
IDS_A_REQUEST = 100

Pending = dict[str, asyncio.Future[dict[str, Any]]]


async def classify(url: str, documents: Iterator[str], concurrency: int, tally: Tally) -> None:
    places = asyncio.Semaphore(concurrency)
    pending: Pending = {}

    async def one(document: str) -> None:
        async with places:
            job = await _create(http, document)
            if job["status"] not in TERMINAL_STATUSES:
                pending[job["id"]] = asyncio.get_running_loop().create_future()
                job = await pending[job["id"]]
        tally.add(job["status"], job["updated_at"])

    async with (
        aiohttp.ClientSession(
            url,
            headers={"Authorization": f"Bearer {KEY}"},
            raise_for_status=True,
        ) as http,
        asyncio.TaskGroup() as tasks,
    ):
        poller = tasks.create_task(_poll(http, pending))
        await asyncio.gather(*map(one, documents))
        poller.cancel()


async def _create(http: aiohttp.ClientSession, document: str) -> dict[str, Any]:
    body = {"file_input": document, "configuration": {"rules": RULES}, "transaction_id": str(uuid.uuid4())}
    async with http.post("/api/v2/classify", json=body) as response:
        return await response.json()


async def _poll(http: aiohttp.ClientSession, pending: Pending) -> None:
    while True:
        await asyncio.sleep(PAUSE)
        ids = list(pending)
        for start in range(0, len(ids), IDS_A_REQUEST):
            query = {"job_ids": ids[start : start + IDS_A_REQUEST], "page_size": IDS_A_REQUEST}
            async with http.get("/api/v2/classify", params=query) as response:
                page = await response.json()
            for job in page["items"]:
                if job["status"] in TERMINAL_STATUSES:
                    pending.pop(job["id"]).set_result(job)


if __name__ == "__main__":
    main(classify)
