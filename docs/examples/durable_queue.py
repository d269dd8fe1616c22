"""A durable queue: documents are put on it once, and classified however often this program ends meanwhile.

pip install llamaclassify dbos

    python durable_queue.py INBOX WORK

It watches the folder INBOX (move files into it when they are complete), keeps the queue in WORK/queue.db and
what the documents are in WORK/results.db. Started again, after a crash too, it goes on where it was. In
production the queue is in Postgres, by DATABASE_URL: then many hosts run this program, on one queue.
"""

import asyncio
import os
import signal
import sqlite3
import sys
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from dbos import DBOS, SetWorkflowID

from llamaclassify import (
    APIConnectionError,
    ClassifySession,
    InternalServerError,
    JobCancelledError,
    JobFailedError,
    JobTimeoutError,
    LlamaClassifyError,
    RateLimitError,
    Rule,
)

RULES = [
    Rule("invoice", "contains an invoice number, line items, and a total amount"),
    Rule("receipt", "shows that a purchase has been paid"),
]
QUEUE = "documents"
LIMIT = {"limit": 10, "period": 1.0}  # uploads: kept by the database, for all hosts together
AT_ONCE = 256
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS results (document TEXT PRIMARY KEY, type TEXT, confidence REAL, error TEXT)"
)
session = ClassifySession(rate_limit=None)  # the queue limits the rate


def is_passing(error: BaseException) -> bool:
    """Tell what may be gone in a minute from what is so for good."""
    passing = APIConnectionError | InternalServerError | RateLimitError | JobTimeoutError
    return isinstance(error, passing)


patiently = DBOS.step(
    retries_allowed=True, should_retry=is_passing, max_attempts=20, interval_seconds=5, backoff_rate=1.5
)


@patiently
async def upload(path: str) -> str:
    return (await session.files.upload(Path(path))).id


@patiently
async def create(file_id: str, key: str) -> str:
    # Done again, after a crash between the create and its answer, this gives the same job.
    return (await session.create(file_id, rules=RULES, transaction_id=key)).id


@patiently
async def wait(job_id: str) -> tuple[str | None, float | None, str | None]:
    try:
        result = (await session.wait(job_id)).result
    except (JobFailedError, JobCancelledError) as error:
        return None, None, str(error)
    return result.type, result.confidence, None


@DBOS.step()
async def store(results: str, path: str, found: tuple[str | None, float | None, str | None]) -> None:
    with closing(sqlite3.connect(results, timeout=30)) as connection, connection:
        connection.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?)", (path, *found))


@DBOS.workflow()
async def classify(path: str, results: str) -> None:
    """Each step that was done before a crash is not done again after it."""
    key = DBOS.workflow_id
    try:
        found = await wait(await create(await upload(path), key))
    except LlamaClassifyError as error:
        found = None, None, str(error)
    await store(results, path, found)
    print(path, found[0] or found[2], flush=True)


def key_of(path: Path) -> str:
    """Name a document's place in the queue by what it is: put there again, it is there already."""
    return sha256(repr((path.name, sha256(path.read_bytes()).digest(), RULES)).encode()).hexdigest()


async def fill(inbox: Path, results: str) -> None:
    """Put what comes on the queue; in the place of the folder, your broker's consumer or a web service."""
    known: set[str] = set()
    while True:
        for name in sorted(set(await asyncio.to_thread(os.listdir, inbox)) - known):
            with SetWorkflowID(await asyncio.to_thread(key_of, inbox / name)):
                await DBOS.enqueue_workflow_async(QUEUE, classify, str(inbox / name), results)
            known.add(name)
        await asyncio.sleep(1)


async def run(inbox: Path, work: Path) -> None:
    database = os.environ.get("DATABASE_URL", f"sqlite:///{work}/queue.db")
    with closing(sqlite3.connect(work / "results.db")) as connection:
        connection.execute(SCHEMA)
    DBOS(config={"name": "durable-queue", "system_database_url": database, "log_level": "WARNING"})
    DBOS.launch()  # and what was under way at the last end goes on
    await DBOS.register_queue_async(
        QUEUE, limiter=LIMIT, worker_concurrency=AT_ONCE, polling_interval_sec=0.5
    )
    await fill(inbox, str(work / "results.db"))


if __name__ == "__main__":
    # There is nothing to drain: to be killed at any time is what this program is for.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    folder, kept = (Path(argument).absolute() for argument in sys.argv[1:])
    kept.mkdir(exist_ok=True)
    asyncio.run(run(folder, kept))
