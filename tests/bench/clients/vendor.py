"""The vendor's SDK on its aiohttp transport: `classify.run` for each document, with its defaults."""

import asyncio
import uuid
from collections.abc import Iterator

from llama_cloud import AsyncLlamaCloud, DefaultAioHttpClient
from measuring import KEY, RULES, Tally, main


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

    async with (
        AsyncLlamaCloud(api_key=KEY, base_url=url, http_client=DefaultAioHttpClient()) as client,
        asyncio.TaskGroup() as tasks,
    ):
        for document in documents:
            tasks.create_task(one(document))


if __name__ == "__main__":
    main(classify)
