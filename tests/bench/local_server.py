"""The embedded server in a process of its own, until its input closes; and a data folder full of jobs."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from llamaclassify import Configuration, JobStatus, Result, Rule
from llamaclassify.server import LocalServer
from llamaclassify.server.changes import Changes
from llamaclassify.server.clock import Clock
from llamaclassify.server.store import Project, Store
from llamaclassify.server.store.jobs import NewJob

KEY = "llx-bench"
_AT_ONCE = 1000
_CONFIGURATION = Configuration([Rule("invoice", "has an invoice number and a total to be paid")])
_RESULT = Result(type="invoice", confidence=0.9, reasoning="It has an invoice number and a total to be paid.")


async def _serve(folder: Path) -> None:
    async with LocalServer(data=folder, workers=2) as server:
        print(server.url, flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def _fill(folder: Path, jobs: int) -> None:
    project = Project.of(KEY, None)
    async with Store.open(folder, durable=False, keep=None, clock=Clock(), changes=Changes()) as store:

        async def add(number: int) -> None:
            row = await store.jobs.add(project, NewJob(file_id=f"dfl-{number}", configuration=_CONFIGURATION))
            await store.jobs.advance(row["id"], JobStatus.COMPLETED, result=_RESULT, pages=1)

        for start in range(0, jobs, _AT_ONCE):
            await asyncio.gather(*map(add, range(start, min(start + _AT_ONCE, jobs))))


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fill", type=int, help="only put so many ended jobs into the folder")
    options = parser.parse_args()
    asyncio.run(_serve(options.folder) if options.fill is None else _fill(options.folder, options.fill))


if __name__ == "__main__":
    _main()
