"""How long a session lives: closing it ends whatever it has under way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from ..errors import ConfigurationError


class Lifetime:
    """The time from the making of a session to its close; what is under way is ended with it."""

    def __init__(self) -> None:
        self.ended: bool = False
        self._under_way: set[anyio.CancelScope] = set()

    @contextmanager
    def bounds(self) -> Iterator[None]:
        """Run a block that the end of the session ends.

        Raises:
            ConfigurationError: The session was closed, before or meanwhile.
        """
        if self.ended:
            raise ConfigurationError("the session is closed; open another one")
        with anyio.CancelScope() as scope:
            self._under_way.add(scope)
            try:
                yield
            finally:
                self._under_way.discard(scope)
        if scope.cancelled_caught:
            raise ConfigurationError("the session was closed while this was under way")

    async def sleep(self, seconds: float) -> None:
        """Sleep, but not beyond the end of the session."""
        with self.bounds():
            await anyio.sleep(seconds)

    def end(self) -> None:
        """End what is under way; a second call does nothing."""
        self.ended = True
        for scope in list(self._under_way):
            scope.cancel()
