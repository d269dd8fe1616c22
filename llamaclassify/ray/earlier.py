"""What earlier jobs wrote: Parquet files with the columns of outcomes, looked up by transaction id."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
from anyio.to_thread import run_sync
from attrs import define, field, frozen
from pyarrow import fs

from ..errors import ConfigurationError
from ..models import TERMINAL_STATUSES
from ..waiting.journal import Entry, Key
from .rows import SCHEMA

_TABLES = 16
"""Files that are kept at hand: rows come in about the order of the job before."""


@frozen(eq=False)
class Earlier:
    """Where each outcome is: 16 bytes of memory for each, shared by the workers of a node.

    Attributes:
        files: The files, and the file system they are on.
        keys: The first half of each outcome's transaction id, sorted.
        places: The file and the row of each.
        prefix: What the outcomes' columns begin with.
    """

    filesystem: fs.FileSystem | None
    files: tuple[str, ...]
    keys: np.ndarray[Any, np.dtype[np.uint64]]
    places: np.ndarray[Any, np.dtype[np.uint32]]
    prefix: str

    @classmethod
    def in_folder(cls, folder: str | Sequence[str], prefix: str) -> Earlier:
        """Read which outcomes there are.

        Args:
            folder: A folder or a file, by its path or URI, or several files.
            prefix: What the outcomes' columns begin with.

        Raises:
            ConfigurationError: It is no Parquet of ours, or cannot be read.
        """
        try:
            found = pyarrow.dataset.dataset(folder, format="parquet")
            files: list[str] = []
            keys, places = [np.empty(0, np.uint64)], [np.empty((0, 2), np.uint32)]
            for fragment in found.get_fragments():
                table = fragment.to_table(columns=[prefix + "transaction_id", prefix + "status"])
                rows, ids = _ended(table)
                keys.append(ids)
                places.append(np.column_stack([np.full(len(rows), len(files), np.uint32), rows]))
                files.append(fragment.path)
        except (OSError, pa.ArrowException) as error:
            raise ConfigurationError(f"done: {folder}: {error}") from None
        every_key, every_place = np.concatenate(keys), np.concatenate(places)
        order = np.argsort(every_key, kind="stable")
        return cls(found.filesystem, tuple(files), every_key[order], every_place[order], prefix)

    def places_of(self, transaction_id: str) -> Iterator[tuple[str, int]]:
        """Give the files and rows that may be of a transaction."""
        key = np.uint64(_key(transaction_id))
        first, after = np.searchsorted(self.keys, key), np.searchsorted(self.keys, key, side="right")
        for file, row in self.places[first:after]:
            yield self.files[file], int(row)


NOTHING = Earlier(None, (), np.empty(0, np.uint64), np.empty((0, 2), np.uint32), "")


@define
class Known:
    """The entries that earlier jobs have left: a journal for `classify_many` to go by.

    It remembers nothing of its own job: an entry's transaction id is made of the document and the
    configuration, so whoever asks again gets the same job.
    """

    earlier: Earlier
    _table: Callable[[str], pa.Table] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._table = lru_cache(_TABLES)(self._read)

    async def entry(self, key: Key) -> Entry:
        """Give what is known of a document and a configuration: its last attempt."""
        found = entry = Entry(key)
        while (outcome := await self._outcome(entry.transaction_id)) is not None:
            found = Entry(key, entry.attempt, None, outcome["id"], outcome)
            entry = Entry(key, entry.attempt + 1)
        return found

    async def write(self, entry: Entry) -> None:
        """Remember nothing: what the job writes is what the next one knows."""

    async def _outcome(self, transaction_id: str) -> dict[str, Any] | None:
        for file, row in self.earlier.places_of(transaction_id):
            table = await run_sync(self._table, file)
            found = table.slice(row, 1).to_pylist()[0]
            if found["transaction_id"] == transaction_id:
                return _job(found)
        return None

    def _read(self, file: str) -> pa.Table:
        columns = [self.earlier.prefix + name for name in SCHEMA.names]
        table = pyarrow.parquet.read_table(file, columns=columns, filesystem=self.earlier.filesystem)
        return table.rename_columns(SCHEMA.names)


def _ended(table: pa.Table) -> tuple[Any, Any]:
    """Give the rows whose jobs have ended, and their keys."""
    ids, statuses = (column.to_pylist() for column in table.columns)
    rows = [row for row, status in enumerate(statuses) if status in TERMINAL_STATUSES and ids[row]]
    return np.array(rows, np.uint32), np.array([_key(ids[row]) for row in rows], np.uint64)


def _key(transaction_id: str) -> int:
    return UUID(transaction_id).int >> 64


def _job(row: dict[str, Any]) -> dict[str, Any]:
    """Make a job's JSON of the columns of its outcome."""
    result = {name: row[name] for name in ("type", "confidence", "reasoning")}
    said = f"job {row['job_id']} failed: "
    return {
        "id": row["job_id"],
        "status": row["status"],
        "transaction_id": row["transaction_id"],
        "result": None if row["error"] is not None else result,
        "error_message": row["error"] and row["error"].removeprefix(said),
    }
