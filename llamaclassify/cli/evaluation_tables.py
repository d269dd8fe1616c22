"""An evaluation for people, as tables on stdout."""

from __future__ import annotations

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from .comparing import Change, Comparison
from .scores import Judged, Scores, TypeScore, found_name, named
from .terminal import show, table_of

_COLOURS = {Change.WORSE: "red", Change.BETTER: "green", Change.BOTH_WRONG: "dim"}


def show_scores(scores: Scores, worst: int) -> None:
    """Print how good one set of rules is."""
    show(
        _accuracy(scores),
        *_titled("by type", _types(scores)),
        *_titled("confusion: what it is, down; what it was called, across", _confusion(scores)),
        *_titled("calibration: how sure, and how often right", _calibration(scores)),
    )
    wrong = scores.worst()
    if not wrong or not worst:
        return
    show(Text(f"\nmost wrong ({min(worst, len(wrong))} of {len(wrong)})", style="bold"))
    for record in wrong[:worst]:
        label = f": {_answer(record)}, is {named(record.expected)}"
        why = Text(record.error or record.reasoning or "", style="dim")
        show(Text.assemble((record.document, "bold"), label), Padding(why, (0, 0, 0, 4), expand=False))


def show_comparison(comparison: Comparison, most: int) -> None:
    """Print two sets of rules side by side: how good they are, and the documents that not both get right."""
    show(_accuracies(comparison), *_titled("by type: precision, recall", _types_compared(comparison)))
    pairs = comparison.pairs
    documents = table_of("document", "is", *comparison.names, "")
    for change in (Change.WORSE, Change.BETTER, Change.BOTH_WRONG):
        for pair in pairs[change][: most if change is Change.BOTH_WRONG else None]:
            first, second = pair.first, pair.second
            mark = Text(change, style=_COLOURS[change])
            documents.add_row(first.document, named(first.expected), _answer(first), _answer(second), mark)
    if documents.row_count:
        show(*_titled("document by document", documents))
    hidden = len(pairs[Change.BOTH_WRONG]) - most
    more = f" ({hidden:,} of them not shown)" if hidden > 0 else ""
    show("\n" + ", ".join(f"{len(some):,} {change}" for change, some in pairs.items()) + more)


def _accuracies(comparison: Comparison) -> Table:
    scored = comparison.first, comparison.second
    table = table_of("", *comparison.names, right=(1, 2))
    table.add_row("accuracy", *(Text(f"{scores.accuracy:.1%}", style="bold") for scores in scored))
    table.add_row("failed", *(str(scores.failed) for scores in scored))
    table.add_row("calibration error", *(_number(scores.calibration_error) for scores in scored))
    return table


def _types_compared(comparison: Comparison) -> Table:
    table = table_of("type", "documents", *comparison.names, right=(1, 2, 3))
    for name, first, second in comparison.by_type():
        count = max(score.count for score in (first, second) if score is not None)
        table.add_row(name, str(count), *(_both(score) for score in (first, second)))
    return table


def _both(score: TypeScore | None) -> str:
    return "" if score is None else f"{_share(score.precision):>6} {_share(score.recall):>6}"


def _titled(title: str, table: Table) -> tuple[Text, Table]:
    return Text(f"\n{title}", style="bold"), table


def _accuracy(scores: Scores) -> Text:
    of = f": {scores.right:,} of {len(scores.records):,}"
    text = Text.assemble((f"accuracy {scores.accuracy:.1%}", "bold"), of)
    return text.append(f"; {scores.failed} failed, and count as wrong" if scores.failed else "")


def _types(scores: Scores) -> Table:
    table = table_of("type", "documents", "precision", "recall", right=(1, 2, 3))
    for score in scores.by_type():
        table.add_row(score.name, str(score.count), _share(score.precision), _share(score.recall))
    return table


def _confusion(scores: Scores) -> Table:
    names = scores.names
    confusion = scores.confusion
    # Numbers, not names, across: names of fifty characters would leave no room.
    numbers = range(1, len(names) + 1)
    table = table_of("", "type", *map(str, numbers), right=range(2, len(names) + 2))
    for number, name in enumerate(names, start=1):
        cells = [
            Text(str(confusion[name, found] or "·"), style=_style(name == found, confusion[name, found]))
            for found in names
        ]
        table.add_row(str(number), name, *cells)
    return table


def _style(is_right: bool, count: int) -> str:
    if not count:
        return "dim"
    return "green" if is_right else "red"


def _calibration(scores: Scores) -> Table:
    table = table_of("confidence", "documents", "mean", "right", "", right=(1, 2, 3))
    for bin in scores.calibration():
        bar = "█" * round(20 * bin.right)
        table.add_row(
            f"{bin.least:.1f} to {bin.least + 0.1:.1f}",
            str(bin.count),
            f"{bin.confidence:.2f}",
            f"{bin.right:.2f}",
            bar,
        )
    return table


def _answer(record: Judged) -> str:
    sure = "" if record.confidence is None else f" {record.confidence:.2f}"
    return found_name(record) + sure


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
