"""How fast the engine is, in worker processes as the embedded server runs it."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import anyio
from attrs import field, frozen

from llamaclassify.models import Configuration, Rule
from llamaclassify.server.pool import WorkerPool

WORKERS = 2
_PAGES = 300
_RULES = 50
_HIGH_WATER = re.compile(r"^VmHWM:\s*(\d+) kB", re.MULTILINE)


@frozen
class Speed:
    """What was measured.

    Attributes:
        first_answer: Seconds from nothing to the first answer.
        per_second: Documents a second, reading the files included.
        by_type: For every type how many documents a second one worker does.
        long_document: Seconds for many rules on a long PDF.
        memory: Megabytes that a worker held at most, the long PDF included.
    """

    first_answer: float
    per_second: float
    by_type: dict[str, float] = field(repr=False)
    long_document: float
    memory: float


def measure_speed(
    documents: Sequence[tuple[str, Path]], rules: Sequence[Rule], long_pdf: Path, folder: Path
) -> Speed:
    """Classify files, each given with its type."""
    return anyio.run(_measure_speed, documents, Configuration(tuple(rules)), long_pdf, folder)


async def _measure_speed(
    documents: Sequence[tuple[str, Path]], configuration: Configuration, long_pdf: Path, folder: Path
) -> Speed:
    pool = WorkerPool(folder)
    seconds: dict[str, list[float]] = defaultdict(list)
    left = iter(documents)

    async def work() -> None:
        for kind, path in left:
            started = time.perf_counter()
            await pool.classify(path, path.name, configuration)
            seconds[kind].append(time.perf_counter() - started)

    try:
        started = time.perf_counter()
        await pool.classify(documents[0][1], documents[0][1].name, configuration)
        first = time.perf_counter() - started
        async with anyio.create_task_group() as tasks:
            # The second worker starts before the clock does.
            for _ in range(WORKERS):
                tasks.start_soon(pool.classify, documents[0][1], documents[0][1].name, configuration)
        started = time.perf_counter()
        async with anyio.create_task_group() as tasks:
            for _ in range(WORKERS):
                tasks.start_soon(work)
        total = time.perf_counter() - started
        many = Configuration(
            tuple(Rule(f"kind {index}", f"papers about subject number {index}") for index in range(_RULES))
        )
        started = time.perf_counter()
        await pool.classify(long_pdf, long_pdf.name, many)
        long_document = time.perf_counter() - started
        memory = _most_memory(pool)
    finally:
        await pool.aclose()
    by_type = {kind: len(each) / sum(each) for kind, each in sorted(seconds.items())}
    return Speed(first, len(documents) / total, by_type, long_document, memory)


def _most_memory(pool: WorkerPool) -> float:
    """The most that any worker held, in megabytes, where the system says so (Linux)."""
    statuses = [Path(f"/proc/{worker._process.pid}/status") for worker in pool._all]
    texts = [path.read_text() for path in statuses if path.exists()]
    return max((int(_HIGH_WATER.findall(text)[0]) * 1024 / 1e6 for text in texts), default=float("nan"))
