"""Saved configurations, each in its latest version."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import attrs
from attrs import frozen

from ...models import Configuration, SavedConfiguration, timestamp
from ...wire.converter import decode, encode
from ..clock import Clock
from .database import Database, Row
from .listing import Listing, Order, Place
from .project import Project

NEWEST_FIRST = Order(("number",), (int,), descending=True)
_ADD = "INSERT INTO configurations (id, project, name, product_type, body) VALUES (?, ?, ?, ?, ?)"


@frozen(kw_only=True)
class ConfigurationFilter:
    """Which configurations a listing gives; what is empty leaves them all."""

    product_types: Collection[str] = ()
    name: str | None = None


class NameTakenError(Exception):
    """Another configuration has that name."""


class Configurations:
    """The saved configurations of every project."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        # A version is made of the one before it: one write at a time.
        self._writing = asyncio.Lock()

    async def save(
        self, project: Project, name: str, product_type: str, parameters: Configuration | dict[str, Any]
    ) -> SavedConfiguration:
        """Save parameters under a name, anew or over what it had."""
        async with self._writing:
            saved = await self._named(project, name, product_type)
            if saved is not None:
                return await self._rewrite(saved, parameters=parameters)
            now = self._clock.now()
            saved = SavedConfiguration(
                id=f"cfg-{uuid.uuid4()}",
                name=name,
                product_type=product_type,
                version=timestamp(now),
                parameters=parameters,
                created_at=now,
                updated_at=now,
            )
            values = (saved.id, project.key, name, product_type, json.dumps(encode(saved)))
            await self._database.write((_ADD, values))
            return saved

    async def get(self, project: Project, config_id: str) -> SavedConfiguration | None:
        """Give a configuration of a project."""
        sql = "SELECT * FROM configurations WHERE id = ? AND project = ?"
        row = await self._database.first(sql, (config_id, project.key))
        return None if row is None else _saved(row)

    async def change(self, project: Project, config_id: str, **changes: Any) -> SavedConfiguration | None:
        """Change what is given, as a new version; None: there is no such configuration.

        Raises:
            NameTakenError: The new name is another's.
        """
        async with self._writing:
            saved = await self.get(project, config_id)
            if saved is None:
                return None
            if "name" in changes:
                other = await self._named(project, changes["name"], saved.product_type)
                if other is not None and other.id != saved.id:
                    raise NameTakenError(changes["name"])
            return await self._rewrite(saved, **changes)

    async def delete(self, project: Project, config_id: str) -> bool:
        """Forget a configuration; False: there is none."""
        async with self._writing:
            sql = "DELETE FROM configurations WHERE id = ? AND project = ? RETURNING id"
            return bool(await self._database.write((sql, (config_id, project.key))))

    async def part(
        self, project: Project, wanted: ConfigurationFilter, *, after: Place | None, size: int
    ) -> tuple[list[SavedConfiguration], Place | None]:
        """Give a part of a project's configurations, newest first, and where the next one begins."""
        listing = Listing("configurations", NEWEST_FIRST, ["project = ?"], [project.key])
        if wanted.product_types:
            listing.only(
                "product_type IN (SELECT value FROM json_each(?))", json.dumps(list(wanted.product_types))
            )
        if wanted.name:
            listing.only("name = ?", wanted.name)
        part = await listing.part(self._database, after=after, size=size)
        return [_saved(row) for row in part.rows], part.last

    async def _named(self, project: Project, name: str, product_type: str) -> SavedConfiguration | None:
        sql = "SELECT * FROM configurations WHERE project = ? AND name = ? AND product_type = ?"
        row = await self._database.first(sql, (project.key, name, product_type))
        return None if row is None else _saved(row)

    async def _rewrite(self, saved: SavedConfiguration, **changes: Any) -> SavedConfiguration:
        now = _later(self._clock.now(), saved.updated_at)
        saved = attrs.evolve(saved, version=timestamp(now), updated_at=now, **changes)
        values = (saved.name, json.dumps(encode(saved)), saved.id)
        await self._database.write(("UPDATE configurations SET name = ?, body = ? WHERE id = ?", values))
        return saved


def _later(now: datetime, before: datetime | None) -> datetime:
    """Tell two writes apart that are closer than the clock's ticks."""
    return now if before is None else max(now, before + timedelta(microseconds=1))


def _saved(row: Row) -> SavedConfiguration:
    return decode(SavedConfiguration, json.loads(row["body"]), request="the stored configuration")
