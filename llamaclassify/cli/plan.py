"""``llamaclassify plan``: what a run would take, before anything is sent."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
from anyio.to_thread import run_sync
from attrs import define

from ..policies import RateLimit
from ..wire.checks import page_ranges
from .asked import Asked
from .exits import Exit
from .sessions import Service, has_key
from .terminal import counted

if TYPE_CHECKING:
    from ..models import Configuration, Job
    from ..outcomes import Document

_DOLLARS_A_CREDIT = 1.25 / 1000
_CREDITS_A_PAGE = 1
_KEY_IN_NO_USE = "llx-plan"


@define
class Plan:
    """What a run would do.

    Attributes:
        done: Documents that the journal has.
        files: Files to upload.
        ids: Documents that the service has already.
        missing: Names of files that cannot be read.
        bytes: The size of the files.
        pages: The pages of the documents whose pages could be counted.
        uncounted: The other documents, of at least a page each.
    """

    done: int = 0
    files: int = 0
    ids: int = 0
    missing: int = 0
    bytes: int = 0
    pages: int = 0
    uncounted: int = 0

    @property
    def least_pages(self) -> int:
        """The pages that there are at least."""
        return self.pages + self.uncounted

    def seconds(self, limit: RateLimit) -> float:
        """Give how long the requests take at least, at a rate limit."""
        rates = ((self.files, limit.uploads), (self.files + self.ids, limit.creates))
        return max(count * rate.seconds / rate.count for count, rate in rates if rate is not None)


async def show_plan(asked: Asked) -> Exit:
    """Say what a run would take; that needs no key."""
    if asked.local is None:
        asked.local = not has_key()
    plan = Plan()
    async with aclosing(_remembered(asked)) as documents:
        async for document, job in documents:
            if job is not None and not (asked.retry_failed and job.result is None):
                plan.done += 1
            else:
                await run_sync(_add, plan, document, asked.configuration)
    for name, text in _lines(plan, asked):
        click.echo(f"{name:<10} {text}")
    return Exit.SOME_FAILED if plan.missing else Exit.OK


async def _remembered(asked: Asked) -> AsyncGenerator[tuple[Document, Job | None]]:
    """Give the documents, each with its job where the journal has it."""
    documents = asked.named.documents()
    if asked.journal is None or not asked.journal.exists():
        async for document in documents:
            yield document, None
        return
    # Asked for nothing; the journal knows a server on this machine by its host.
    service = Service(base_url="http://127.0.0.1") if asked.local else asked.service
    async with service.session(_KEY_IN_NO_USE) as session:
        known = session.recall(documents, journal=asked.journal, configuration=asked.configuration)
        async with aclosing(known):
            async for pair in known:
                yield pair


def _add(plan: Plan, document: Document, configuration: Configuration) -> None:
    if isinstance(document, str):
        plan.ids += 1
        plan.uncounted += 1
        return
    path = os.fspath(document)  # type: ignore[arg-type]  # a command names no bytes
    try:
        size = Path(path).stat().st_size
    except OSError:
        size = 0
    if not size:
        plan.missing += 1
        return
    plan.files += 1
    plan.bytes += size
    pages = _pages(path) if path.lower().endswith(".pdf") else None
    if pages is None:
        plan.uncounted += 1
    else:
        plan.pages += _read_of(pages, configuration)


def _pages(path: str) -> int | None:
    """Count a PDF's pages, where its reader is installed and can open it."""
    try:
        from kreuzberg import KreuzbergError, PdfPageIterator
    except ModuleNotFoundError:
        return None
    try:
        with PdfPageIterator(path) as pages:
            return len(pages)
    except (KreuzbergError, OSError, RuntimeError, ValueError):
        return None


def _read_of(pages: int, configuration: Configuration) -> int:
    """Give how many of a document's pages are read."""
    parsing = configuration.parsing_configuration
    if parsing is not None and parsing.target_pages is not None:
        wanted = page_ranges(parsing.target_pages)
        pages = sum(any(page in part for part in wanted) for page in range(1, pages + 1))
    return pages if parsing is None or parsing.max_pages is None else min(pages, parsing.max_pages)


def _lines(plan: Plan, asked: Asked) -> list[tuple[str, str]]:
    files, ids = counted(plan.files, "file"), counted(plan.ids, "id")
    lines = [("documents", f"{plan.files + plan.ids:,}: {files} to upload, {ids}")]
    if plan.missing:
        lines.append(("unreadable", f"{plan.missing:,} more that are empty or not there; they would fail"))
    if asked.journal is not None:
        lines.append(("journal", f"{plan.done:,} more are done already, and are not sent again"))
    lines.append(("size", _size(plan.bytes)))
    uncounted = f", and at least 1 in each of {plan.uncounted:,} others" if plan.uncounted else ""
    lines.append(("pages", f"{plan.pages:,} counted{uncounted}"))
    if asked.local:
        return [*lines, ("credits", "none: classified on this machine")]
    credits = plan.least_pages * _CREDITS_A_PAGE
    at_least = "at least " if plan.uncounted else ""
    price = f"{credits:,}, at 1 a page: ${credits * _DOLLARS_A_CREDIT:,.2f} at $1.25 for 1,000"
    lines.append(("credits", at_least + price))
    seconds = plan.seconds(RateLimit())
    long = timedelta(seconds=round(seconds + 0.5))
    lines.append(("time", f"at least {long}, at 50 uploads in 5 s and 40 jobs a second"))
    free = timedelta(seconds=round((2 * plan.files + plan.ids) * 3))
    lines.append(("", f"at least {free} on a free account, which may ask 20 times a minute"))
    if asked.max_credits is not None and credits > asked.max_credits:
        lines.append(("cap", f"--max-credits {asked.max_credits:g} would end the run early"))
    return lines


def _size(size: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}" if unit != "bytes" else f"{size:,} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"
