"""``llamaclassify run``: classify files, on the service or on this machine."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from .documents import expand
from .exits import Exit, fail, run_async, writing
from .output import WRITERS, Record, Writer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..outcomes import Progress
    from ..session import ClassifySession

_LOCAL_CONCURRENCY = 8
"""Enough to keep every worker busy; more would only wait in the server's queue."""


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--rules",
    "rules_file",
    required=True,
    type=click.Path(path_type=Path),
    help="The rules, as YAML, JSON or TOML: an object with rules, mode, parsing_configuration.",
)
@click.option(
    "--local/--cloud",
    default=None,
    help="On this machine, or on the service.  [default: the service if LLAMA_CLOUD_API_KEY is set]",
)
@click.option("--format", "form", type=click.Choice(list(WRITERS)), default="table", show_default=True)
@click.option("--output", type=click.Path(path_type=Path), help="Write here instead of to stdout.")
@click.option("--concurrency", type=click.IntRange(min=1), help="Documents under way at once.")
@click.option(
    "--journal",
    type=click.Path(path_type=Path),
    help="A file that remembers what is done: run the same command again to go on where it was ended.",
)
@click.option("--retry-failed", is_flag=True, help="Try documents again that the journal has as failed.")
def run(
    paths: Sequence[str],
    rules_file: Path,
    local: bool | None,
    form: str,
    output: Path | None,
    concurrency: int | None,
    journal: Path | None,
    retry_failed: bool,
) -> None:
    """Classify documents: files, folders (every file below them) and globs.

    Exit status: 0 all classified, 2 bad usage or rules, 3 some documents failed, 4 key refused,
    5 out of credits, 130 interrupted (what is finished is printed).
    """
    from .rules_file import RulesFileError, read_rules

    try:
        configuration = read_rules(rules_file)
    except RulesFileError as error:
        raise fail(str(error), Exit.USAGE) from None
    # A journal in the folder itself is no document.
    own = [] if journal is None else [journal, journal.with_name(f"{journal.name}-wal")]
    documents = [path for path in expand(paths) if not any(_is_same_file(file, path) for file in own)]
    if output is not None and any(_is_same_file(output, path) for path in (str(rules_file), *documents)):
        raise fail(f"--output {output}: is one of the files to read", Exit.USAGE)
    if retry_failed and journal is None:
        raise fail("--retry-failed needs the --journal that knows what failed", Exit.USAGE)
    if not documents:
        raise fail("there is no file below the folders given", Exit.USAGE)
    has_key = bool(os.environ.get("LLAMA_CLOUD_API_KEY", "").strip())
    if local is None:
        local = not has_key
    if not local and not has_key:
        raise fail("--cloud needs a key: set LLAMA_CLOUD_API_KEY", Exit.AUTHENTICATION)
    with writing(), ExitStack() as closing:
        stream = _open(output, closing)
        writer = WRITERS[form](stream)
        # Whatever ends the run, what is finished is printed.
        closing.callback(writer.close)
        asked = {"configuration": configuration, "journal": journal, "retry_failed": retry_failed}
        run_async(lambda: _classify(documents, asked, local, concurrency, writer))


def _is_same_file(one: Path, other: str) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


async def _classify(
    documents: Sequence[str],
    asked: Mapping[str, Any],
    local: bool,
    concurrency: int | None,
    writer: Writer,
) -> Exit:
    from ..session import DEFAULT_CONCURRENCY

    counts: Counter[str] = Counter()
    default = _LOCAL_CONCURRENCY if local else DEFAULT_CONCURRENCY
    async with _local_session() if local else _cloud_session() as session:
        with _progress() as on_progress:
            batch = session.classify_many(
                [Path(document) for document in documents],
                concurrency=concurrency or default,
                on_progress=on_progress,
                **asked,
            )
            async with batch as outcomes:
                async for outcome in outcomes:
                    record = Record.of(documents[outcome.index], outcome)
                    counts[_kind(record)] += 1
                    writer.add(outcome.index, record)
    progress = batch.progress
    said = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    click.echo(f"{progress.done} documents in {progress.seconds:.1f} s: {said}", err=True)
    return Exit.SOME_FAILED if counts["failed"] else Exit.OK


def _kind(record: Record) -> str:
    if record.error is not None:
        return "failed"
    return "fit no rule" if record.type is None else "classified"


@asynccontextmanager
async def _cloud_session() -> AsyncIterator[ClassifySession]:
    from ..session import ClassifySession

    async with ClassifySession() as session:
        yield session


@asynccontextmanager
async def _local_session() -> AsyncIterator[ClassifySession]:
    """Give a session with an embedded server of its own."""
    from ..policies import PollPolicy
    from ..session import ClassifySession

    try:
        import kreuzberg  # noqa: F401  (only the workers use it, but they could not say that it is missing)

        from ..server import LocalServer
    except ModuleNotFoundError as missing:
        message = f"classifying on this machine needs {missing.name}: pip install 'llamaclassify[local]'"
        raise fail(message, Exit.USAGE) from None
    why = "" if os.environ.get("LLAMA_CLOUD_API_KEY", "").strip() else "no LLAMA_CLOUD_API_KEY: "
    click.echo(f"{why}classifying on this machine; no document leaves it", err=True)
    poll = PollPolicy(initial=0.05, maximum=0.5)
    async with (
        LocalServer() as server,
        ClassifySession("llx-local", base_url=server.url, poll=poll) as session,
    ):
        yield session


def _open(output: Path | None, closing: ExitStack) -> TextIO:
    if output is None:
        reconfigure = getattr(sys.stdout, "reconfigure", None)
        if reconfigure is not None:
            # A file name that is no text must not end the run.
            reconfigure(errors="backslashreplace")
        return sys.stdout
    try:
        file = output.open("w", encoding="utf-8", errors="backslashreplace", newline="")
    except OSError as error:
        raise fail(f"--output {output}: {error.strerror or error}", Exit.USAGE) from None
    return closing.enter_context(file)


@contextmanager
def _progress() -> Iterator[Callable[[Progress], None]]:
    """Show a bar on stderr where that is a terminal; gives what a batch tells its progress."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress as Bar, TextColumn, TimeRemainingColumn

    columns = (
        "classifying",
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.1f}/s  {task.fields[failed]} failed"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, rate=0.0, failed=0)
        yield lambda progress: bar.update(
            task,
            completed=progress.done,
            total=progress.total,
            rate=progress.rate,
            failed=progress.failed,
        )
