"""A program that classifies documents with a journal, to be killed.

Its arguments: the URL, the journal, a folder or a number of ids, and the concurrency. It prints a line for
each outcome, and at the end how many there were.
"""

import asyncio
import sys
from pathlib import Path

from llamaclassify import ClassifySession, PollPolicy, Rule

RULES = [Rule(type="invoice", description="contains an invoice number and a total amount")]


async def main(url: str, journal: str, documents: str, concurrency: str = "64") -> None:
    if documents.isdecimal():
        source = [f"dfl-{number:05}" for number in range(int(documents))]
    else:
        source = sorted(Path(documents).iterdir())
    poll = PollPolicy(initial=0.02, maximum=0.1)
    async with ClassifySession("llx-test", base_url=url, poll=poll) as session:
        batch = session.classify_many(source, rules=RULES, concurrency=int(concurrency), journal=journal)
        async with batch as outcomes:
            async for outcome in outcomes:
                print(outcome.document, outcome.ok, outcome.job and outcome.job.id, flush=True)
        print("done", batch.progress.done, batch.progress.failed, flush=True)


asyncio.run(main(*sys.argv[1:]))
