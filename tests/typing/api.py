"""The public API as a type checker sees it; checked by mypy and pyright, never run."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import assert_type

from llamaclassify import (
    ClassifySession,
    DeletedJob,
    Document,
    File,
    Job,
    JobStatus,
    Outcome,
    Page,
    PollPolicy,
    Result,
    RetryPolicy,
    Rule,
)
from llamaclassify.server import LocalServer

RULES = [Rule(type="invoice", description="contains an invoice number")]


async def source() -> AsyncIterator[Path]:
    yield Path("a.pdf")


async def uses() -> None:
    async with (
        LocalServer() as server,
        ClassifySession("llx-a", base_url=server.url, retry=RetryPolicy(attempts=2)) as session,
    ):
        job = await session.create_and_wait(Path("a.pdf"), rules=RULES, poll=PollPolicy(timeout=5))
        assert_type(job, Job)
        assert_type(job.status, JobStatus | str)
        assert_type(job.result, Result | None)
        assert_type(await session.create_and_wait(("a.txt", b"x"), rules=RULES), Job)
        assert_type(await session.classify_many([Path("a.pdf")], rules=RULES), list[Outcome])
        async for document, known in session.recall([Path("a.pdf")], rules=RULES, journal="run.journal"):
            assert_type(document, Document)
            assert_type(known, Job | None)
        assert_type(await session.classify_many(["dfl-1"], configuration_id="cfg-1"), list[Outcome])
        async with session.classify_many(source(), rules=RULES) as outcomes:
            async for outcome in outcomes:
                assert_type(outcome, Outcome)
                assert_type(outcome.error, Exception | None)
        async for listed in session.list(status=JobStatus.FAILED):
            assert_type(listed, Job)
        assert_type(await session.list(), Page[Job])
        async for page in session.list().pages():
            assert_type(page.items, tuple[Job, ...])
        async for seen in session.watch(job.id):
            assert_type(seen, Job)
        assert_type(await session.wait(job.id, on_cancel="cancel"), Job)
        assert_type(await session.delete(job.id), DeletedJob)
        assert_type(await session.files.upload(Path("a.pdf")), File)
