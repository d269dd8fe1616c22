"""What stdout and stderr lead to, and how wide that is."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_UNWRAPPED = 10_000
"""The width of what is no terminal: nothing is wrapped."""


def has_terminal() -> bool:
    """Tell whether stderr is a terminal on which a line can be drawn again."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def is_pipe(stream: TextIO) -> bool:
    """Tell whether a stream leads to another program."""
    try:
        return stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        return False


def room(stream: TextIO) -> int:
    """Give the columns of what a stream leads to; no terminal has so many that nothing is wrapped."""
    return shutil.get_terminal_size().columns if stream.isatty() else _UNWRAPPED


def show(*parts: RenderableType, stream: TextIO | None = None) -> None:
    """Print texts and tables on a stream, or else on stdout."""
    from rich.console import Console

    file = sys.stdout if stream is None else stream
    console = Console(file=file, width=room(file), highlight=False)
    with console.capture() as captured:
        console.print(*parts, sep="\n")
    text = "\n".join(line.rstrip() for line in captured.get().split("\n"))
    # What the terminal cannot show must not end the command.
    encoding = getattr(file, "encoding", None) or "utf-8"
    file.write(text.encode(encoding, "backslashreplace").decode(encoding))
    file.flush()


def table_of(*columns: str, right: range | tuple[int, ...] = ()) -> Table:
    """Make a table without lines, its columns at the places in `right` flush right."""
    from rich.table import Table
    from rich.text import Text

    table = Table(pad_edge=False, show_edge=False, box=None, padding=(0, 2, 0, 0), header_style="dim")
    for place, column in enumerate(columns):
        table.add_column(Text(column), overflow="fold", justify="right" if place in right else "left")
    return table


def counted(count: int, what: str) -> str:
    """Say how many there are of something: ``1 document``, ``2,000 documents``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
