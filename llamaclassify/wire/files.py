"""Files, ``/api/v1/beta/files``: upload a document, look one up."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from anyio.to_thread import run_sync

from ..errors import ConfigurationError
from ..models import File
from .checks import identifier
from .converter import decode
from .transport import Transport, Upload

_PATH = "/api/v1/beta/files"

Uploadable = os.PathLike[str] | tuple[str, bytes]
"""A document to upload: a path, streamed from disk, or a name and the bytes."""


class Files:
    """The calls on stored files, as ``session.files``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def upload(
        self,
        document: Uploadable,
        *,
        purpose: str = "classify",
        external_file_id: str | None = None,
        organization_id: str | None = None,
        project_id: str | None = None,
    ) -> File:
        """Store a document (``POST /api/v1/beta/files``); the file's id is what a job takes.

        A path is streamed from disk, never read whole, and opened anew for each attempt. An upload is
        tried again also when its answer was lost: storing costs nothing, so the worst is a second copy.

        Args:
            document: A path, or a name and the bytes.
            purpose: What the service is told the file is for.
            external_file_id: Your own name for the file.
            organization_id: Instead of the session's.
            project_id: Instead of the session's.

        Raises:
            ConfigurationError: There is no such file, it cannot be read or it is empty; nothing was sent.
            PayloadTooLargeError: The document is larger than the server takes.
        """
        fields = {"purpose": purpose}
        if external_file_id is not None:
            fields["external_file_id"] = external_file_id
        answer = await self._transport.request(
            "POST",
            _PATH,
            query={"organization_id": organization_id, "project_id": project_id},
            upload=await _upload(document, fields),
        )
        return decode(File, answer, request=f"POST {_PATH}")

    async def get(
        self, file_id: str, *, organization_id: str | None = None, project_id: str | None = None
    ) -> File:
        """Look a stored file up (``GET /api/v1/beta/files/{file_id}``).

        Raises:
            NotFoundError: The project has no such file.
        """
        path = f"{_PATH}/{identifier('file_id', file_id)}"
        query = {"organization_id": organization_id, "project_id": project_id}
        answer = await self._transport.request("GET", path, query=query)
        return decode(File, answer, request=f"GET {path}")


async def _upload(document: Any, fields: dict[str, str]) -> Upload:
    """Check a document before anything of it is sent."""
    if isinstance(document, os.PathLike):
        path = Path(document)
        size = await run_sync(_readable_size, path)
        upload = Upload(path.name, path, size, fields)
    elif _is_named_bytes(document):
        name, content = document
        upload = Upload(name, bytes(content), len(content), fields)
    else:
        message = f"document: expected a path or (name, bytes), got {type(document).__name__}"
        raise ConfigurationError(message)
    if not upload.size:
        message = f"document: {upload.name} is empty"
        raise ConfigurationError(message)
    return upload


def _is_named_bytes(document: Any) -> bool:
    return (
        isinstance(document, tuple)
        and len(document) == 2
        and isinstance(document[0], str)
        and bool(document[0])
        and isinstance(document[1], bytes | bytearray | memoryview)
    )


def _readable_size(path: Path) -> int:
    try:
        with path.open("rb") as file:
            return os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        problem = "no such file"
    except IsADirectoryError:
        problem = "is a folder, not a file"
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}"
    message = f"document: {path}: {problem}"
    raise ConfigurationError(message)
