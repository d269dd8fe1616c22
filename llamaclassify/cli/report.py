"""``llamaclassify report``: one self-contained HTML file of a run, an evaluation or a comparison."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import attrs
import click

from . import report_parts as parts
from .comparing import Comparison, Pair, compared
from .exits import Exit, fail, writing
from .records import Record
from .scores import Judged, Scores
from .terminal import counted


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
    documents to review first, a table to sort and search; of an evaluation also its scores; of a comparison
    both rules' answers, side by side.
    """
    records = _records(file)
    with writing():
        try:
            output.write_text(page(records, title), encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise fail(f"--output {output}: {error.strerror or error}", Exit.USAGE) from None
    click.echo(f"{output}: {counted(len({record.document for record in records}), 'document')}", err=True)


def page(records: Sequence[Record], title: str) -> str:
    """Make the page of records, judged or not."""
    judged = tuple(record for record in records if isinstance(record, Judged))
    comparison = compared(judged)
    if len(judged) != len(records):
        body, rows = parts.of_run(records), [_row(record) for record in records]
    elif comparison is None:
        body, rows = parts.of_evaluation(Scores(judged)), [_row(record) for record in judged]
    else:
        body, rows = parts.of_comparison(comparison), _compared_rows(comparison)
    script = _resource("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return Template(_resource("report.html")).substitute(
        title=html.escape(title),
        subtitle=f"{counted(len(rows), 'document')} · made {made} by llamaclassify",
        script_hash=f"sha256-{digest}",
        script=script,
        body=body,
        data=_data(comparison.names if comparison else (), rows),
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


def _row(record: Record) -> dict[str, Any]:
    label = {"expected": record.expected} if isinstance(record, Judged) else {}
    return {"document": record.document, **label, "answers": [_answer(record)]}


def _compared_rows(comparison: Comparison) -> list[dict[str, Any]]:
    def row(pair: Pair) -> dict[str, Any]:
        answers = [_answer(pair.first), _answer(pair.second)]
        return {**_row(pair.first), "answers": answers, "change": pair.change}

    return [row(pair) for pairs in comparison.pairs.values() for pair in pairs]


def _answer(record: Record) -> dict[str, Any]:
    names = ("type", "confidence", "reasoning", "error")
    return {name: getattr(record, name) for name in names}


def _data(rules: Sequence[str], rows: Sequence[dict[str, Any]]) -> str:
    # Nothing in a document may end the element that holds it.
    return json.dumps({"rules": rules, "rows": rows}, ensure_ascii=False).replace("<", "\\u003c")
