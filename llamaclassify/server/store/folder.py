"""A data folder: where things lie in it, and that one server at a time uses it."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite
from attrs import frozen

from .errors import DataFolderError


@frozen
class DataFolder:
    """The places in a data folder that this server alone uses."""

    database: Path
    documents: Path

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncIterator[DataFolder]:
        """Take a folder, made where there is none, until it is closed.

        Raises:
            DataFolderError: It cannot be written, or another server has it.
        """
        folder = cls(path / "llamaclassify.db", path / "documents")
        folder._make()
        async with _locked(path):
            yield folder

    def _make(self) -> None:
        try:
            for folder in (self.documents.parent, self.documents):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # nobody else's business
        except OSError as error:
            message = f"{self.documents} cannot be used: {error.strerror or error}"
            raise DataFolderError(message) from error


@asynccontextmanager
async def _locked(path: Path) -> AsyncIterator[None]:
    """Hold a lock that ends with the process, however that ends: SQLite's, which every system has."""
    try:
        connection = await aiosqlite.connect(path / "lock", isolation_level=None, timeout=0)
    except sqlite3.Error as error:
        raise DataFolderError(f"{path} cannot be used: {error}") from error
    try:
        await _lock(connection, path)
        yield
    finally:
        await connection.close()


async def _lock(connection: aiosqlite.Connection, path: Path) -> None:
    try:
        await connection.execute_fetchall("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise DataFolderError(f"{path} is in use by another server") from None
        raise DataFolderError(f"{path} cannot be used: {path / 'lock'}: {error}") from error
