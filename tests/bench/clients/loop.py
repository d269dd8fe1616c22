"""A loop by hand: a task for each document, which looks at its job every second; no models, no retries."""

import asyncio
import uuid
from collections.abc import Iterator
from typing import Any

import aiohttp
from measuring import KEY, RULES, TERMINAL_STATUSES, Tally, main


async def classify(url: str, documents: Iterator[str], concurrency: int, tally: Tally) -> None:
    places = asyncio.Semaphore(concurrency)

    async def one(document: str) -> None:
        async with places:
            job = await _ended_job(http, document)
        tally.add(job["status"], job["updated_at"])

    async with (
        aiohttp.ClientSession(
            url,
            headers={"Authorization": f"Bearer {KEY}"},
            raise_for_status=True,
        ) as http,
        asyncio.TaskGroup() as tasks,
    ):
        for document in documents:
            tasks.create_task(one(document))


async def _ended_job(http: aiohttp.ClientSession, document: str) -> dict[str, Any]:
    body = {"file_input": document, "configuration": {"rules": RULES}, "transaction_id": str(uuid.uuid4())}
    async with http.post("/api/v2/classify", json=body) as response:
        job = await response.json()
    while job["status"] not in TERMINAL_STATUSES:
        await asyncio.sleep(1)
        async with http.get(f"/api/v2/classify/{job['id']}") as response:
            job = await response.json()
    return job


if __name__ == "__main__":
    main(classify)
