"""What ``run`` prints: one record a document, as a table, JSON, JSON lines or CSV."""

from __future__ import annotations

import asyncio
import csv
import json
import sys
import textwrap
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

import attrs
from attrs import define, field

from ..outcomes import Document
from .exits import Exit, fail
from .records import Record

_MOST_KEPT = 10_000
"""Records that wait for one before them in the input, until no more documents are begun."""


class Writer(ABC):
    """Writes records to a stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @abstractmethod
    def add(self, record: Record) -> None:
        """Take a record."""

    def close(self) -> None:
        """Write what has been kept back."""
        self._stream.flush()


class JsonLines(Writer):
    """One JSON object a line, at once."""

    def add(self, record: Record) -> None:  # noqa: D102  (as Writer's)
        # One write: also where Python buffers nothing, a reader never sees a line without its end.
        self._stream.write(json.dumps(attrs.asdict(record), ensure_ascii=False) + "\n")
        self._stream.flush()


class Csv(Writer):
    """One line a record under a line of names, at once."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        names = [field.name for field in attrs.fields(Record)]
        self._rows = csv.DictWriter(stream, names, lineterminator="\n")
        self._rows.writeheader()

    def add(self, record: Record) -> None:  # noqa: D102  (as Writer's)
        self._rows.writerow(attrs.asdict(record))
        self._stream.flush()


class Json(Writer):
    """One JSON list, its items at once."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._is_begun = False

    def add(self, record: Record) -> None:  # noqa: D102  (as Writer's)
        item = json.dumps(attrs.asdict(record), ensure_ascii=False, indent=2)
        opening = ",\n" if self._is_begun else "[\n"
        self._is_begun = True
        print(opening, textwrap.indent(item, "  "), sep="", end="", file=self._stream, flush=True)

    def close(self) -> None:  # noqa: D102  (as Writer's)
        print("\n]" if self._is_begun else "[]", file=self._stream, flush=True)


class Table(Writer):
    """A table for people; the whole reasoning is in the other formats."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._records: list[Record] = []

    def add(self, record: Record) -> None:  # noqa: D102  (as Writer's)
        self._records.append(record)

    def close(self) -> None:  # noqa: D102  (as Writer's)
        from .run_table import show_records

        if self._records:  # else what went wrong is said on stderr
            show_records(self._records, self._stream)


@define
class Printer:
    """Hands records to a writer, as they come or in the order of the input.

    Attributes:
        writer: Takes them.
        is_in_order: Whether each waits for those before it in the input.
        most: How many may wait.
    """

    writer: Writer
    is_in_order: bool
    most: int = _MOST_KEPT
    _kept: dict[int, Record] = field(init=False, factory=dict)
    _next: int = field(init=False, default=0)
    _is_closed: bool = field(init=False, default=False)
    _moved: asyncio.Event = field(init=False, factory=asyncio.Event)

    def add(self, index: int, record: Record) -> None:
        """Take the record of the document at a place of the input."""
        if not self.is_in_order:
            self.writer.add(record)
            return
        self._kept[index] = record
        while self._next in self._kept:
            self.writer.add(self._kept.pop(self._next))
            self._next += 1
        self._moved.set()

    def close(self) -> None:
        """Write what has been kept back, also where one before it is missing; a second call does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        for index in sorted(self._kept):
            self.writer.add(self._kept.pop(index))
        self.writer.close()

    async def paced(self, documents: AsyncIterable[Document]) -> AsyncIterator[Document]:
        """Give the documents, and none while too many records wait: memory stays bounded."""
        index = 0
        async for document in documents:
            while self.is_in_order and index - self._next >= self.most:
                self._moved.clear()
                await self._moved.wait()
            yield document
            index += 1


WRITERS: dict[str, Any] = {"table": Table, "json": Json, "jsonl": JsonLines, "csv": Csv}


def open_output(output: Path | None, closing: ExitStack) -> TextIO:
    """Open where to write, stdout if nothing is named.

    Raises:
        click.ClickException: It cannot be written.
    """
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
