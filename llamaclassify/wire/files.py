"""Files, ``/api/v1/beta/files``: upload, look up, list, fetch and delete stored documents."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import AsyncIterable, Callable, Iterable
from pathlib import Path
from typing import Any

from anyio.to_thread import run_sync

from ..errors import ConfigurationError
from ..models import File, PresignedUrl
from .checks import identifier, listed, page_size_in
from .converter import decode
from .pagination import Pager
from .transport import Transport
from .upload import Upload

_PATH = "/api/v1/beta/files"
_LARGEST_PAGE = 1000
_ORDERS = ("name", "id", "created_at")

Stream = AsyncIterable[bytes] | Callable[[], AsyncIterable[bytes]]
"""A document's bytes as they come, or what opens such a stream anew."""
Uploadable = os.PathLike[str] | tuple[str, bytes] | tuple[str, Stream]
"""A document to upload: a path, streamed from disk, or a name with the bytes or a stream of them."""


class Files:
    """The calls on stored files, as ``session.files``.

    ::

        file = await session.files.upload(Path("a.pdf"))
        job = await session.create_and_wait(file.id, rules=RULES)
        await session.files.delete(file.id)

    Every call takes `organization_id` and `project_id` over the session's own, and raises `APIStatusError`,
    `APIConnectionError` and `ResponseDecodeError` after the retries of the session's `RetryPolicy`.
    """

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

        A path is streamed from disk, never read whole, and opened anew for each attempt, as is a stream
        that is given as a function. An upload is tried again also when its answer was lost: storing costs
        nothing, so the worst is a second copy. A stream that can be read only once is sent only once.

        Args:
            document: A path; or a name with the bytes, an async iterable of bytes, or a function that
                opens one.
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
            kind="upload",
        )
        return decode(File, answer, request=f"POST {_PATH}")

    async def get(
        self,
        file_id: str,
        *,
        expand: Iterable[str] = (),
        organization_id: str | None = None,
        project_id: str | None = None,
    ) -> File:
        """Look a file up (``GET /api/v1/beta/files/{file_id}``); ``expand=("download_url",)`` adds its URL.

        Raises:
            NotFoundError: The project has no such file.
        """
        path = f"{_PATH}/{identifier('file_id', file_id)}"
        query = {
            "expand": listed("expand", expand),
            "organization_id": organization_id,
            "project_id": project_id,
        }
        answer = await self._transport.request("GET", path, query=query)
        return decode(File, answer, request=f"GET {path}")

    def list(
        self,
        *,
        file_ids: Iterable[str] | None = None,
        file_name: str | None = None,
        external_file_id: str | None = None,
        order_by: str | None = None,
        expand: Iterable[str] = (),
        page_size: int | None = None,
        page_token: str | None = None,
        organization_id: str | None = None,
        project_id: str | None = None,
    ) -> Pager[File]:
        """List the project's files (``GET /api/v1/beta/files``).

        Args:
            file_ids: Only these files.
            file_name: Only files of exactly this name.
            external_file_id: Only files of this name of yours.
            order_by: ``"name"``, ``"id"`` or ``"created_at"`` (newest first).
            expand: ``("download_url",)`` adds each file's URL.
            page_size: Files a page, 1 to 1000.
            page_token: Start with the page of this token.
            organization_id: Instead of the session's.
            project_id: Instead of the session's.
        """
        filters = {
            "file_ids": listed("file_ids", file_ids),
            "file_name": file_name,
            "external_file_id": external_file_id,
            "order_by": _order(order_by),
            "expand": listed("expand", expand),
            "page_size": page_size_in(page_size, _LARGEST_PAGE),
            "organization_id": organization_id,
            "project_id": project_id,
        }

        async def fetch(token: str | None) -> Any:
            return await self._transport.request("GET", _PATH, query={**filters, "page_token": token})

        return Pager(fetch, File, request=f"GET {_PATH}", page_token=page_token)

    def query(
        self,
        *,
        file_ids: Iterable[str] | None = None,
        file_name: str | None = None,
        external_file_id: str | None = None,
        order_by: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        organization_id: str | None = None,
        project_id: str | None = None,
    ) -> Pager[File]:
        """List files by ``POST /api/v1/beta/files/query``: deprecated by the service, use `list`."""
        warnings.warn("files.query is deprecated: use files.list", DeprecationWarning, stacklevel=2)
        path = f"{_PATH}/query"
        filters = {
            "file_ids": listed("file_ids", file_ids),
            "file_name": file_name,
            "external_file_id": external_file_id,
        }
        wanted = {
            "filter": {key: value for key, value in filters.items() if value is not None},
            "order_by": _order(order_by),
            "page_size": page_size_in(page_size, _LARGEST_PAGE),
        }
        scope = {"organization_id": organization_id, "project_id": project_id}

        async def fetch(token: str | None) -> Any:
            asked = {**wanted, "page_token": token}
            body = {key: value for key, value in asked.items() if value is not None}
            return await self._transport.request("POST", path, query=scope, body=body)

        return Pager(fetch, File, request=f"POST {path}", page_token=page_token)

    async def delete(
        self, file_id: str, *, organization_id: str | None = None, project_id: str | None = None
    ) -> None:
        """Remove a file (``DELETE /api/v1/beta/files/{file_id}``).

        A delete whose answer was lost is sent again; that the file is gone by then counts as done.

        Raises:
            NotFoundError: The project has no such file.
        """
        path = f"{_PATH}/{identifier('file_id', file_id)}"
        query = {"organization_id": organization_id, "project_id": project_id}
        await self._transport.delete(path, query=query)

    async def content_url(
        self,
        file_id: str,
        *,
        expires_at_seconds: int | None = None,
        organization_id: str | None = None,
        project_id: str | None = None,
    ) -> PresignedUrl:
        """Give a URL that leads to the document without a key (``GET …/{file_id}/content``).

        Args:
            file_id: The file.
            expires_at_seconds: For how many seconds the URL is to be good.
            organization_id: Instead of the session's.
            project_id: Instead of the session's.
        """
        path = f"{_PATH}/{identifier('file_id', file_id)}/content"
        query = {
            "expires_at_seconds": expires_at_seconds,
            "organization_id": organization_id,
            "project_id": project_id,
        }
        answer = await self._transport.request("GET", path, query=query)
        return decode(PresignedUrl, answer, request=f"GET {path}")

    async def content(
        self, file_id: str, *, organization_id: str | None = None, project_id: str | None = None
    ) -> bytes:
        """Give the document's bytes, fetched from its `content_url`, to which the key is not sent."""
        url = await self.content_url(file_id, organization_id=organization_id, project_id=project_id)
        return await self._transport.fetch(url.url)


def _order(order_by: str | None) -> str | None:
    if order_by is not None and order_by not in _ORDERS:
        message = f"order_by: must be one of {', '.join(_ORDERS)}, got {order_by!r}"
        raise ConfigurationError(message)
    return order_by


async def _upload(document: Any, fields: dict[str, str]) -> Upload:
    """Check a document before anything of it is sent."""
    if isinstance(document, os.PathLike):
        path = Path(document)
        upload = Upload(path.name, path, await run_sync(_readable_size, path), fields)
    elif isinstance(document, tuple) and len(document) == 2 and document[0] and isinstance(document[0], str):
        upload = _named(document[0], document[1], fields)
    else:
        message = f"document: expected a path or (name, bytes), got {type(document).__name__}"
        raise ConfigurationError(message)
    if upload.size == 0:
        message = f"document: {upload.name} is empty"
        raise ConfigurationError(message)
    return upload


def _named(name: str, content: Any, fields: dict[str, str]) -> Upload:
    if isinstance(content, bytes | bytearray | memoryview):
        return Upload(name, bytes(content), len(content), fields)
    if isinstance(content, AsyncIterable):
        return Upload(name, lambda: content, None, fields, once=True)
    if callable(content):
        opens: Any = content
        return Upload(name, opens, None, fields)
    message = f"document: {name}: expected bytes or a stream of them, got {type(content).__name__}"
    raise ConfigurationError(message)


def _readable_size(path: Path) -> int:
    try:
        kind = path.stat().st_mode
        if stat.S_ISREG(kind):
            with path.open("rb") as file:
                return os.fstat(file.fileno()).st_size
        # Opening a pipe could wait for ever.
        problem = "is a folder, not a file" if stat.S_ISDIR(kind) else "is no ordinary file"
    except FileNotFoundError:
        problem = "no such file"
    except (OSError, ValueError) as error:
        problem = f"cannot be read: {getattr(error, 'strerror', None) or error}"
    message = f"document: {path}: {problem}"
    raise ConfigurationError(message)
