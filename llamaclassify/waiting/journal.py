"""The journal of batches: one SQLite file that outlasts a crash.

It remembers of each document and configuration the file, the job and the outcome, so that the next run asks
for nothing that it has. What is written is on disk, safe from ``kill -9``, before the document goes on. One
thread writes everything that has come up meanwhile as one transaction.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Protocol, Self, runtime_checkable

from attrs import define, frozen

from ..errors import ConfigurationError, JournalError
from ..marked_files import check_mark, problem

_NAMESPACE = uuid.UUID("6f4f6a5e-58a4-4b0f-9d6e-5b9a3f2c7a11")
_APPLICATION = 0x6C636C6A
"""Marks the file as a journal of ours."""
_VERSION = 1
_MOST_AT_ONCE = 500
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    document TEXT NOT NULL,
    server TEXT NOT NULL,
    configuration TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    transaction_id TEXT NOT NULL,
    file_id TEXT,
    job_id TEXT,
    outcome TEXT,
    echo INTEGER REFERENCES echoes,
    PRIMARY KEY (document, server, configuration)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS echoes (id INTEGER PRIMARY KEY, configuration TEXT NOT NULL UNIQUE);
"""
"""The configuration that every job echoes is most of its JSON: it is kept once."""
_ENTRY = """
SELECT attempt, job_id, outcome, echoes.configuration, coalesce(file_id, (
    SELECT file_id FROM entries WHERE document = :document AND server = :server AND file_id IS NOT NULL))
FROM entries LEFT JOIN echoes ON echoes.id = echo
WHERE document = :document AND server = :server AND entries.configuration = :configuration
"""
_FILE = "SELECT file_id FROM entries WHERE document = ? AND server = ? AND file_id IS NOT NULL"
_WRITE = """
INSERT OR REPLACE INTO entries
VALUES (?, ?, ?, ?, ?, ?, ?, ?, (SELECT id FROM echoes WHERE configuration = ?))
"""
_ECHO = "INSERT OR IGNORE INTO echoes (configuration) VALUES (?)"


@frozen
class Key:
    """What an entry is about.

    Attributes:
        document: The document's identity: its id, or the SHA-256 of its content.
        server: Where it is classified: the server and the project.
        configuration: The SHA-256 of what it is classified by.
    """

    document: str
    server: str
    configuration: str


@define
class Entry:
    """What the journal knows of a document and a configuration.

    Attributes:
        key: What it is about.
        attempt: How often a failed document was tried again.
        file_id: The uploaded document.
        job_id: The job, once it has been created.
        outcome: The job as it ended, as the wire's JSON.
    """

    key: Key
    attempt: int = 0
    file_id: str | None = None
    job_id: str | None = None
    outcome: dict[str, Any] | None = None

    @property
    def transaction_id(self) -> str:
        """The idempotency key of the create: the same in every run, so that every run gets the same job."""
        about = "\n".join((self.key.document, self.key.server, self.key.configuration, str(self.attempt)))
        return str(uuid.uuid5(_NAMESPACE, about))

    def try_again(self) -> None:
        """Make room for another job on the same file."""
        self.attempt += 1
        self.job_id = self.outcome = None


@runtime_checkable
class Entries(Protocol):
    """What is known of documents from before, wherever that is."""

    async def entry(self, key: Key) -> Entry:
        """Give what is known of a document and a configuration."""
        ...

    async def write(self, entry: Entry) -> None:
        """Remember an entry as it is now."""
        ...


class Journal:
    """The entries on disk, as an async context manager; one process at a time."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Name the file; it is opened, or made, on entering."""
        self._path = os.fspath(path)
        self._waiting: deque[tuple[Callable[[sqlite3.Connection], Any], asyncio.Future[Any]]] = deque()
        self._is_busy = False
        self._thread: ThreadPoolExecutor
        self._connection: sqlite3.Connection
        self._loop: asyncio.AbstractEventLoop

    async def __aenter__(self) -> Self:
        """Open the file.

        Raises:
            ConfigurationError: It is in use, or no journal, or cannot be opened.
        """
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="llamaclassify-journal")
        try:
            self._connection = await self._loop.run_in_executor(self._thread, _opened, self._path)
        except BaseException:
            self._thread.shutdown(wait=False)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # One thread, first come first served: what is still to be written is written before.
        while self._waiting:
            await asyncio.wait([future for _, future in self._waiting])
        await self._loop.run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown(wait=False)

    async def entry(self, key: Key) -> Entry:
        """Give what is known of a document and a configuration."""

        def read(connection: sqlite3.Connection) -> Entry:
            about = {"document": key.document, "server": key.server, "configuration": key.configuration}
            row = connection.execute(_ENTRY, about).fetchone()
            if row is not None:
                attempt, job_id, outcome, echo, file_id = row
                ended = outcome and json.loads(outcome) | {"configuration": echo and json.loads(echo)}
                return Entry(key, attempt, file_id, job_id, ended)
            # Classified by something else, it need not be uploaded again.
            row = connection.execute(_FILE, (key.document, key.server)).fetchone()
            return Entry(key, file_id=row and row[0])

        entry: Entry = await self._done(read)
        return entry

    async def write(self, entry: Entry) -> None:
        """Put an entry on disk as it is now."""
        key = entry.key
        body = dict(entry.outcome or {})
        echo = _json(body.pop("configuration", None))
        row = (
            key.document,
            key.server,
            key.configuration,
            entry.attempt,
            entry.transaction_id,
            entry.file_id,
            entry.job_id,
            _json(body or None),
            echo,
        )

        def write(connection: sqlite3.Connection) -> None:
            if echo is not None:
                connection.execute(_ECHO, (echo,))
            connection.execute(_WRITE, row)

        await self._done(write)

    def _done(self, work: Callable[[sqlite3.Connection], Any]) -> asyncio.Future[Any]:
        """Have the thread do something; it is done even where nobody waits for it any more."""
        future = self._loop.create_future()
        self._waiting.append((work, future))
        self._go_on()
        return future

    def _go_on(self) -> None:
        if self._waiting and not self._is_busy:
            self._is_busy = True
            taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), _MOST_AT_ONCE))]
            works = [work for work, _ in taken]
            futures = [future for _, future in taken]
            transaction = self._loop.run_in_executor(self._thread, self._transaction, works)
            transaction.add_done_callback(lambda done: self._hand_out(futures, done))

    def _transaction(self, works: list[Callable[[sqlite3.Connection], Any]]) -> list[Any]:
        """Do all or nothing, in the thread."""
        with self._connection:
            self._connection.execute("BEGIN")
            return [work(self._connection) for work in works]

    def _hand_out(self, futures: list[asyncio.Future[Any]], done: asyncio.Future[list[Any]]) -> None:
        self._is_busy = False
        error = done.exception()
        for number, future in enumerate(futures):
            if future.done():
                continue
            if error is not None:
                future.set_exception(JournalError(f"journal: {self._path}: {error}"))
            else:
                future.set_result(done.result()[number])
        self._go_on()


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value)  # in ASCII: SQLite takes no half characters


def _opened(path: str) -> sqlite3.Connection:
    """Open or make the file, and hold it against other processes for as long as it is open."""
    connection = None
    try:
        connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("BEGIN IMMEDIATE")
        check_mark(connection, f"journal: {path}", "journal", _APPLICATION, _VERSION)
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException as error:
        if connection is not None:
            connection.close()
        if isinstance(error, sqlite3.Error):
            raise ConfigurationError(f"journal: {path}: {problem(error, 'journal')}") from None
        raise
    return connection
