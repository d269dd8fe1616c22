"""The records of a run for people, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TextIO

from rich.cells import cell_len, set_cell_size
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from .records import Record
from .scores import found_name
from .terminal import room, show, table_of

_NAMES = ("document", "type", "confidence")
_LEAST_BESIDE = 36
"""Columns; with fewer left beside the answer, the reason stands below it."""


def show_records(records: Sequence[Record], stream: TextIO) -> None:
    """Print each record, with the first sentence of its reasoning beside it or below."""
    columns = zip(_NAMES, *map(_answer, records), strict=True)
    widths = [max(map(cell_len, column)) for column in columns]
    if room(stream) - sum(widths) - 2 * len(widths) >= _LEAST_BESIDE:
        show(_beside(records), stream=stream)
    else:
        show(*_below(records, widths), stream=stream)


def _beside(records: Sequence[Record]) -> Table:
    table = table_of(*_NAMES, "why", right=(2,))
    for column in table.columns[:3]:
        column.no_wrap = True
    for record in records:
        table.add_row(*(Text(cell, style=_style(record)) for cell in (*_answer(record), _why(record))))
    return table


def _below(records: Sequence[Record], widths: Sequence[int]) -> Iterator[Text | Padding]:
    def line(cells: Sequence[str], style: str) -> Text:
        sized = (set_cell_size(cell, width) for cell, width in zip(cells, widths, strict=True))
        return Text("  ".join(sized).rstrip(), style=style)

    yield line(_NAMES, "dim")
    for record in records:
        yield line(_answer(record), _style(record))
        yield Padding(Text(_why(record), style=_style(record) or "dim"), (0, 0, 0, 4))


def _answer(record: Record) -> tuple[str, str, str]:
    confidence = "" if record.confidence is None else f"{record.confidence:.2f}"
    return record.document, found_name(record), confidence


def _why(record: Record) -> str:
    if record.error is not None:
        return record.error
    return (record.reasoning or "").split("\n", 1)[0].split(". ", 1)[0]


def _style(record: Record) -> str:
    return "red" if record.error is not None else ""
