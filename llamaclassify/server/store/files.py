"""Files: what is known of them, and where their documents lie."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection
from pathlib import Path

from attrs import frozen

from ...models import File
from ...wire.converter import decode, encode
from ..clock import Clock
from .database import Database, Row
from .documents import Documents
from .listing import Listing, Order, Place
from .moments import ticks
from .project import Project

ORDERS = {
    "name": Order(("name", "number"), (str, int)),
    "id": Order(("id",), (str,)),
    "created_at": Order(("number",), (int,), descending=True),
}

_ADD = """
INSERT INTO files (id, project, name, external_id, document, created, body) VALUES (?, ?, ?, ?, ?, ?, ?)
"""


@frozen
class StoredFile:
    """A file and where its bytes are."""

    file: File
    path: Path


@frozen(kw_only=True)
class FileFilter:
    """Which files a listing gives; what is empty leaves them all."""

    file_ids: Collection[str] = ()
    file_name: str | None = None
    external_file_id: str | None = None


class Files:
    """The files of every project."""

    def __init__(self, database: Database, documents: Documents, clock: Clock) -> None:
        self._database = database
        self._documents = documents
        self._clock = clock

    async def add(
        self, project: Project, path: Path, *, name: str, purpose: str | None, external_file_id: str | None
    ) -> File:
        """Take in a document whose bytes have been written to `path`."""
        now = self._clock.now()
        file = File(
            id=f"dfl-{uuid.uuid4()}",
            name=name,
            project_id=project.id,
            external_file_id=external_file_id,
            file_type=Path(name).suffix.lstrip(".").lower() or None,
            purpose=purpose,
            last_modified_at=now,
        )
        await self._documents.keep(path)
        body = json.dumps(encode(file))
        values = (file.id, project.key, name, external_file_id, path.name, ticks(now), body)
        await self._database.write((_ADD, values))
        return file

    async def get(self, project: Project, file_id: str) -> StoredFile | None:
        """Give a file of a project."""
        return await self._found("SELECT * FROM files WHERE id = ? AND project = ?", file_id, project.key)

    async def get_of_any(self, file_id: str) -> StoredFile | None:
        """Give a file, whosoever it is."""
        return await self._found("SELECT * FROM files WHERE id = ?", file_id)

    async def _found(self, sql: str, *values: object) -> StoredFile | None:
        row = await self._database.first(sql, values)
        return None if row is None else self._stored(row)

    async def missing(self, project: Project, file_ids: Collection[str]) -> str | None:
        """Give the first of some ids that is no file of the project."""
        rows = await self._database.read(
            "SELECT id FROM files WHERE id IN (SELECT value FROM json_each(?)) AND +project = ?",
            (json.dumps(list(file_ids)), project.key),
        )
        there = {row["id"] for row in rows}
        return next((file_id for file_id in file_ids if file_id not in there), None)

    async def delete(self, project: Project, file_id: str) -> bool:
        """Forget a file and remove its document; False: there is none."""
        gone = await self._database.write(
            ("DELETE FROM files WHERE id = ? AND project = ? RETURNING document", (file_id, project.key))
        )
        await self._documents.remove(row["document"] for row in gone)
        return bool(gone)

    async def part(
        self, project: Project, wanted: FileFilter, *, order: Order, after: Place | None, size: int
    ) -> tuple[list[File], Place | None]:
        """Give a part of a project's files, and where the next one begins."""
        listing = Listing("files", order, ["project = ?"], [project.key])
        if wanted.file_ids:
            listing.only("id IN (SELECT value FROM json_each(?))", json.dumps(list(wanted.file_ids)))
        if wanted.file_name:
            listing.only("name = ?", wanted.file_name)
        if wanted.external_file_id:
            listing.only("external_id = ?", wanted.external_file_id)
        part = await listing.part(self._database, after=after, size=size)
        return [self._stored(row).file for row in part.rows], part.last

    async def documents(self) -> set[str]:
        """Give the names of all documents that belong to a file."""
        return {row["document"] for row in await self._database.survey("SELECT document FROM files")}

    def _stored(self, row: Row) -> StoredFile:
        file = decode(File, json.loads(row["body"]), request="the stored file")
        return StoredFile(file, self._documents.path(row["document"]))
