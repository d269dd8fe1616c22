"""A program that shares a budget: its arguments are the budget's file and how many creates to admit.

With a third one it kills itself after that many.
"""

import asyncio
import os
import signal
import sys

from llamaclassify import HostBudget, Rate, RateLimit

# What all requests count for is never full: it remembers every place.
LIMIT = RateLimit(creates=Rate(20, 0.1), uploads=None, requests=Rate(400, 0.1))


async def main(path: str, count: str, killed_after: str = "-1") -> None:
    budget = HostBudget(path, LIMIT)

    async def take(number: int) -> None:
        await budget.admit("create")
        if number == int(killed_after):
            os.kill(os.getpid(), signal.SIGKILL)

    await asyncio.gather(*(take(number) for number in range(int(count))))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
