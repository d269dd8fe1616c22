"""Simulates a fan-out that takes days, in minutes: the client's own code on a clock that jumps.

What runs is what a session runs: the batch, the limits, the schedule of looks and the status reader. What is
not there is HTTP: the service is a few functions that take their time by the same clock.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import selectors
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from llamaclassify import Job, JobStatus, PollPolicy, Rate, RateBudget, RateLimit, Result
from llamaclassify.waiting.batch import Batch
from llamaclassify.waiting.classifying import Classifying
from llamaclassify.waiting.clock import Clock
from llamaclassify.waiting.polling import Waits
from llamaclassify.waiting.schedule import Schedule
from llamaclassify.waiting.status_reader import StatusReader
from llamaclassify.wire.limits import Kind, Limiter
from llamaclassify.wire.shared_limits import Ledger, Place, SharedBudget

_CONCURRENCY = 1000
_REQUEST_SECONDS = 0.15
_JOB_SECONDS = (2.0, 20.0)
_SEED = 20261125
_REPORTS = 20


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only where it would wait."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_Jumping(self))

    def time(self) -> float:
        """Give the seconds of simulated time."""
        return self.now


class _Jumping(selectors.SelectSelector):
    def __init__(self, loop: JumpingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everything waits for something that will never come")
        self._loop.now += timeout
        return []


@dataclass(slots=True)
class Sight:
    """A job as it is seen; its id says when it ends."""

    id: str
    now: float

    @property
    def ends(self) -> float:
        """The moment of its end."""
        return float(self.id.partition("@")[2])

    @property
    def status(self) -> str:
        """How the job stands."""
        return "COMPLETED" if self.is_terminal else "RUNNING"

    @property
    def is_terminal(self) -> bool:
        """Whether it has ended."""
        return self.now >= self.ends

    def job(self) -> Job:
        """Make the model."""
        result = Result(type="invoice", confidence=0.9, reasoning="as simulated")
        return Job(id=self.id, status=JobStatus(self.status), result=result)


@dataclass
class Service:
    """The service, and how often it was asked for what."""

    clock: Clock
    durations: random.Random = field(default_factory=lambda: random.Random(_SEED))  # noqa: S311
    requests: Counter[str] = field(default_factory=Counter)

    async def upload(self, document: str) -> str:
        """Take a document."""
        await self._asked("uploads")
        return document

    async def create(self, file_input: str) -> Sight:
        """Start a job."""
        await self._asked("creates")
        now = self.clock.now()
        return Sight(f"{file_input}@{now + self.durations.uniform(*_JOB_SECONDS)}", now)

    async def get(self, job_id: str) -> Sight:
        """Look at one job."""
        await self._asked("gets")
        return Sight(job_id, self.clock.now())

    async def list(self, job_ids: Sequence[str]) -> Mapping[str, Sight]:
        """Look at up to a hundred."""
        await self._asked("listings")
        return {job_id: Sight(job_id, self.clock.now()) for job_id in job_ids}

    async def _asked(self, kind: str) -> None:
        self.requests[kind] += 1
        await self.clock.sleep(_REQUEST_SECONDS)


class OneLedger(SharedBudget):
    """A budget whose ledger is in this process, as Ray's actor has it in another."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        super().__init__(ledger.limit, now=clock.now, sleep=clock.sleep)
        self._ledger, self._clock = ledger, clock

    async def _reserve(self, kind: Kind) -> Place:
        return self._ledger.reserve(kind, self._clock.now())

    def _hold(self, seconds: float) -> None:
        self._ledger.hold(self._clock.now() + seconds)


def _batch(
    documents: Iterator[str], service: Service, budget: RateBudget, clock: Clock, *, uploads: bool
) -> Batch:
    """Make what `ClassifySession.classify_many` makes."""

    async def store(document: str) -> str:
        if uploads:
            await budget.admit("upload")
            await service.upload(document)
            budget.answered(200)
        return document

    async def create(file_input: str, _: str) -> Sight:
        await budget.admit("create")
        seen = await service.create(file_input)
        budget.answered(200)
        return seen

    reader = StatusReader(service.get, service.list, clock)
    classifying = Classifying(
        store=store,
        create=create,
        abandon=None,
        waits=Waits(reader.follow, Schedule(clock.now()), clock),
        reader=reader,
        policy=PollPolicy(),
    )

    async def begin(document: str) -> object:
        return await classifying.begin(document, document)

    return Batch(documents, begin, concurrency=_CONCURRENCY, now=clock.now)


@dataclass
class Tally:
    """What came of the documents, said now and then."""

    documents: int
    loop: JumpingLoop
    done: int = 0
    late: float = 0.0

    def add(self, job: Job | None) -> None:
        """Count a document whose job has just been seen to have ended."""
        assert job is not None
        self.done += 1
        self.late += self.loop.now - Sight(job.id, 0.0).ends
        if self.done % max(1, self.documents // _REPORTS) == 0:
            days = f"{self.loop.now / 86400:.3f} days"
            print(f"{self.done:>12,}  {days}  {_peak_megabytes():.1f} MB", file=sys.stderr, flush=True)

    def tell(self, requests: Counter[str], cpu: float) -> None:
        """Say what it came to."""
        seconds, total = self.loop.now, requests.total()
        asked = ", ".join(f"{count:,} {kind}" for kind, count in requests.items())
        print(
            f"{self.done:,} documents: {seconds:,.0f} s = {seconds / 86400:.2f} days, "
            f"{self.done / seconds:.2f} a second",
            f"requests: {asked}; {total / self.done:.3f} a document, {total / seconds:.1f} a second",
            f"an end was noticed {self.late / self.done:.2f} s late on average",
            f"peak memory {_peak_megabytes():.1f} MB, CPU {cpu / self.done * 1e6:.0f} µs a document",
            sep="\n",
        )


async def _run(options: argparse.Namespace, loop: JumpingLoop) -> None:
    clock = Clock(now=loop.time, sleep=asyncio.sleep)
    limit = RateLimit(creates=Rate(options.rate), uploads=Rate(50, 5.0) if options.uploads else None)
    service, tally, ledger = Service(clock), Tally(options.documents, loop), Ledger(limit)
    documents = (f"dfl-{number}" for number in range(options.documents))

    def budget() -> RateBudget:
        if options.workers == 1:
            return Limiter(limit, now=clock.now, sleep=clock.sleep)
        return OneLedger(ledger, clock)

    async def work() -> None:
        async with _batch(documents, service, budget(), clock, uploads=options.uploads) as outcomes:
            async for outcome in outcomes:
                tally.add(outcome.job)

    started = time.process_time()
    await asyncio.gather(*(work() for _ in range(options.workers)))
    tally.tell(service.requests, time.process_time() - started)


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python tests/bench/ten_million.py", description=__doc__)
    parser.add_argument("--documents", type=int, default=10_000_000, help="how many (10 million)")
    parser.add_argument("--rate", type=int, default=40, help="creates a second (40)")
    parser.add_argument("--workers", type=int, default=1, help="batches that share the rate (1)")
    parser.add_argument("--uploads", action="store_true", help="upload each document first, 50 in 5 s")
    options = parser.parse_args()
    loop = JumpingLoop()
    loop.run_until_complete(_run(options, loop))
    loop.close()


if __name__ == "__main__":
    _main()
