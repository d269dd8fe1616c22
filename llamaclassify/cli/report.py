"""``llamaclassify report``: one self-contained HTML file of a run or an evaluation."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from statistics import median
from string import Template
from typing import Any

import attrs
import click

from .exits import Exit, fail, writing
from .output import Record
from .scores import ERROR, NO_RULE, Judged, Scores, named, scores_of

_HISTOGRAM_BINS = 20
_MOST_TO_REVIEW = 12
_MOST_FAILURES_TO_REVIEW = 4
_MOST_IN_A_MATRIX = 40


@click.command()
@click.argument("file", type=click.File("r", encoding="utf-8-sig"), metavar="FILE")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("report.html"),
    show_default=True,
    help="The file to write.",
)
@click.option("--title", default="Classified documents", show_default=True, help="What to call it.")
def report(file: Any, output: Path, title: str) -> None:
    """Make a web page of what run (--format jsonl or json) or evaluate (--output) wrote; - reads stdin.

    One file, which opens from disk and asks the network for nothing: counts by type, confidence, the
    documents to review first, a table to sort and search; of an evaluation also its scores.
    """
    records = _records(file)
    with writing():
        try:
            output.write_text(page(records, title), encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise fail(f"--output {output}: {error.strerror or error}", Exit.USAGE) from None
    click.echo(f"{output}: {len(records):,} documents", err=True)


def page(records: Sequence[Record], title: str) -> str:
    """Make the page of records, judged or not."""
    template = Template(_resource("report.html"))
    script = _resource("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    judged = [record for record in records if isinstance(record, Judged)]
    scores = scores_of(judged) if judged and len(judged) == len(records) else None
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return template.substitute(
        title=html.escape(title),
        subtitle=f"{len(records):,} documents · made {made} by llamaclassify",
        script_hash=f"sha256-{digest}",
        script=script,
        tiles=_tiles(records, scores),
        charts=f'<div class="pair">{_counts(records)}{_confidences(records)}</div>',
        evaluation="" if scores is None else _evaluation(scores),
        review=_review(records, scores),
        data=_data(records),
    )


def _resource(name: str) -> str:
    return resources.files(__package__ or "").joinpath(name).read_text(encoding="utf-8")


def _records(file: Any) -> list[Record]:
    """Read records, as JSON lines or as one JSON list.

    Raises:
        click.ClickException: There is none, or it is not what run or evaluate writes.
    """
    name = getattr(file, "name", "the input")
    try:
        text = file.read()
        lines = json.loads(text) if text.lstrip().startswith("[") else map(json.loads, text.splitlines())
        records = [_record(line) for line in lines]
    except (ValueError, TypeError, RecursionError) as error:
        message = f"{name}: is not what run --format jsonl or evaluate --output writes: {error}"
        raise fail(message, Exit.USAGE) from None
    if not records:
        raise fail(f"{name}: there is no document in it", Exit.USAGE)
    return records


def _record(data: Any) -> Record:
    if not isinstance(data, dict):
        raise TypeError(f"expected an object a line, got {data!r:.60}")
    kind = Judged if "expected" in data else Record
    values: dict[str, Any] = {field.name: data.get(field.name) for field in attrs.fields(kind)}
    texts = [value for name, value in values.items() if name != "confidence" and value is not None]
    if not isinstance(values["document"], str) or not all(isinstance(value, str) for value in texts):
        raise TypeError(f"expected a record of a document, got {data!r:.60}")
    if not isinstance(values["confidence"], int | float | None):
        raise TypeError(f"expected a number as confidence, got {values['confidence']!r:.60}")
    return kind(**values)


def _data(records: Sequence[Record]) -> str:
    kept = [attrs.asdict(record) for record in records]
    for record in kept:
        del record["status"], record["job_id"]
    # Nothing in a document may end the element that holds it.
    return json.dumps(kept, ensure_ascii=False).replace("<", "\\u003c")


def _tiles(records: Sequence[Record], scores: Scores | None) -> str:
    failed = sum(record.error is not None for record in records)
    unfit = sum(record.error is None and record.type is None for record in records)
    sure = [record.confidence for record in records if record.confidence is not None]
    tiles = {
        "documents": f"{len(records):,}",
        "classified": f"{len(records) - failed - unfit:,}",
        "fit no rule": f"{unfit:,}",
        "failed": f"{failed:,}",
        "median confidence": f"{median(sure):.2f}" if sure else "-",
    }
    if scores is not None:
        error = scores.calibration_error
        tiles = {
            "accuracy": f"{scores.accuracy:.1%}",
            **tiles,
            "calibration error": "-" if error is None else f"{error:.3f}",
        }
    return "".join(
        f'<div class="tile"><b>{value}</b><span class="soft">{name}</span></div>'
        for name, value in tiles.items()
    )


def _found(record: Record) -> str:
    return ERROR if record.error is not None else named(record.type)


def _counts(records: Sequence[Record]) -> str:
    counts = Counter(map(_found, records)).most_common()
    most = counts[0][1]
    rows = "".join(
        f'<button data-kind="{html.escape(name)}">{html.escape(name)}</button>'
        f'<div><i style="width:{100 * count / most:.1f}%{_colour(name)}"></i></div><span>{count:,}</span>'
        for name, count in counts
    )
    return f'<section><h2>By type</h2><div class="counts">{rows}</div></section>'


def _colour(name: str) -> str:
    return {ERROR: ";background:var(--bad)", NO_RULE: ";background:var(--soft)"}.get(name, "")


def _confidences(records: Sequence[Record]) -> str:
    """Draw how many answers are how sure."""
    bins = [0] * _HISTOGRAM_BINS
    for record in records:
        if record.confidence is not None:
            bins[max(0, min(int(record.confidence * _HISTOGRAM_BINS), _HISTOGRAM_BINS - 1))] += 1
    most = max(bins) or 1
    wide, high = 18, 130
    bars = ""
    for index, count in enumerate(bins):
        tall = high * count / most
        about = f"{index / _HISTOGRAM_BINS:.2f} to {(index + 1) / _HISTOGRAM_BINS:.2f}: {count:,}"
        bars += (
            f'<rect x="{index * wide + 1}" y="{20 + high - tall:.1f}" width="{wide - 2}" height="{tall:.1f}" '
            f'rx="2" fill="var(--bar)"><title>{about}</title></rect>'
        )
        if count:
            place = f'x="{(index + 0.5) * wide}" y="{14 + high - tall:.1f}"'
            short = f"{count / 1000:.3g}k" if count >= 1000 else count
            bars += f'<text {place} text-anchor="middle" style="font-size:9px">{short}</text>'
    width = wide * _HISTOGRAM_BINS
    ticks = "".join(
        f'<text x="{width * tick / 4}" y="{high + 36}" text-anchor="{anchor}">{tick / 4:g}</text>'
        for tick, anchor in enumerate(("start", "middle", "middle", "middle", "end"))
    )
    line = f'<path d="M0 {high + 20.5}H{width}" stroke="var(--line)"/>'
    picture = (
        f'<svg viewBox="-16 0 {width + 32} {high + 42}" role="img" aria-label="Histogram of confidence">'
        f"{bars}{line}{ticks}</svg>"
    )
    return f"<section><h2>Confidence</h2>{picture}</section>"


def _evaluation(scores: Scores) -> str:
    return f'{_matrix(scores)}<div class="pair">{_type_scores(scores)}{_calibration(scores)}</div>'


def _type_scores(scores: Scores) -> str:
    rows = "".join(
        f'<tr><td>{html.escape(score.name)}</td><td class="n">{score.count:,}</td>'
        f'<td class="n">{_share(score.precision)}</td><td class="n">{_share(score.recall)}</td></tr>'
        for score in scores.by_type()
    )
    names = "".join(f'<th class="n">{name}</th>' for name in ("count", "precision", "recall"))
    head = f"<tr><th>type</th>{names}</tr>"
    return (
        '<section><h2>Precision and recall</h2><div class="scroll">'
        f"<table><thead>{head}</thead><tbody>{rows}</tbody></table></div></section>"
    )


def _matrix(scores: Scores) -> str:
    names = scores.names()
    if len(names) > _MOST_IN_A_MATRIX:
        return ""
    confusion = scores.confusion()
    totals: Counter[str] = Counter()
    for (label, _), count in confusion.items():
        totals[label] += count

    def cell(label: str, found: str) -> str:
        count = confusion[label, found]
        if not count:
            return '<td class="n soft">·</td>'
        colour = "right" if label == found else "wrong"
        shade = 0.12 + 0.5 * count / totals[label]
        return f'<td class="n" style="background:rgba(var(--{colour}),{shade:.2f})">{count:,}</td>'

    head = "".join(f'<th class="n"><span>{html.escape(name)}</span></th>' for name in names)
    rows = "".join(
        f"<tr><th>{html.escape(label)}</th>{''.join(cell(label, found) for found in names)}</tr>"
        for label in names
        if label != ERROR
    )
    return (
        '<section><h2>Confusion</h2><p class="soft">What a document is, down; what it was called, across.</p>'
        f'<div class="scroll"><table class="matrix"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def _calibration(scores: Scores) -> str:
    """Draw how often answers are right, by how sure they are."""
    side = 260
    points = "".join(
        f'<circle cx="{30 + side * bin.confidence:.1f}" cy="{10 + side * (1 - bin.right):.1f}" '
        f'r="{4 + 10 * (bin.count / len(scores.records)) ** 0.5:.1f}" fill="var(--bar)" fill-opacity=".75">'
        f"<title>{bin.count:,} documents, confidence {bin.confidence:.2f}, right {bin.right:.2f}</title>"
        "</circle>"
        for bin in scores.calibration()
    )
    frame = (
        f'<path d="M30 10V{side + 10}H{side + 30}" fill="none" stroke="var(--line)"/>'
        f'<path d="M30 {side + 10}L{side + 30} 10" stroke="var(--soft)" stroke-dasharray="3 4"/>'
    )
    ticks = "".join(
        f'<text x="24" y="{14 + side * (1 - tick):.0f}" text-anchor="end">{tick:g}</text>'
        f'<text x="{30 + side * tick:.0f}" y="{side + 28}" text-anchor="middle">{tick:g}</text>'
        for tick in (0, 0.5, 1)
    )
    return (
        '<section><h2>Calibration</h2><p class="soft">How sure, across; how often right, up: the same on the '
        f'line.</p><svg viewBox="0 0 {side + 45} {side + 36}" style="max-width:360px" role="img" '
        f'aria-label="Calibration">{frame}{ticks}{points}</svg></section>'
    )


def _review(records: Sequence[Record], scores: Scores | None) -> str:
    """Show what to look at first: the surest mistakes; or some failures, and the least sure answers."""
    if scores is not None:
        title, first = "Most wrong", list[Record](scores.worst())
    else:
        title = "Review first"
        answers = [record for record in records if record.error is None]
        failures = [record for record in records if record.error is not None]
        unsure = sorted(answers, key=lambda record: record.confidence or 0.0)
        first = failures[:_MOST_FAILURES_TO_REVIEW] + unsure
    cards = "".join(map(_card, first[:_MOST_TO_REVIEW]))
    return f'<section><h2>{title}</h2><div class="review">{cards}</div></section>' if cards else ""


def _card(record: Record) -> str:
    sure = "" if record.confidence is None else f" {record.confidence:.2f}"
    is_label = f", is {named(record.expected)}" if isinstance(record, Judged) else ""
    css = "bad" if record.error is not None else "soft"
    why = record.error or (record.reasoning or "").split("\n", 1)[0]
    answer = html.escape(_found(record) + sure + is_label)
    return (
        f'<div class="card"><b>{html.escape(record.document)}</b><p>{answer}</p>'
        f'<p class="{css}">{html.escape(why)}</p></div>'
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
