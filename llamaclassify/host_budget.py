"""`HostBudget`: one rate budget for every process of a host, in an SQLite file."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from .errors import ConfigurationError
from .marked_files import check_mark, problem
from .policies import Rate, RateLimit
from .wire.limits import Kind
from .wire.shared_limits import Ledger, Place, SharedBudget

T = TypeVar("T")

_APPLICATION = 0x6C637262
"""Marks the file as a budget of ours."""
_VERSION = 1
_LOCKED_FOR = 10.0
"""Seconds: so long another process may keep the file to itself; it takes some 0.1 ms."""


class HostBudget(SharedBudget):
    """A `RateLimit` that all processes of one host keep together, by a file that they all name.

    Give it as `rate_limit` to the sessions that share it. Every process makes its own, with the same path and
    the same limit; it belongs to one event loop. Processes are admitted in turn, and their requests spread
    over time instead of all at the start of a window. A 429 that says for how long (``Retry-After``) holds
    everybody. Nothing need be closed, and a process may end at any time: one place is left unused.
    """

    def __init__(self, path: str | os.PathLike[str], limit: RateLimit | None = None) -> None:
        """Name the file; it is opened, or made, with the first request.

        Args:
            path: The file, on a disk of this host.
            limit: What all keep together; `RateLimit()`, the hosted service's, if not given. Whoever uses
                the file at the same time gives the same.

        Raises:
            ConfigurationError: The limit has no rate.
        """
        super().__init__(limit)
        self._path = os.fspath(path)
        self._connection: sqlite3.Connection | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="llamaclassify-budget")
        self._process: int | None = None

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self._path, self.limit)

    async def _reserve(self, kind: Kind) -> Place:
        def reserve(ledger: Ledger, now: float) -> Place:
            return ledger.reserve(kind, now)

        self._process = self._process or os.getpid()
        if self._process != os.getpid():
            raise ConfigurationError("HostBudget: was used before a fork; make one in each process")
        # Never on the event loop: another process may have the file, and be stopped.
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._done, reserve)

    def _hold(self, seconds: float) -> None:
        self._thread.submit(self._done, lambda ledger, now: ledger.hold(now + seconds))

    def _done(self, work: Callable[[Ledger, float], T]) -> T:
        """Do something with the ledger, with all others kept out."""
        try:
            if self._connection is None:
                self._connection = _opened(self._path)
                weakref.finalize(self, self._connection.close)
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                now = time.monotonic()  # the same for all processes of a host
                ledger = self._read(self._connection, now)
                result = work(ledger, now)
                _write(self._connection, ledger)
                return result
        except sqlite3.Error as error:
            raise ConfigurationError(f"rate budget: {self._path}: {problem(error, 'rate budget')}") from None

    def _read(self, connection: sqlite3.Connection, now: float) -> Ledger:
        row = connection.execute("SELECT rates, held, taken FROM ledger").fetchone()
        if row is None:
            return Ledger(self.limit)
        rates, held, taken = row
        found = Ledger(_limit(rates))
        found.go_on(json.loads(taken), held, now)
        return found.under(self.limit, now)


def _opened(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_LOCKED_FOR, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")  # what the last second held matters to nobody later
        connection.execute("BEGIN IMMEDIATE")
        check_mark(connection, f"rate budget: {path}", "rate budget", _APPLICATION, _VERSION)
        connection.execute(
            "CREATE TABLE IF NOT EXISTS ledger (only INTEGER PRIMARY KEY, rates TEXT, held REAL, taken TEXT)"
        )
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


def _write(connection: sqlite3.Connection, ledger: Ledger) -> None:
    row = _rates(ledger.limit), ledger.held, json.dumps(ledger.taken)
    connection.execute("INSERT OR REPLACE INTO ledger VALUES (1, ?, ?, ?)", row)


def _rates(limit: RateLimit) -> str:
    rates = (limit.creates, limit.uploads, limit.requests)
    return json.dumps([rate and [rate.count, rate.seconds] for rate in rates])


def _limit(rates: str) -> RateLimit:
    creates, uploads, requests = (rate and Rate(*rate) for rate in json.loads(rates))
    return RateLimit(creates=creates, uploads=uploads, requests=requests)
