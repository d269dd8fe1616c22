"""SQLite files of our own: each is marked, so that no other one is taken for it and written to."""

from __future__ import annotations

import sqlite3

from .errors import ConfigurationError


def check_mark(connection: sqlite3.Connection, where: str, kind: str, mark: int, version: int) -> None:
    """See that a file is of our `kind` and that we can read it; mark it as one where it is new.

    Raises:
        ConfigurationError: It is not, or another version wrote it; `where` names it.
    """
    [[application]] = connection.execute("PRAGMA application_id")
    [[found]] = connection.execute("PRAGMA user_version")
    [[tables]] = connection.execute("SELECT count(*) FROM sqlite_schema")
    if (application, tables) == (0, 0):
        connection.execute(f"PRAGMA application_id = {mark}")
        connection.execute(f"PRAGMA user_version = {version}")
    elif application != mark:
        raise ConfigurationError(f"{where}: is a database, but no {kind}; give another file")
    elif found != version:
        message = f"{where}: was written by another version of llamaclassify; give another file"
        raise ConfigurationError(message)


def problem(error: sqlite3.Error, kind: str) -> str:
    """Say why a file of a kind could not be opened."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "another run is using it; wait until it has ended, or give another file"
    if name.startswith("SQLITE_NOTADB"):
        return f"is no {kind}; give another file"
    return str(error)
