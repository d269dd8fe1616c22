"""The documents of a data folder, under names of our own: a client's name never becomes a path."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Collection, Iterable
from pathlib import Path

from anyio import to_thread

_NAME = re.compile(r"[0-9a-f]{32}[.0-9a-zA-Z]{0,12}")


class Documents:
    """A folder of documents."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        """Use a folder.

        Args:
            folder: Where the documents lie.
            durable: Whether what is kept must outlast a power cut.
        """
        self._folder = folder
        self._durable = durable

    def new_path(self, name: str) -> Path:
        """Give a path to write a document to; only the ending of its name is kept."""
        ending = "".join(c for c in Path(name).suffix[:12] if c.isascii() and (c.isalnum() or c == "."))
        return self.path(f"{uuid.uuid4().hex}{ending}")

    def path(self, document: str) -> Path:
        """Give where a document lies."""
        return self._folder / document

    async def keep(self, path: Path) -> None:
        """Return once a document that has been written is on the disk."""
        if self._durable:
            await to_thread.run_sync(_sync, path)

    async def remove(self, documents: Iterable[str]) -> None:
        """Remove documents, those that are there."""
        await to_thread.run_sync(_remove, [self.path(document) for document in documents])

    async def remove_all_but(self, known: Collection[str]) -> None:
        """Remove documents that were being taken in when the server was killed: nobody has their ids."""
        there = await to_thread.run_sync(os.listdir, self._folder)
        await self.remove(name for name in there if name not in known and _NAME.fullmatch(name))


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Make a file and its name last; a system that cannot open folders keeps names by itself."""
    _sync_one(path, os.O_RDWR)
    if hasattr(os, "O_DIRECTORY"):
        _sync_one(path.parent, os.O_RDONLY | os.O_DIRECTORY)


def _sync_one(path: Path, flags: int) -> None:
    opened = os.open(path, flags)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
