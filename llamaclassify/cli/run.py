"""``llamaclassify run``: classify documents, on the service or on this machine."""

from __future__ import annotations

import sys
from contextlib import AbstractAsyncContextManager, ExitStack, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import define, field

from .asked import Asked
from .budget import Budget
from .documents import Named
from .exits import Exit, fail, run_async, writing
from .interrupts import Interrupt, how_to_resume
from .output import WRITERS, Printer, open_output
from .progress import Tally, showing
from .records import Record
from .sessions import Service, concurrency_of, is_local, opened
from .talk import debug_log, plain_warnings, say
from .terminal import counted, has_terminal, is_pipe

if TYPE_CHECKING:
    from ..outcomes import Outcome, Progress
    from ..waiting.batch import Batch

_PLANNED = {
    *("paths", "rules_file", "local", "journal", "retry_failed", "max_credits"),
    *(option.name for option in Service.options()),
}
"""The options of a run that its plan has too."""


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="DOCUMENT...", type=click.Path(allow_dash=True))
@click.option(
    "--rules",
    "rules_file",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The rules, as YAML, JSON or TOML: an object with rules, mode, parsing_configuration.",
)
@click.option(
    "--local/--cloud",
    default=None,
    help="On this machine, or on the service.  [default: the service if LLAMA_CLOUD_API_KEY is set]",
)
@click.option("--format", "form", type=click.Choice(list(WRITERS)), default="table", show_default=True)
@click.option(
    "--order",
    type=click.Choice(["input", "completion"]),
    help="The order of what is printed.  [default: completion for jsonl and csv, else input]",
)
@click.option("--output", type=click.Path(path_type=Path), help="Write here instead of to stdout.")
@click.option("--concurrency", type=click.IntRange(min=1), help="Documents under way at once.")
@click.option(
    "--journal",
    type=click.Path(path_type=Path),
    help="A file that remembers what is done: run the same command again to go on where it was ended.",
)
@click.option("--retry-failed", is_flag=True, help="Try documents again that the journal has as failed.")
@click.option(
    "--max-credits",
    type=click.FloatRange(min=0, min_open=True),
    help="Begin no document that would cost more than is left of so many credits.",
)
@click.option("--dry-run", is_flag=True, help="Say what it would take, and send nothing: the same as plan.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing on stderr but errors.")
@click.option(
    "--verbose", "-v", count=True, help="Name failed documents at once; twice: show the requests too."
)
def run(**options: Any) -> None:
    """Classify documents: files, folders (every file below them), globs, and ids (dfl-…, pjb-…).

    For the document - a list is read from stdin, one a line: find . -name '*.pdf' | llamaclassify run - …

    The first Ctrl-C finishes what is under way, the second stops at once.

    Exit status: 0 all classified, 2 bad usage or rules, 3 some documents failed, 4 key refused,
    5 out of credits or --max-credits spent, 130 interrupted. What is finished is printed in any case.
    """
    from .rules_file import read_rules

    asked = Asked(service=Service.taken_from(options), **options)
    asked.configuration = read_rules(asked.rules_file)
    asked.check()
    if asked.dry_run:
        from .plan import show_plan

        run_async(partial(show_plan, asked))
        return
    asked.local = is_local(asked.local)
    with writing(), ExitStack() as closing:
        printer = Printer(WRITERS[asked.form](open_output(asked.output, closing)), asked.is_in_order)
        # Whatever ends the run, what is finished is printed.
        closing.callback(printer.close)
        closing.enter_context(debug_log(on=asked.verbose > 1))
        closing.enter_context(plain_warnings())
        run_async(Run(asked, printer).classify)


@define(eq=False)
class Run:
    """One run: from the options to the exit status."""

    asked: Asked
    printer: Printer
    _tally: Tally = field(init=False, factory=Tally)
    _interrupt: Interrupt = field(init=False, factory=Interrupt)
    _named: Named = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._named = self.asked.named

    async def classify(self) -> Exit:
        """Classify, print, and say how it went."""
        local = self.asked.local is True
        if self._named.is_piped and sys.stdin.isatty():
            self._say("documents are read from this terminal, one a line; Ctrl-D ends the list")
        async with opened(self.asked.service, local=local, quiet=self.asked.quiet) as session:
            budget = Budget(self.asked.max_credits, partial(session.get, expand=("usage",)))
            batch = session.classify_many(
                self.printer.paced(budget.within(self._named.documents())),
                configuration=self.asked.configuration,
                concurrency=concurrency_of(self.asked.concurrency, local=local),
                journal=self.asked.journal,
                retry_failed=self.asked.retry_failed,
            )
            async with batch as outcomes, budget.watching(), self._showing(batch):
                with self._interrupt.draining(batch):
                    async for outcome in outcomes:
                        self._print(outcome)
                        budget.add(outcome.job)
        self.printer.close()
        return self._ended(batch.progress, budget)

    def _print(self, outcome: Outcome) -> None:
        record = Record.of(outcome)
        self._tally.add(record)
        self.printer.add(outcome.index, record)
        if self.asked.verbose and record.error is not None:
            say(f"{record.document}: {record.error}")

    def _showing(self, batch: Batch) -> AbstractAsyncContextManager[None]:
        """Show how far it is, unless the outcomes themselves do so on this terminal."""
        asked = self.asked
        is_streamed = asked.output is None and asked.form != "table"
        if asked.quiet or (is_streamed and sys.stdout.isatty()):
            return nullcontext()
        # What comes out of a pipe often ends on the same terminal, where it would run into a bar.
        bar = has_terminal() and not asked.verbose and not (is_streamed and is_pipe(sys.stdout))
        return showing(lambda: batch.progress, self._tally, self._named.count, bar=bar)

    def _ended(self, progress: Progress, budget: Budget) -> Exit:
        is_cut_short = self._interrupt.has_come or budget.has_ended
        if not progress.done and not is_cut_short and not self._named.is_piped:
            raise fail("there is no file to classify", Exit.USAGE)
        documents = counted(progress.done, "document")
        self._say(f"{documents} in {progress.seconds:.1f} s: {self._tally.in_short()}")
        if self._named.repeated:
            self._say(f"left out: {counted(self._named.repeated, 'repeated name')}")
        if self.asked.max_credits is not None:
            self._say(f"{budget.spent:g} credits of {self.asked.max_credits:g}, as far as jobs report them")
        if is_cut_short:
            self._say(how_to_resume(self.asked.journal, is_piped=self._named.is_piped))
            return Exit.INTERRUPTED if self._interrupt.has_come else Exit.LIMITS
        return Exit.SOME_FAILED if self._tally.failed else Exit.OK

    def _say(self, text: str) -> None:
        if not self.asked.quiet:
            say(text)


run.params += Service.options()


def _plan(**options: Any) -> None:
    assert run.callback is not None  # noqa: S101  (a command has one)
    run.callback(**options, dry_run=True)


plan: click.Command = click.Command(
    "plan",
    callback=_plan,
    params=[parameter for parameter in run.params if parameter.name in _PLANNED],
    help="""Say what a run would take: documents, pages, credits and time; nothing is sent.

    Pages are counted where that is cheap: in PDF files. What the journal has is not counted again.

    Exit status: 0, or 3 where some files are empty or not there.
    """,
)
