"""The vendor's SDK on its aiohttp transport: `classify.run` for each document, with its defaults."""

import asyncio
import uuid
from collections.abc import Iterator

import httpx
from llama_cloud import AsyncLlamaCloud, DefaultAioHttpClient
from measuring import KEY, RULES, Tally, main

# Not None, which would leave aiohttp's own limit of 100 connections.
NO_LIMIT = httpx.Limits(max_connections=0)


async def classify(url: str, documents: Iterator[str], concurrency: int, tally: Tally) -> None:
    places = asyncio.Semaphore(concurrency)

    async def one(document: str) -> None:
        async with places:
            job = await client.classify.run(
                file_input=document,
                configuration={"rules": RULES},
                transaction_id=str(uuid.uuid4()),
            )
        tally.add(job.status, job.updated_at)

    http = DefaultAioHttpClient(limits=NO_LIMIT)
    async with (
        AsyncLlamaCloud(api_key=KEY, base_url=url, http_client=http) as client,
        asyncio.TaskGroup() as tasks,
    ):
        for document in documents:
            tasks.create_task(one(document))


if __name__ == "__main__":
    main(classify)
