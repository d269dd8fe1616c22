"""The documents that a command's arguments name: files, folders and globs."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator


def expand(arguments: Iterable[str]) -> list[str]:
    """Give each file that the arguments name, once, in order; what names nothing is kept as it is.

    A folder gives every file below it, but no hidden ones; a glob, which may hold ``**``, what it matches.
    """
    found: dict[str, str] = {}
    for argument in arguments:
        for path in _named_by(argument):
            found.setdefault(os.path.abspath(path), path)
    return list(found.values())


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
