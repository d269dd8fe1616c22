"""How long a session lives: closing it ends whatever it has under way, and lets it clean up on the server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import anyio

from ..errors import SessionClosedError

_enclosing: ContextVar[anyio.CancelScope | None] = ContextVar("llamaclassify.enclosing", default=None)
"""The bounds that a whole batch runs in: what is done within them needs none of its own."""


class Lifetime:
    """The time from the making of a session to its close; what is under way is ended with it."""

    def __init__(self) -> None:
        self.ended: bool = False
        self._under_way: set[anyio.CancelScope] = set()
        self._guarded = 0
        self._all_gone: anyio.Event | None = None
        self._cleaning_up: set[asyncio.Task[object] | None] = set()

    @contextmanager
    def bounds(self) -> Iterator[anyio.CancelScope]:
        """Run a block that the end of the session ends.

        Raises:
            SessionClosedError: The session was closed, before or meanwhile.
        """
        if self.ended and asyncio.current_task() not in self._cleaning_up:
            raise SessionClosedError("the session is closed; open another one")
        enclosing = _enclosing.get()
        if enclosing is not None and enclosing in self._under_way:
            yield enclosing
            return
        with anyio.CancelScope() as scope:
            self._under_way.add(scope)
            try:
                yield scope
            finally:
                self._under_way.discard(scope)
        if scope.cancelled_caught:
            raise SessionClosedError("the session was closed while this was under way")

    @contextmanager
    def enclosing(self) -> Iterator[None]:
        """Run a block of many requests and sleeps that the end of the session ends as a whole.

        Raises:
            SessionClosedError: As for `bounds`.
        """
        with self.guarding(), self.bounds() as scope:
            before = _enclosing.set(scope)
            try:
                yield
            finally:
                _enclosing.reset(before)

    async def sleep(self, seconds: float) -> None:
        """Sleep, but not beyond the end of the session."""
        with self.bounds():
            await anyio.sleep(seconds)

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Run a block that the close of the session waits for: it may have to clean up on the server."""
        self._guarded += 1
        try:
            yield
        finally:
            self._guarded -= 1
            if self._all_gone is not None and not self._guarded:
                self._all_gone.set()

    @contextmanager
    def cleaning_up(self) -> Iterator[None]:
        """Run a block that may ask the server though the session has ended."""
        task = asyncio.current_task()
        self._cleaning_up.add(task)
        try:
            yield
        finally:
            self._cleaning_up.discard(task)

    async def end(self, grace: float) -> None:
        """End what is under way, and give what has to clean up `grace` seconds for it."""
        self.ended = True
        for scope in list(self._under_way):
            scope.cancel()
        if self._guarded:
            self._all_gone = anyio.Event()
            with anyio.move_on_after(grace):
                await self._all_gone.wait()
        for scope in list(self._under_way):
            scope.cancel()
