"""``llamaclassify evaluate``: how well rules work, against documents whose types are known."""

from __future__ import annotations

import json
from contextlib import ExitStack, nullcontext
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click
from attrs import frozen

from .comparing import Comparison
from .exits import Exit, run_async, writing
from .labels import Label, check_labels, read_labels
from .output import Record, open_output
from .progress import Tally, showing
from .scores import Judged, Scores
from .sessions import Service, concurrency_of, is_local, opened
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
    with writing(), ExitStack() as closing:
        output = None if asked.output is None else open_output(asked.output, closing)
        run_async(partial(_evaluate, asked, labels, rules, output))


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


async def _evaluate(
    asked: Asked, labels: Sequence[Label], rules: dict[Path, Configuration], output: Any
) -> Exit:
    local = is_local(asked.local)
    async with opened(asked.service, local=local, quiet=asked.quiet) as session:
        scored = [
            await _scores(session, asked, labels, file, configuration, local=local)
            for file, configuration in rules.items()
        ]
    if output is not None:
        for record in chain.from_iterable(scores.records for scores in scored):
            print(json.dumps(attrs.asdict(record), ensure_ascii=False), file=output)
    if asked.form == "json":
        by_rules = {str(file): _as_json(scores) for file, scores in zip(rules, scored, strict=True)}
        click.echo(json.dumps(by_rules, indent=2))
    else:
        from .evaluation_tables import show_comparison, show_scores

        if len(scored) == 1:
            show_scores(scored[0], asked.worst)
        else:
            show_comparison(Comparison(*scored), asked.worst)
    return Exit.SOME_FAILED if any(scores.failed for scores in scored) else Exit.OK


async def _scores(
    session: ClassifySession,
    asked: Asked,
    labels: Sequence[Label],
    file: Path,
    configuration: Configuration,
    *,
    local: bool,
) -> Scores:
    batch = session.classify_many(
        [label.document for label in labels],
        configuration=configuration,
        concurrency=concurrency_of(asked.concurrency, local=local),
        journal=asked.journal,
    )
    tally = Tally()
    shown = showing(lambda: batch.progress, tally, lambda: len(labels), bar=has_terminal())
    found: dict[int, Judged] = {}
    async with batch as outcomes, nullcontext() if asked.quiet else shown:
        async for outcome in outcomes:
            label, record = labels[outcome.index], Record.of(outcome)
            tally.add(record)
            record = attrs.evolve(record, document=label.name)
            found[outcome.index] = Judged.beside(record, label.type, str(file))
    return Scores(tuple(found[index] for index in sorted(found)))


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
