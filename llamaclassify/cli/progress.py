"""How far a run is, on stderr: a bar on a terminal, elsewhere a line every few seconds."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from anyio.to_thread import run_sync
from attrs import define, field, frozen

from .records import Record
from .talk import say

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ..outcomes import Progress

_SECONDS_BETWEEN_LINES = 5.0
_SECONDS_BETWEEN_FRAMES = 0.1
_RECENT = 50
"""Looks over which the rate is taken."""
_MOST_TYPES = 12
_MOST_OF_A_BAR, _LEAST_OF_A_BAR = 24, 4


@define
class Tally:
    """What became of the documents so far.

    Attributes:
        types: How many got each type; None counts those that no rule fits.
        failed: How many failed.
    """

    types: Counter[str | None] = field(factory=Counter)
    failed: int = 0

    def add(self, record: Record) -> None:
        """Count a record."""
        if record.error is None:
            self.types[record.type] += 1
        else:
            self.failed += 1

    def by_type(self) -> str:
        """Say how many got each type, the commonest first."""
        common = self.types.most_common(_MOST_TYPES)
        said = [f"{count:,} {'(no rule fits)' if type is None else type}" for type, count in common]
        more = len(self.types) - len(common)
        return " · ".join([*said, *([f"{more} types more"] if more else [])])

    def in_short(self) -> str:
        """Say it in a few words."""
        fitting = self.types.total() - self.types[None]
        counts = {"classified": fitting, "fit no rule": self.types[None], "failed": self.failed}
        return ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count)


@frozen
class Standing:
    """How a run stands.

    Attributes:
        progress: The batch's own.
        tally: What became of the documents.
        rate: Documents done a second, of late.
        total: Documents in all, where that is known.
    """

    progress: Progress
    tally: Tally
    rate: float
    total: int | None

    @property
    def left(self) -> str | None:
        """The time left, where it can be told."""
        if self.total is None or not self.rate or self.total <= self.progress.done:
            return None
        return str(timedelta(seconds=round((self.total - self.progress.done) / self.rate)))

    def line(self) -> str:
        """Say it all in a line."""
        progress = self.progress
        parts = [
            f"{progress.done:,}{f' of {self.total:,}' if self.total else ''} done",
            f"{progress.failed:,} failed",
            f"{progress.in_flight:,} in flight",
            f"{self.rate:.1f}/s",
            *([f"{self.left} left"] if self.left else []),
        ]
        types = self.tally.by_type()
        return ", ".join(parts) + (f"; {types}" if types else "")


@asynccontextmanager
async def showing(
    progress: Callable[[], Progress], tally: Tally, count: Callable[[], int | None], *, bar: bool
) -> AsyncIterator[None]:
    """Show how far a batch is; `count` finds out how many documents there are, in a thread of its own."""
    counting = asyncio.create_task(run_sync(count, abandon_on_cancel=True))
    recent: deque[Progress] = deque(maxlen=_RECENT)

    def look() -> Standing:
        now = progress()
        recent.append(now)
        seconds = now.seconds - recent[0].seconds
        rate = (now.done - recent[0].done) / seconds if seconds > 0 else now.rate
        counted = counting.done() and not counting.cancelled() and counting.exception() is None
        return Standing(now, tally, rate, counting.result() if counted else None)

    ticking = asyncio.create_task(_draw(look) if bar else _print(look))
    try:
        yield
    finally:
        for task in (ticking, counting):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(ticking, counting, return_exceptions=True)


async def _print(look: Callable[[], Standing]) -> None:
    while True:
        await asyncio.sleep(_SECONDS_BETWEEN_LINES)
        say(look().line())


async def _draw(look: Callable[[], Standing]) -> None:
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(stderr=True), transient=True, auto_refresh=False) as live:
        while True:
            live.update(_bar(look(), live.console.width), refresh=True)
            await asyncio.sleep(_SECONDS_BETWEEN_FRAMES)


def _bar(standing: Standing, width: int) -> RenderableType:
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    progress, total = standing.progress, standing.total
    figures = Text("  ").join(
        (
            Text(f"{progress.done:,}" + (f"/{total:,}" if total else ""), style="bold"),
            Text(f"{progress.failed:,} failed", style="red" if progress.failed else "dim"),
            Text(f"{progress.in_flight:,} in flight"),
            Text(f"{standing.rate:.1f}/s", style="cyan"),
            *([Text(f"{standing.left} left")] if standing.left else []),
        )
    )
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_column()
    row.add_column(no_wrap=True, overflow="ellipsis")
    wide = min(_MOST_OF_A_BAR, width - figures.cell_len - 3)
    bar = ProgressBar(total=total, completed=progress.done, pulse=total is None, width=wide)
    row.add_row(bar if wide >= _LEAST_OF_A_BAR else "", figures)
    types = standing.tally.by_type()
    return Group(row, *([Text(types, style="dim", no_wrap=True, overflow="ellipsis")] if types else []))
