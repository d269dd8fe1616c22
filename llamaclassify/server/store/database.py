"""The SQLite file: what waits for the disk, or looks at many rows, has a thread; a look by index has none.

Such a look takes a fiftieth of a millisecond, and handing it to a thread and back several times as long.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, closing, suppress
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from anyio import to_thread
from attrs import field, frozen

from .errors import DataFolderError

Row = sqlite3.Row
Values = Sequence[Any] | Mapping[str, Any]
Statement = tuple[str, Values]

_APPLICATION = 0x6C6C6363
"""Marks a database as ours: "llcc"."""
VERSION = 1
"""Of the schema."""
_LARGEST_GROUP = 256
_WAIT_FOR_OTHERS = 5.0


@frozen(eq=False)
class _Unit:
    """Statements that are written together or not at all."""

    statements: Sequence[Statement]
    rows: asyncio.Future[list[Row]] = field(factory=asyncio.Future)


class Database:
    """Reads and writes; what `write` has returned is on disk."""

    def __init__(self, path: Path, opened: ExitStack) -> None:
        self._writer = opened.enter_context(_connected(path))
        self._reader = opened.enter_context(_connected(path))
        self._surveyor = opened.enter_context(_connected(path))
        self._writing = opened.enter_context(ThreadPoolExecutor(1, "llamaclassify-writer"))
        self._surveying = opened.enter_context(ThreadPoolExecutor(1, "llamaclassify-surveyor"))
        self._waiting: asyncio.Queue[_Unit] = asyncio.Queue()

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path, *, durable: bool) -> AsyncIterator[Database]:
        """Open the database at a path, made anew where there is none.

        Args:
            path: The file.
            durable: Whether what is written must outlast a power cut.

        Raises:
            DataFolderError: It is damaged, another program's, or a newer version's.
        """
        with ExitStack() as opened:
            try:
                database = cls(path, opened)
                await to_thread.run_sync(partial(_prepare, database._writer, path, durable=durable))
            except sqlite3.Error as error:
                raise DataFolderError(f"{path} cannot be used: {error}") from error
            committing = asyncio.create_task(database._commit_groups())
            try:
                yield database
            finally:
                committing.cancel()
                await asyncio.gather(committing, return_exceptions=True)

    async def read(self, sql: str, values: Values = ()) -> list[Row]:
        """Give the rows of a query that an index answers: nobody else is served meanwhile."""
        return _rows(self._reader, sql, values)

    async def survey(self, sql: str, values: Values = ()) -> list[Row]:
        """Give the rows of a query that looks at many rows: in a thread, while others are served."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._surveying, _rows, self._surveyor, sql, values)

    async def first(self, sql: str, values: Values = ()) -> Row | None:
        """Give the first row of a query, if there is one."""
        return next(iter(await self.read(sql, values)), None)

    async def write(self, *statements: Statement) -> list[Row]:
        """Write all statements or none; gives the rows that the last one returns, once they are on disk."""
        unit = _Unit(statements)
        self._waiting.put_nowait(unit)
        return await unit.rows

    # What waits is committed together: the disk is waited for once, however many ask at the same time.
    async def _commit_groups(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            group = [await self._waiting.get()]
            while len(group) < _LARGEST_GROUP and not self._waiting.empty():
                group.append(self._waiting.get_nowait())
            statements = [unit.statements for unit in group]
            written = await loop.run_in_executor(self._writing, _commit, self._writer, statements)
            for unit, rows in zip(group, written, strict=True):
                if unit.rows.done():  # nobody waits any more; it is written all the same
                    continue
                if isinstance(rows, Exception):
                    unit.rows.set_exception(rows)
                else:
                    unit.rows.set_result(rows)


def _commit(writer: sqlite3.Connection, group: Sequence[Sequence[Statement]]) -> list[list[Row] | Exception]:
    """Write a group; gives for each of its members the last statement's rows, or why it was not written."""
    try:
        writer.execute("BEGIN IMMEDIATE")
        written: list[list[Row] | Exception] = [_run(writer, statements) for statements in group]
        writer.execute("COMMIT")
    except Exception as error:
        with suppress(sqlite3.Error):  # some faults have rolled back already
            writer.execute("ROLLBACK")
        if len(group) == 1:
            return [error]
        # One of them is at fault: each for itself, so that no other suffers.
        return [rows for statements in group for rows in _commit(writer, [statements])]
    return written


def _run(writer: sqlite3.Connection, statements: Sequence[Statement]) -> list[Row]:
    rows: list[Row] = []
    for sql, values in statements:
        rows = _rows(writer, sql, values)
    return rows


def _rows(connection: sqlite3.Connection, sql: str, values: Values) -> list[Row]:
    return connection.execute(sql, values).fetchall()


def _connected(path: Path) -> closing[sqlite3.Connection]:
    connection = sqlite3.connect(
        path, isolation_level=None, timeout=_WAIT_FOR_OTHERS, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    return closing(connection)


def _prepare(connection: sqlite3.Connection, path: Path, *, durable: bool) -> None:
    """Check that the database is ours and whole, or make it."""
    application = _pragma(connection, "application_id")
    if not _pragma(connection, "schema_version"):
        _create(connection)
    elif application != _APPLICATION:
        raise DataFolderError(f"{path} is another program's database: give a folder of its own")
    elif (version := _pragma(connection, "user_version")) != VERSION:
        message = f"{path} was written by another version of llamaclassify (format {version}, not {VERSION})"
        raise DataFolderError(message)
    elif (found := _pragma(connection, "quick_check(1)")) != "ok":
        raise DataFolderError(f"{path} is damaged: {' '.join(str(found).split())}")
    _pragma(connection, "journal_mode = WAL")
    _pragma(connection, f"synchronous = {'FULL' if durable else 'OFF'}")
    _pragma(connection, "foreign_keys = ON")


def _create(connection: sqlite3.Connection) -> None:
    schema = files("llamaclassify.server.store").joinpath("schema.sql").read_text(encoding="utf-8")
    marks = f"PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {VERSION};"
    connection.executescript(f"BEGIN; {schema} {marks} COMMIT;")


def _pragma(connection: sqlite3.Connection, pragma: str) -> Any:
    row = connection.execute(f"PRAGMA {pragma}").fetchone()
    return row[0] if row else None
