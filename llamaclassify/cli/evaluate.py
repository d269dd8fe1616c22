"""``llamaclassify evaluate``: how well rules work, against documents whose types are known."""

from __future__ import annotations

import json
from contextlib import ExitStack, nullcontext
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import attrs
import click
from attrs import define, field, frozen

from .comparing import Comparison
from .documents import check_output
from .exits import Exit, run_async, writing
from .interrupts import Interrupt, how_to_resume
from .labels import Label, check_labels, read_labels
from .output import open_output
from .progress import Tally, showing
from .records import Record
from .scores import Judged, Scores
from .sessions import Service, concurrency_of, is_local, opened
from .talk import say
from .terminal import has_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..models import Configuration
    from ..session import ClassifySession

_PATH = click.Path(path_type=Path)


@click.command()
@click.option(
    "--labels",
    "labels_file",
    required=True,
    metavar="FILE",
    type=_PATH,
    help="The labels: CSV with the columns document and type; no type says that no rule should fit.",
)
@click.option(
    "--rules", "rules_file", required=True, metavar="FILE", type=_PATH, help="The rules, as for run."
)
@click.option("--compare", metavar="FILE", type=_PATH, help="Other rules, to see beside the first.")
@click.option(
    "--documents",
    "folder",
    metavar="DIR",
    type=_PATH,
    help="Where the documents are.  [default: the folder of the labels]",
)
@click.option(
    "--local/--cloud",
    default=None,
    help="On this machine, or on the service.  [default: the service if LLAMA_CLOUD_API_KEY is set]",
)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--output", type=_PATH, help="Write every document's record here, as JSON lines, for report.")
@click.option("--worst", type=click.IntRange(min=0), default=10, show_default=True, help="Mistakes to show.")
@click.option("--concurrency", type=click.IntRange(min=1), help="Documents under way at once.")
@click.option("--journal", type=_PATH, help="A file that remembers what is done, as for run.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing on stderr but errors.")
def evaluate(**options: Any) -> None:
    """See how well rules work: classify documents whose types are known, and compare.

    Prints the accuracy, each type's precision and recall, the confusion matrix, the calibration, and the
    documents it got most wrong, with the reasoning.

    Exit status: 0 all documents were classified, right or wrong; else as for run.
    """
    from .rules_file import read_rules

    asked = Asked(service=Service.taken_from(options), **options)
    rules = {asked.rules_file: read_rules(asked.rules_file)}
    if asked.compare is not None:
        rules[asked.compare] = read_rules(asked.compare)
    labels = read_labels(asked.labels_file, asked.folder)
    for file, configuration in rules.items():
        check_labels(asked.labels_file, labels, file, configuration)
    documents = (label.document for label in labels if not isinstance(label.document, tuple))
    check_output(asked.output, chain([asked.labels_file, *rules], documents))
    with writing(), ExitStack() as closing:
        output = None if asked.output is None else open_output(asked.output, closing)
        run_async(Evaluation(asked, labels, rules, output).evaluate)


evaluate.params += Service.options()


@frozen
class Asked:
    """What the options of an evaluation ask for."""

    service: Service
    labels_file: Path
    rules_file: Path
    compare: Path | None
    folder: Path | None
    local: bool | None
    form: str
    output: Path | None
    worst: int
    concurrency: int | None
    journal: Path | None
    quiet: bool


@define
class Evaluation:
    """One evaluation: from the options to the exit status."""

    asked: Asked
    labels: Sequence[Label]
    rules: dict[Path, Configuration]
    output: TextIO | None
    _interrupt: Interrupt = field(init=False, factory=Interrupt)

    async def evaluate(self) -> Exit:
        """Classify by each set of rules, print how good that is, and keep the records."""
        scored = []
        local = is_local(self.asked.local)
        async with opened(self.asked.service, local=local, quiet=self.asked.quiet) as session:
            for file in self.rules:
                if len(self.rules) > 1 and not self.asked.quiet:
                    say(f"by {file}")
                scored.append(await self._scores(session, file, local=local))
                if self._interrupt.has_come:
                    say(how_to_resume(self.asked.journal))
                    return Exit.INTERRUPTED
        for record in chain.from_iterable(scores.records for scores in scored):
            if self.output is not None:
                print(json.dumps(attrs.asdict(record), ensure_ascii=False), file=self.output)
        self._show(scored)
        return Exit.SOME_FAILED if any(scores.failed for scores in scored) else Exit.OK

    async def _scores(self, session: ClassifySession, file: Path, *, local: bool) -> Scores:
        batch = session.classify_many(
            [label.document for label in self.labels],
            configuration=self.rules[file],
            concurrency=concurrency_of(self.asked.concurrency, local=local),
            journal=self.asked.journal,
        )
        tally = Tally()
        shown = showing(lambda: batch.progress, tally, lambda: len(self.labels), bar=has_terminal())
        found: dict[int, Judged] = {}
        async with batch as outcomes, nullcontext() if self.asked.quiet else shown:
            with self._interrupt.draining(batch):
                async for outcome in outcomes:
                    label, record = self.labels[outcome.index], Record.of(outcome)
                    tally.add(record)
                    record = attrs.evolve(record, document=label.name)
                    found[outcome.index] = Judged.beside(record, label.type, str(file))
        return Scores(tuple(found[index] for index in sorted(found)))

    def _show(self, scored: Sequence[Scores]) -> None:
        if self.asked.form == "json":
            by_rules = {str(file): _as_json(scores) for file, scores in zip(self.rules, scored, strict=True)}
            click.echo(json.dumps(by_rules, indent=2))
            return
        from .evaluation_tables import show_comparison, show_scores

        if len(scored) == 1:
            show_scores(scored[0], self.asked.worst)
        else:
            show_comparison(Comparison(*scored), self.asked.worst)


def _as_json(scores: Scores) -> dict[str, Any]:
    return {
        "documents": len(scores.records),
        "failed": scores.failed,
        "accuracy": scores.accuracy,
        "types": [attrs.asdict(score) for score in scores.by_type()],
        "confusion": [
            {"expected": expected, "found": found, "count": count}
            for (expected, found), count in sorted(scores.confusion.items())
        ],
        "calibration": [attrs.asdict(bin) for bin in scores.calibration()],
        "calibration_error": scores.calibration_error,
        "wrong": [attrs.asdict(record) for record in scores.worst()],
    }
