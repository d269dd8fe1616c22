"""A pipeline: documents come from a queue, what they are goes to SQLite.

pip install llamaclassify

    python pipeline.py INBOX WORK

It watches the folder INBOX (move files into it when they are complete) and keeps WORK/results.db and
WORK/run.journal. SIGTERM or Ctrl-C drains it: nothing more is taken, what is under way is finished, for as
long as DRAIN_SECONDS allows. Started again, after a crash too, it goes on with the same jobs: none is created
twice.
"""

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from pathlib import Path

from llamaclassify import ClassifySession, Outcome, Rule

RULES = [
    Rule("invoice", "contains an invoice number, line items, and a total amount"),
    Rule("receipt", "shows that a purchase has been paid"),
]
CONCURRENCY = 64
WAITING = 16  # documents in the queue; a drain leaves them to the next run
DRAIN_SECONDS = float(os.environ.get("DRAIN_SECONDS", "20"))  # less than what the supervisor allows
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS results (document TEXT PRIMARY KEY, type TEXT, confidence REAL, error TEXT)"
)


async def fill(queue: asyncio.Queue[Path], inbox: Path) -> None:
    """Put what comes on the queue; in the place of the folder, your broker's consumer."""
    known: set[str] = set()
    while True:
        for name in sorted(set(await asyncio.to_thread(os.listdir, inbox)) - known):
            await queue.put(inbox / name)
            known.add(name)
        await asyncio.sleep(1)


async def taken(queue: asyncio.Queue[Path]) -> AsyncIterator[Path]:
    while True:
        yield await queue.get()


def store(results: sqlite3.Connection, outcome: Outcome) -> None:
    """Keep an outcome; after a crash it may come again, so writing it twice changes nothing."""
    found = outcome.result
    row = (
        str(outcome.document),
        found and found.type,
        found and found.confidence,
        None if outcome.ok else str(outcome.error),
    )
    with results:
        results.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)", row)


async def run(inbox: Path, work: Path) -> None:
    queue = asyncio.Queue[Path](WAITING)
    loop, pipeline = asyncio.get_running_loop(), asyncio.current_task()
    async with asyncio.TaskGroup() as tasks, ClassifySession() as session:
        filling = tasks.create_task(fill(queue, inbox))
        batch = session.classify_many(
            taken(queue), rules=RULES, concurrency=CONCURRENCY, journal=work / "run.journal"
        )

        def drain() -> None:
            batch.drain()
            loop.call_later(DRAIN_SECONDS, pipeline.cancel)

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, drain)
        with closing(sqlite3.connect(work / "results.db")) as results:
            results.execute(SCHEMA)
            async with batch as outcomes:
                async for outcome in outcomes:
                    store(results, outcome)
                    print(outcome.document, outcome.result.type if outcome.ok else outcome.error, flush=True)
        filling.cancel()
    print("drained")


if __name__ == "__main__":
    folder, kept = map(Path, sys.argv[1:])
    kept.mkdir(exist_ok=True)
    with suppress(asyncio.CancelledError):  # what was left is taken up by the next run
        asyncio.run(run(folder, kept))
