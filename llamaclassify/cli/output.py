"""What ``run`` prints: one record a document, as a table, JSON, JSON lines or CSV."""

from __future__ import annotations

import csv
import json
from abc import ABC, abstractmethod
from typing import Any, TextIO

import attrs
from attrs import frozen

from ..outcomes import Outcome


@frozen
class Record:
    """One document's line.

    Attributes:
        document: As it was given on the command line.
        status: The job's status; None where there was no job.
        type: The type found; None where no rule fits, or where there is an error.
        confidence: 0.0 to 1.0.
        reasoning: Why.
        job_id: The job, where there was one.
        error: Why there is no result; None where there is one.
    """

    document: str
    status: str | None
    type: str | None
    confidence: float | None
    reasoning: str | None
    job_id: str | None
    error: str | None

    @classmethod
    def of(cls, document: str, outcome: Outcome) -> Record:
        """Make the record of an outcome."""
        job, result = outcome.job, outcome.result
        return cls(
            document=document,
            status=str(job.status) if job else None,
            type=result.type if result else None,
            confidence=result.confidence if result else None,
            reasoning=result.reasoning if result else None,
            job_id=job.id if job else getattr(outcome.error, "job_id", None),
            error=str(outcome.error) if outcome.error else None,
        )


class Writer(ABC):
    """Writes records to a stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @abstractmethod
    def add(self, index: int, record: Record) -> None:
        """Take a record, in the order of completion; `index` is its place in the input."""

    def close(self) -> None:
        """Write what has been kept back."""
        self._stream.flush()


class JsonLines(Writer):
    """One JSON object a line, at once."""

    def add(self, index: int, record: Record) -> None:  # noqa: ARG002, D102  (as Writer's)
        print(json.dumps(attrs.asdict(record), ensure_ascii=False), file=self._stream, flush=True)


class Csv(Writer):
    """One line a record under a line of names, at once."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        names = [field.name for field in attrs.fields(Record)]
        self._rows = csv.DictWriter(stream, names, lineterminator="\n")
        self._rows.writeheader()

    def add(self, index: int, record: Record) -> None:  # noqa: ARG002, D102  (as Writer's)
        self._rows.writerow(attrs.asdict(record))
        self._stream.flush()


class _Sorted(Writer):
    """Keeps the records, to write them in the order of the input."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._kept: dict[int, Record] = {}

    def add(self, index: int, record: Record) -> None:
        self._kept[index] = record

    def _records(self) -> list[Record]:
        return [self._kept[index] for index in sorted(self._kept)]


class Json(_Sorted):
    """One JSON list."""

    def close(self) -> None:  # noqa: D102  (as Writer's)
        records = [attrs.asdict(record) for record in self._records()]
        print(json.dumps(records, ensure_ascii=False, indent=2), file=self._stream, flush=True)


class Table(_Sorted):
    """A table for people; the whole reasoning is in the other formats."""

    def close(self) -> None:  # noqa: D102  (as Writer's)
        from rich.console import Console
        from rich.table import Table as RichTable
        from rich.text import Text

        table = RichTable("document", "type", "confidence", "why", pad_edge=False, show_edge=False)
        for column in table.columns[:3]:
            column.no_wrap = True
        table.columns[2].justify = "right"
        table.columns[3].overflow = "fold"
        records = self._records()
        if not records:
            return  # what went wrong is said on stderr
        for record in records:
            cells = _cells(record)
            style = "red" if record.error else None
            table.add_row(*(Text(cell, style=style or "") for cell in cells))
        console = Console(file=self._stream)
        if not console.is_terminal:
            console.width = 72 + max((len(r.document) + len(r.type or "") for r in records), default=0)
        console.print(table)


def _cells(record: Record) -> tuple[str, str, str, str]:
    if record.error is not None:
        return record.document, "error", "", record.error
    confidence = "" if record.confidence is None else f"{record.confidence:.2f}"
    first_sentence = (record.reasoning or "").split("\n", 1)[0].split(". ", 1)[0]
    return record.document, record.type or "(no rule fits)", confidence, first_sentence


WRITERS: dict[str, Any] = {"table": Table, "json": Json, "jsonl": JsonLines, "csv": Csv}
