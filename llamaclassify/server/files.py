"""The routes of one file, ``/api/v1/beta/files``: taken in, looked up, fetched, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import anyio
from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from attrs import Factory, define

from ..wire.checks import Issue
from .downloads import LONGEST_VALIDITY, VALIDITY, expanded, link_to
from .http import STORE, ApiError, answer, invalid, project_of, whole_number
from .store import Store
from .store.files import StoredFile

routes: web.RouteTableDef = web.RouteTableDef()
LARGEST_UPLOAD = 512 * 1024 * 1024
"""Bytes, as the service documents it."""
_LONGEST_FIELD = 4096
_LONGEST_NAME = 3000


@routes.post("/api/v1/beta/files")
async def upload(request: web.Request) -> web.Response:
    """Stream a document to disk and take it in."""
    project, store = project_of(request), request.app[STORE]
    if not request.content_type.startswith("multipart/"):
        raise ApiError(400, "file field is required for multipart requests.")
    form = _Form()
    try:
        await form.read(await request.multipart(), store)
        if form.path is None:
            raise ApiError(400, "file field is required for multipart requests.")
        if issues := list(_field_issues(form)):
            raise invalid(issues, "body")
        file = await store.files.add(
            project,
            form.path,
            name=form.name,
            purpose=form.fields.get("purpose"),
            external_file_id=form.fields.get("external_file_id"),
        )
    except (ValueError, HttpProcessingError) as error:
        form.discard()
        raise ApiError(400, f"The multipart body is broken: {str(error) or type(error).__name__}") from None
    except BaseException:
        form.discard()
        raise
    return answer(file, status=201)


@routes.get("/api/v1/beta/files/{file_id}")
async def get(request: web.Request) -> web.Response:
    """Give what is known of one file."""
    return answer(expanded(request, (await _file_of(request)).file))


@routes.delete("/api/v1/beta/files/{file_id}")
async def delete(request: web.Request) -> web.Response:
    """Forget a file and remove its document; a job that still needs it will fail."""
    if not await request.app[STORE].files.delete(project_of(request), request.match_info["file_id"]):
        raise _unknown()
    return web.Response(status=204)


@routes.get("/api/v1/beta/files/{file_id}/content")
async def content(request: web.Request) -> web.Response:
    """Give a link to the document, not the document."""
    stored = await _file_of(request)
    seconds = whole_number(request.query, "expires_at_seconds", default=VALIDITY, largest=LONGEST_VALIDITY)
    return answer(link_to(request, stored.file, seconds))


async def _file_of(request: web.Request) -> StoredFile:
    stored = await request.app[STORE].files.get(project_of(request), request.match_info["file_id"])
    if stored is None:
        raise _unknown()
    return stored


def _unknown() -> ApiError:
    return ApiError(404, "File not found")


@define
class _Form:
    """An upload's form: its text fields, and the document once it is on disk."""

    fields: dict[str, str] = Factory(dict)
    name: str = ""
    path: Path | None = None

    async def read(self, parts: MultipartReader, store: Store) -> None:
        async for part in parts:
            if not isinstance(part, BodyPartReader):
                continue
            if part.name == "file" and self.path is None:
                if not part.filename:
                    raise ApiError(400, "File must have a filename.")
                self.name = _text(part.filename)
                self.path = store.documents.new_path(self.name)
                await _save(part, self.path)
            elif part.name:
                value = await part.read(decode=True)
                self.fields[part.name] = value[:_LONGEST_FIELD].decode(errors="replace")

    def discard(self) -> None:
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def _field_issues(form: _Form) -> Iterator[Issue]:
    if "purpose" not in form.fields:
        yield Issue(("purpose",), "Field required", "missing")
    if len(form.name) > _LONGEST_NAME:
        message = f"must have at most {_LONGEST_NAME} characters, has {len(form.name)}"
        yield Issue(("file", "filename"), message, "string_too_long")


def _text(name: str) -> str:
    """Make a text of a name whose bytes are none: they came as halves of characters."""
    return name.encode(errors="surrogateescape").decode(errors="replace")


async def _save(part: BodyPartReader, path: Path) -> None:
    size = 0
    async with await anyio.open_file(path, "wb") as file:
        while chunk := await part.read_chunk(1 << 18):
            size += len(chunk)
            if size > LARGEST_UPLOAD:
                raise ApiError(413, f"File is larger than {LARGEST_UPLOAD >> 20} MB")
            await file.write(chunk)
    if not size:
        raise ApiError(400, "Uploaded file is empty.")
