"""A document on its way to the server, as a form (aiohttp) that can be sent again."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import anyio
from anyio.to_thread import run_sync
from attrs import field, frozen

from ..errors import ConfigurationError

SLOWEST_UPLOAD = 256 * 1024
"""Bytes a second: an upload may take this much longer than another request."""
LARGEST_UPLOAD = 512 * 1024 * 1024
"""Bytes, as the service documents it."""

Chunks = Callable[[], AsyncIterable[bytes]]
"""Opens a document as a stream of its bytes, anew at each call."""


@frozen
class Upload:
    """A multipart body that can be sent again: the document is re-opened for each attempt.

    Attributes:
        name: The file name that the server is told.
        document: Where the bytes are: a path, streamed from disk; the bytes themselves; what opens a stream.
        size: The document's length in bytes; None where it is not known before it has been sent.
        fields: The form's other fields.
        once: Whether the document can be read only once, so that there is no second attempt.
    """

    name: str
    document: Path | bytes | Chunks = field(repr=False)
    size: int | None
    fields: Mapping[str, str]
    once: bool = False

    @property
    def seconds(self) -> float:
        """How much longer than another request it may take."""
        return (LARGEST_UPLOAD if self.size is None else self.size) / SLOWEST_UPLOAD

    @asynccontextmanager
    async def form(self) -> AsyncGenerator[aiohttp.FormData]:
        """Open the document and give the form that streams it."""
        # Percent-encoding would reach the server as part of the name; only what breaks a header is replaced.
        form = aiohttp.FormData(quote_fields=False)
        for key, value in self.fields.items():
            form.add_field(key, value)
        name = "".join(c if c.isprintable() else "_" for c in self.name)
        filename = name.encode("utf-8", "replace").decode()
        async with self._opened() as content:
            form.add_field("file", content, filename=filename, content_type="application/octet-stream")
            yield form

    @asynccontextmanager
    async def _opened(self) -> AsyncGenerator[Any]:
        if isinstance(self.document, Path):
            # By its descriptor: aiohttp would put a file's own name into a header, whatever it holds.
            async with await anyio.open_file(await run_sync(_opened_descriptor, self.document), "rb") as file:
                yield file.wrapped
        else:
            stream = self.document if isinstance(self.document, bytes) else self.document()
            try:
                yield stream
            finally:
                if isinstance(stream, AsyncGenerator):
                    await stream.aclose()


def _opened_descriptor(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise ConfigurationError(f"document: {path}: {error.strerror or error}") from None
