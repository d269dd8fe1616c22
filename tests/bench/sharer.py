"""A process that shares a budget and classifies without end: its arguments are URL, file and rate."""

from __future__ import annotations

import asyncio
import os
import sys
from itertools import count

from llamaclassify import ClassifySession, HostBudget, Rate, RateLimit, Rule

RULES = [Rule(type="invoice", description="has an invoice number and a total to be paid")]


async def _main(url: str, path: str, rate: str) -> None:
    budget = HostBudget(path, RateLimit(creates=Rate(int(rate)), uploads=None))
    documents = (f"dfl-{os.getpid()}-{number}" for number in count())
    async with (
        ClassifySession("llx-bench", base_url=url, rate_limit=budget) as session,
        session.classify_many(documents, rules=RULES, concurrency=10 * int(rate)) as outcomes,
    ):
        async for outcome in outcomes:
            if outcome.error is not None:
                raise outcome.error


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
