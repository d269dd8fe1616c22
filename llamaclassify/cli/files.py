"""``llamaclassify files``: stored documents."""

from __future__ import annotations

import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .endpoints import command
from .flags import FILE_ID, PAGES, Flag, Request
from .values import LIST, OBJECT

if TYPE_CHECKING:
    from ..session import ClassifySession

_ORDER_BY = Flag("order-by", "name, id, or created_at (newest first).")
_EXPAND = Flag("expand", "What to add: download_url.", at="expand[]")


@click.group()
def files() -> None:
    """Stored documents: upload, look up, fetch and remove them."""


@command(
    files,
    "create",
    Flag("file", "The document, a path.", click.Path(path_type=Path), positional=True),
    Flag("purpose", "What it is for; classify if not given."),
    Flag("external-file-id", "Your own name for it."),
)
def create(session: ClassifySession, request: Request) -> Awaitable[Any]:
    """Upload a document."""
    return session.files.upload(request.pop("file"), **request)


@command(
    files,
    "list",
    Flag("file-id", "Only this file; may be repeated.", at="file_ids[]"),
    Flag("file-name", "Only files of exactly this name."),
    Flag("external-file-id", "Only files of this name of yours."),
    _ORDER_BY,
    _EXPAND,
    *PAGES,
)
def list_files(session: ClassifySession, request: Request) -> Awaitable[Any]:
    """List the project's files."""
    return session.files.list(**request)


@command(files, "get", FILE_ID, _EXPAND, also="retrieve")
def get(session: ClassifySession, request: Request) -> Awaitable[Any]:
    """Show what is known of a file."""
    return session.files.get(**request)


@command(files, "delete", FILE_ID)
async def delete(session: ClassifySession, request: Request) -> Any:
    """Remove a file."""
    await session.files.delete(**request)
    return {"id": request["file_id"]}


@command(
    files,
    "content",
    FILE_ID,
    Flag("output", "Write here instead of to stdout.", click.File("wb", lazy=True)),
)
async def content(session: ClassifySession, request: Request) -> None:
    """Fetch the document itself."""
    document = await session.files.content(request["file_id"])
    output = request.get("output") or sys.stdout.buffer
    output.write(document)
    output.flush()


@command(
    files,
    "query",
    Flag("filter", "Only these files: file_ids, file_name, external_file_id.", OBJECT),
    Flag("filter.file-ids", "Only these files; may be repeated.", LIST, at="filter.file_ids[]"),
    Flag("filter.file-name", "Only files of exactly this name."),
    Flag("filter.external-file-id", "Only files of this name of yours."),
    _ORDER_BY,
    *PAGES,
    note="files query is deprecated; use files list",
)
def query(session: ClassifySession, request: Request) -> Awaitable[Any]:
    """List files, in an older way. Deprecated: use list."""
    from ..errors import ConfigurationError

    wanted = request.pop("filter", {})
    if unknown := wanted.keys() - {"file_ids", "file_name", "external_file_id"}:
        keys = ", ".join(sorted(unknown))
        raise ConfigurationError(f"filter: {keys}: the keys are file_ids, file_name, external_file_id")
    if not isinstance(wanted.get("file_ids", []), list):
        raise ConfigurationError("filter.file_ids: expected a list")
    return session.files.query(**request, **wanted)
