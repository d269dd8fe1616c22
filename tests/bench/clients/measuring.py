"""What the clients share: what they classify, and how a run is measured."""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

KEY = "llx-bench"
RULES = [
    {
        "type": "invoice",
        "description": "has an invoice number, the goods or services with prices, and a total to be paid",
    },
    {
        "type": "receipt",
        "description": "confirms a payment that was made in a shop, with the date, the items and the total",
    },
    {
        "type": "contract",
        "description": "an agreement between two or more parties, with clauses, a term and signatures",
    },
    {
        "type": "resume",
        "description": "describes a person's education, positions held and skills, for an application",
    },
    {
        "type": "bank-statement",
        "description": "lists the movements and the balances of a bank account over a period of time",
    },
    {
        "type": "meeting-minutes",
        "description": "records who attended a meeting, what was discussed, and what was decided there",
    },
]
TERMINAL_STATUSES = frozenset({"COMPLETED", "FAILED", "CANCELLED"})


class Tally:
    """What became of the documents, and how late it was noticed; a few numbers, however many there are."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.lag = 0.0

    def add(self, status: str, updated_at: datetime | str) -> None:
        """Count a job that has just been seen to have ended; `updated_at` is when it did."""
        if isinstance(updated_at, str):
            updated_at = datetime.fromisoformat(updated_at)
        self.outcomes[str(status)] += 1
        self.lag += (datetime.now(UTC) - updated_at).total_seconds()


Classify = Callable[[str, Iterator[str], int, Tally], Awaitable[None]]
"""Classifies documents at a server, at most so many at a time, and tallies each."""


def main(classify: Classify) -> None:
    """Measure one run of a client, as the command line asks, and print it as a line of JSON."""
    arguments = _arguments()
    # Imports what is only imported when it is first used, with a job that has ended when it is made.
    _reset(arguments.url, [0.0])
    asyncio.run(classify(arguments.url, _documents(1), 1, Tally()))
    _reset(arguments.url, arguments.seconds)
    tally = Tally()
    concurrency = arguments.concurrency or arguments.documents
    cpu, wall = _cpu_seconds(), time.perf_counter()
    asyncio.run(classify(arguments.url, _documents(arguments.documents), concurrency, tally))
    measured = {
        "cpu": _cpu_seconds() - cpu,
        "wall": time.perf_counter() - wall,
        "peak": _peak_bytes(),
        "lag": tally.lag / arguments.documents,
        "outcomes": tally.outcomes,
    }
    print(json.dumps(measured))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("url", help="where the stub is")
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--concurrency", type=int, help="documents under way at a time; all, if not given")
    parser.add_argument("--seconds", type=float, nargs="+", default=[2.0], help="how long a job takes")
    return parser.parse_args()


def _documents(count: int) -> Iterator[str]:
    return (f"dfl-{number:05}" for number in range(1, count + 1))


def _reset(url: str, seconds: list[float]) -> None:
    with closing(HTTPConnection(urlsplit(url).netloc)) as connection:
        connection.request("POST", "/reset?" + urlencode({"seconds": seconds}, doseq=True))
        connection.getresponse().read()


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _peak_bytes() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
