"""A data folder: where things lie in it, and that one server at a time uses it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from attrs import frozen

from .errors import DataFolderError


@frozen
class DataFolder:
    """The places in a data folder that this server alone uses."""

    database: Path
    documents: Path

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[DataFolder]:
        """Take a folder, made where there is none, until it is closed.

        Raises:
            DataFolderError: It cannot be written, or another server has it.
        """
        folder = cls(path / "llamaclassify.db", path / "documents")
        folder._make()
        with _locked(path):
            yield folder

    def _make(self) -> None:
        try:
            for folder in (self.documents.parent, self.documents):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # nobody else's business
        except OSError as error:
            message = f"{self.documents} cannot be used: {error.strerror or error}"
            raise DataFolderError(message) from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock that ends with the process, however that ends: SQLite's, which every system has."""
    lock = path / "lock"
    try:
        connection = sqlite3.connect(lock, isolation_level=None, timeout=0)
    except sqlite3.Error as error:
        raise DataFolderError(f"{lock} cannot be used: {error}") from error
    with closing(connection):
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise DataFolderError(f"{path} is in use by another server") from None
            raise DataFolderError(f"{lock} cannot be used: {error}") from error
        yield
