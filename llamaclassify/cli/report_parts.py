"""The parts of a report: numbers, pictures and tables, as HTML."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median

from .comparing import Change, Comparison, Pair
from .records import Record
from .scores import ERROR, NO_RULE, Judged, Scores, TypeScore, found_name, named

_HISTOGRAM_BINS = 20
_MOST_TO_REVIEW = 12
_MOST_FAILURES_TO_REVIEW = 4
_MOST_IN_A_MATRIX = 40


def of_run(records: Sequence[Record]) -> str:
    """Show a run: some failures, and the least sure answers, first."""
    answers = [record for record in records if record.error is None]
    failures = [record for record in records if record.error is not None]
    unsure = sorted(answers, key=lambda record: record.confidence or 0.0)
    first = failures[:_MOST_FAILURES_TO_REVIEW] + unsure
    cards = map(_card, first[:_MOST_TO_REVIEW])
    return _tiles(_totals(records)) + _charts(records) + _review("Review first", cards)


def of_evaluation(scores: Scores) -> str:
    """Show an evaluation: the surest mistakes first."""
    error = scores.calibration_error
    tiles = {
        "accuracy": f"{scores.accuracy:.1%}",
        **_totals(scores.records),
        "calibration error": "-" if error is None else f"{error:.3f}",
    }
    return (
        _tiles(tiles)
        + _charts(scores.records)
        + _matrix("Confusion", scores)
        + _pair(_type_scores(scores), _calibration("Calibration", scores))
        + _review("Most wrong", map(_card, scores.worst()[:_MOST_TO_REVIEW]))
    )


def of_comparison(comparison: Comparison) -> str:
    """Show two evaluations: what the second rules make worse first."""
    pairs, names, scored = comparison.pairs, comparison.names, (comparison.first, comparison.second)
    accuracies = (f"{scores.accuracy:.1%}" for scores in scored)
    tiles = {f"accuracy, {name}": share for name, share in zip(names, accuracies, strict=True)}
    tiles |= {change.value: f"{len(some):,}" for change, some in pairs.items()}
    to_review = [*pairs[Change.WORSE], *pairs[Change.BOTH_WRONG], *pairs[Change.BETTER]]
    named_scores = list(zip(names, scored, strict=True))
    return (
        _tiles(tiles)
        + _types_compared(comparison)
        + _pair(*(_matrix(f"Confusion, {name}", scores) for name, scores in named_scores))
        + _pair(*(_calibration(f"Calibration, {name}", scores) for name, scores in named_scores))
        + _review(
            "Worse, then wrong by both", (_pair_card(pair, names) for pair in to_review[:_MOST_TO_REVIEW])
        )
    )


def _section(title: str, content: str, explained: str = "") -> str:
    explained = explained and f'<p class="soft">{explained}</p>'
    return f"<section><h2>{html.escape(title)}</h2>{explained}{content}</section>"


def _pair(*sections: str) -> str:
    return f'<div class="pair">{"".join(sections)}</div>'


def _totals(records: Sequence[Record]) -> dict[str, str]:
    failed = sum(record.error is not None for record in records)
    unfit = sum(record.error is None and record.type is None for record in records)
    sure = [record.confidence for record in records if record.confidence is not None]
    return {
        "documents": f"{len(records):,}",
        "classified": f"{len(records) - failed - unfit:,}",
        "fit no rule": f"{unfit:,}",
        "failed": f"{failed:,}",
        "median confidence": f"{median(sure):.2f}" if sure else "-",
    }


def _tiles(tiles: dict[str, str]) -> str:
    each = (
        f'<div class="tile"><b>{value}</b><span class="soft">{html.escape(name)}</span></div>'
        for name, value in tiles.items()
    )
    return f'<div class="tiles">{"".join(each)}</div>'


def _charts(records: Sequence[Record]) -> str:
    return _pair(_counts(records), _confidences(records))


def _counts(records: Sequence[Record]) -> str:
    counts = Counter(map(found_name, records)).most_common()
    most = counts[0][1]
    rows = "".join(
        f'<button data-kind="{html.escape(name)}">{html.escape(name)}</button>'
        f'<div><i style="width:{100 * count / most:.1f}%{_colour(name)}"></i></div><span>{count:,}</span>'
        for name, count in counts
    )
    return _section("By type", f'<div class="counts">{rows}</div>')


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
    return _section("Confidence", picture)


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Make a table whose first column is of texts, and the others of numbers."""
    head = "".join(_cells("th", names))
    body = "".join(f"<tr>{''.join(_cells('td', row))}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cells(tag: str, texts: Sequence[str]) -> Iterable[str]:
    for index, text in enumerate(texts):
        css = ' class="n"' if index else ""
        yield f"<{tag}{css}>{html.escape(text)}</{tag}>"


def _type_scores(scores: Scores) -> str:
    rows = ((score.name, f"{score.count:,}", *_both(score)) for score in scores.by_type())
    return _section("Precision and recall", _table(("type", "count", "precision", "recall"), rows))


def _types_compared(comparison: Comparison) -> str:
    names = (f"{kind}, {name}" for name in comparison.names for kind in ("precision", "recall"))
    rows = ((name, *_both(first), *_both(second)) for name, first, second in comparison.by_type())
    return _section("Precision and recall", _table(("type", *names), rows))


def _both(score: TypeScore | None) -> tuple[str, str]:
    return ("", "") if score is None else (_share(score.precision), _share(score.recall))


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _matrix(title: str, scores: Scores) -> str:
    names, confusion = scores.names, scores.confusion
    if len(names) > _MOST_IN_A_MATRIX:
        return ""
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
    table = f'<table class="matrix"><thead><tr><th></th>{head}</tr></thead><tbody>{rows}</tbody></table>'
    explained = "What a document is, down; what it was called, across."
    return _section(title, f'<div class="scroll">{table}</div>', explained)


def _calibration(title: str, scores: Scores) -> str:
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
    picture = (
        f'<svg viewBox="0 0 {side + 45} {side + 36}" style="max-width:360px" role="img" '
        f'aria-label="Calibration">{frame}{ticks}{points}</svg>'
    )
    return _section(title, picture, "How sure, across; how often right, up: the same on the line.")


def _review(title: str, cards: Iterable[str]) -> str:
    shown = "".join(cards)
    return _section(title, f'<div class="review">{shown}</div>') if shown else ""


def _card(record: Record) -> str:
    is_label = f", is {named(record.expected)}" if isinstance(record, Judged) else ""
    return _framed(record.document, [(_found(record) + is_label, record)])


def _pair_card(pair: Pair, names: Sequence[str]) -> str:
    label = f"is {named(pair.first.expected)}: {pair.change}"
    both = zip(names, (pair.first, pair.second), strict=True)
    return _framed(
        pair.first.document, [(f"{_found(record)} by {name}", record) for name, record in both], label
    )


def _framed(document: str, answers: Sequence[tuple[str, Record]], label: str = "") -> str:
    lines = [f"<b>{html.escape(document)}</b>"]
    if label:
        lines.append(f"<p>{html.escape(label)}</p>")
    for answer, record in answers:
        why = record.error or (record.reasoning or "").split("\n", 1)[0]
        css = _judgement(record)
        lines.append(f'<p class="{css}">{html.escape(answer)}</p><p class="soft">{html.escape(why)}</p>')
    return f'<div class="card">{"".join(lines)}</div>'


def _judgement(record: Record) -> str:
    if isinstance(record, Judged):
        return "good" if record.is_right else "bad"
    return "bad" if record.error is not None else ""


def _found(record: Record) -> str:
    sure = "" if record.confidence is None else f" {record.confidence:.2f}"
    return found_name(record) + sure
