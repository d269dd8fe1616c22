"""Shares a budget and classifies without end: its arguments are URL, rate and the file of the budget."""

from __future__ import annotations

import asyncio
import os
import sys
from itertools import count

from llamaclassify import ClassifySession, HostBudget, Rate, RateBudget, RateLimit, Rule

RULES = [Rule(type="invoice", description="has an invoice number and a total to be paid")]


def limit_of(rate: int) -> RateLimit:
    """Give the limit of so many creates a second."""
    return RateLimit(creates=Rate(rate), uploads=None)


async def share(url: str, rate: int, budget: RateBudget) -> None:
    """Create jobs, and wait for them, as fast as the budget allows."""
    documents = (f"dfl-{os.getpid()}-{number}" for number in count())
    async with (
        ClassifySession("llx-bench", base_url=url, rate_limit=budget) as session,
        session.classify_many(documents, rules=RULES, concurrency=10 * rate) as outcomes,
    ):
        async for outcome in outcomes:
            if outcome.error is not None:
                raise outcome.error


if __name__ == "__main__":
    _url, _rate, _path = sys.argv[1:]
    asyncio.run(share(_url, int(_rate), HostBudget(_path, limit_of(int(_rate)))))
