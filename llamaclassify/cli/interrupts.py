"""Ctrl-C: the first finishes what is under way, the second stops at once; and how to go on then."""

from __future__ import annotations

import asyncio
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define

from .talk import say
from .terminal import counted

if TYPE_CHECKING:
    from ..waiting.batch import Batch

_LONGEST_COMMAND = 1000


@define
class Interrupt:
    """Whether a command was interrupted."""

    has_come: bool = False

    @contextmanager
    def draining(self, batch: Batch) -> Iterator[None]:
        """Have the first Ctrl-C finish what is under way in a batch, and begin no more."""

        def drain() -> None:
            self.has_come = True
            under_way = counted(batch.progress.in_flight, "document")
            say(f"finishing {under_way} under way; Ctrl-C again stops at once")
            batch.drain()

        with _first_interrupt(drain):
            yield


def how_to_resume(journal: Path | None, *, is_piped: bool = False) -> str:
    """Say how to go on with what was ended early."""
    if journal is None:
        return "with --journal FILE, a run can be resumed where it ended"
    command = shlex.join(["llamaclassify", *sys.argv[1:]])
    if len(command) > _LONGEST_COMMAND:  # of a glob that the shell has expanded
        return "to resume, run the same command again"
    return f"to resume{', with the same list' if is_piped else ''}: {command}"


@contextmanager
def _first_interrupt(call: Callable[[], None]) -> Iterator[None]:
    """Have the first Ctrl-C call something; the second ends the command, as the first would have."""
    loop, ends = asyncio.get_running_loop(), signal.getsignal(signal.SIGINT)

    def restore() -> bool:
        is_ours = loop.remove_signal_handler(signal.SIGINT)
        if is_ours:
            signal.signal(signal.SIGINT, ends)
        return is_ours

    def called() -> None:
        if restore():  # else a signal that came together with the first
            call()

    try:
        loop.add_signal_handler(signal.SIGINT, called)
    except (NotImplementedError, RuntimeError, ValueError):  # Windows, or a thread that hears no signals
        yield
        return
    try:
        yield
    finally:
        restore()
