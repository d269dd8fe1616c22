"""The SQLite file: one connection that writes, in groups, and one that reads meanwhile."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import aiosqlite
from attrs import field, frozen

from .errors import DataFolderError

Row = aiosqlite.Row
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

    def __init__(self, writer: aiosqlite.Connection, reader: aiosqlite.Connection) -> None:
        self._writer = writer
        self._reader = reader
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
        async with AsyncExitStack() as opened:
            try:
                writer = await _connected(path, opened)
                await _prepare(writer, path, durable=durable)
                reader = await _connected(path, opened)
            except sqlite3.Error as error:
                raise DataFolderError(f"{path} cannot be used: {error}") from error
            database = cls(writer, reader)
            committing = asyncio.create_task(database._commit_groups())
            try:
                yield database
            finally:
                committing.cancel()
                await asyncio.gather(committing, return_exceptions=True)

    async def read(self, sql: str, values: Values = ()) -> list[Row]:
        """Give the rows of a query."""
        return list(await self._reader.execute_fetchall(sql, values))

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
        while True:
            group = [await self._waiting.get()]
            while len(group) < _LARGEST_GROUP and not self._waiting.empty():
                group.append(self._waiting.get_nowait())
            await self._commit(group)

    async def _commit(self, group: Sequence[_Unit]) -> None:
        try:
            await self._writer.execute_fetchall("BEGIN IMMEDIATE")
            found = [await self._run(unit) for unit in group]
            await self._writer.execute_fetchall("COMMIT")
        except Exception as error:
            with suppress(sqlite3.Error):  # some faults have rolled back already
                await self._writer.execute_fetchall("ROLLBACK")
            if len(group) > 1:  # one of them is at fault: each for itself, so that no other suffers
                for unit in group:
                    await self._commit([unit])
            elif not group[0].rows.done():
                group[0].rows.set_exception(error)
            return
        for unit, rows in zip(group, found, strict=True):
            if not unit.rows.done():  # nobody waits any more; it is written all the same
                unit.rows.set_result(rows)

    async def _run(self, unit: _Unit) -> list[Row]:
        rows: list[Row] = []
        for sql, values in unit.statements:
            rows = list(await self._writer.execute_fetchall(sql, values))
        return rows


async def _connected(path: Path, opened: AsyncExitStack) -> aiosqlite.Connection:
    connecting = aiosqlite.connect(path, isolation_level=None, timeout=_WAIT_FOR_OTHERS)
    connection = await opened.enter_async_context(connecting)
    connection.row_factory = aiosqlite.Row
    return connection


async def _prepare(connection: aiosqlite.Connection, path: Path, *, durable: bool) -> None:
    """Check that the database is ours and whole, or make it."""
    application = await _pragma(connection, "application_id")
    if not await _pragma(connection, "schema_version"):
        await _create(connection)
    elif application != _APPLICATION:
        raise DataFolderError(f"{path} is another program's database: give a folder of its own")
    elif (version := await _pragma(connection, "user_version")) != VERSION:
        message = f"{path} was written by another version of llamaclassify (format {version}, not {VERSION})"
        raise DataFolderError(message)
    elif (found := await _pragma(connection, "quick_check(1)")) != "ok":
        raise DataFolderError(f"{path} is damaged: {' '.join(str(found).split())}")
    await _pragma(connection, "journal_mode = WAL")
    await _pragma(connection, f"synchronous = {'FULL' if durable else 'OFF'}")
    await _pragma(connection, "foreign_keys = ON")


async def _create(connection: aiosqlite.Connection) -> None:
    schema = files("llamaclassify.server.store").joinpath("schema.sql").read_text(encoding="utf-8")
    marks = f"PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {VERSION};"
    await connection.executescript(f"BEGIN; {schema} {marks} COMMIT;")


async def _pragma(connection: aiosqlite.Connection, pragma: str) -> Any:
    rows = list(await connection.execute_fetchall(f"PRAGMA {pragma}"))
    return rows[0][0] if rows else None
