"""The documents that a command's arguments name: files, folders, globs, ids, and a list on stdin."""

from __future__ import annotations

import glob
import hashlib
import os
import re
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

from anyio.to_thread import run_sync
from attrs import define, field, frozen

from ..outcomes import Document
from .exits import Exit, fail

STDIN = "-"
"""The argument that stands for a list on stdin, one document a line."""
_ID = re.compile(r"(dfl|pjb)-[0-9A-Za-z-]+")
_CHUNK = 1 << 16
_BEGINNING = re.compile(
    rb"""
    (\[\s*)? \{\s* "document":\s     # JSON lines, JSON
    | document,status,type,         # CSV
    | document\ +type\ +confidence  # a table
    | \Z
    """,
    re.VERBOSE,
)


@frozen
class NamedFile(os.PathLike[str]):
    """A file that keeps the text it was named by, which a `Path` would tidy up."""

    text: str

    def __fspath__(self) -> str:
        return self.text

    def __str__(self) -> str:
        return self.text


@define
class Named:
    """What a command's arguments name, each once and in order, read lazily.

    All that is kept of a document is a digest of its place, so that no name comes twice.

    Attributes:
        arguments: As they were given.
        but: Files that are the command's own, and no documents.
        has_ids: Whether there may be ids: a server that a run brings up for itself knows none.
        repeated: How many have been named again, so far.
    """

    arguments: tuple[str, ...]
    but: tuple[Path, ...] = ()
    has_ids: bool = True
    repeated: int = field(init=False, default=0)

    @property
    def is_piped(self) -> bool:
        """Whether a list on stdin is among them."""
        return STDIN in self.arguments

    def without_stdin(self) -> Iterator[str]:
        """Give what the other arguments name."""
        seen: set[bytes] = set()
        for argument in self.arguments:
            if argument != STDIN:
                yield from (text for text in _named_by(argument) if self._is_new(text, seen))

    def count(self) -> int | None:
        """Count them, where that can be done beforehand."""
        return None if self.is_piped else sum(1 for _ in Named(self.arguments, self.but).without_stdin())

    async def documents(self) -> AsyncIterator[Document]:
        """Give them as what is classified; a list on stdin as it comes."""
        seen: set[bytes] = set()
        async for text in self._texts():
            if self._is_new(text, seen):
                yield document_of(text) if self.has_ids else NamedFile(text)

    async def _texts(self) -> AsyncIterator[str]:
        for argument in self.arguments:
            if argument == STDIN:
                async for text in _lines():
                    yield text
            else:
                for text in _named_by(argument):
                    yield text

    def _is_new(self, text: str, seen: set[bytes]) -> bool:
        if any(is_same_file(file, text) for file in self.but):
            return False
        place = hashlib.blake2b(os.fsencode(os.path.abspath(text)), digest_size=16).digest()
        if place in seen:
            self.repeated += 1
            return False
        seen.add(place)
        return True


def document_of(text: str) -> Document:
    """Make of a name what is classified: an id, where it looks like one and no file is called so."""
    if _ID.fullmatch(text) and not os.path.lexists(text):
        return text
    return NamedFile(text)


def is_same_file(one: Path, other: str | os.PathLike[str]) -> bool:
    """Tell whether two names are of one file that exists."""
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return False


def check_output(output: Path | None, inputs: Iterable[str | os.PathLike[str]]) -> None:
    """See that what is written is none of the files that are read; the output of an earlier run may be.

    Raises:
        click.ClickException: It is.
    """
    if output is None or not output.is_file() or _is_output(output):
        return
    if any(is_same_file(output, file) for file in inputs):
        raise fail(f"--output {output}: is one of the files to read", Exit.USAGE)


def _is_output(path: Path) -> bool:
    """Tell whether a file is empty, or begins as what commands write: a run that goes on writes it again."""
    try:
        with path.open("rb") as file:
            return _BEGINNING.match(file.read(200)) is not None
    except OSError:
        return False


def expand(arguments: Iterable[str]) -> list[str]:
    """Give each file that the arguments name, once, in order; what names nothing is kept as it is.

    A folder gives every file below it, but no hidden ones; a glob, which may hold ``**``, what it matches.
    """
    return list(Named(tuple(arguments)).without_stdin())


def _named_by(argument: str) -> Iterator[str]:
    if os.path.isdir(argument):
        yield from _below(argument)
    elif glob.has_magic(argument) and not os.path.lexists(argument):
        matches = sorted(glob.glob(argument, recursive=True))
        for match in matches:
            yield from _below(match) if os.path.isdir(match) else [match]
        if not matches:
            yield argument
    else:
        yield argument


def _below(folder: str) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = os.path.join(parent, name)
            if not name.startswith(".") and (os.path.isfile(path) or not os.path.exists(path)):
                yield path


async def _lines() -> AsyncIterator[str]:
    """Give the lines of stdin, without the empty ones."""
    stdin = sys.stdin.buffer
    # Unbuffered: a thread that waits in a buffer would hold its lock when the process ends.
    stdin = getattr(stdin, "raw", stdin)
    rest = b""
    while chunk := await run_sync(stdin.read, _CHUNK, abandon_on_cancel=True):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.strip():
                yield os.fsdecode(line.removesuffix(b"\r"))
    if rest.strip():
        yield os.fsdecode(rest.removesuffix(b"\r"))
