"""Saved webhook configurations: whom many jobs tell, named by an id."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from ...models import WebhookConfiguration
from ...wire.converter import decode, encode
from ..clock import Clock
from .database import Database, Row
from .listing import Listing, Order, Place
from .moments import moment, ticks
from .project import Project

NEWEST_FIRST = Order(("number",), (int,), descending=True)
_ADD = """
INSERT INTO webhook_configurations (id, project, created, updated, webhook) VALUES (?, ?, ?, ?, ?) RETURNING *
"""
_FIND = """
SELECT * FROM webhook_configurations WHERE id IN (SELECT value FROM json_each(?)) AND +project = ?
"""
_CHANGE = """
UPDATE webhook_configurations SET updated = ?, webhook = ? WHERE id = ? AND project = ? RETURNING *
"""


@frozen
class SavedWebhook:
    """A webhook configuration with its secrets: what is answered of it is told by the routes."""

    id: str
    webhook: WebhookConfiguration
    created_at: datetime
    updated_at: datetime


class WebhookConfigurations:
    """The saved webhook configurations of every project."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def add(self, project: Project, webhook: WebhookConfiguration) -> SavedWebhook:
        """Save a webhook configuration."""
        now = ticks(self._clock.now())
        values = (f"whc-{uuid.uuid4()}", project.key, now, now, json.dumps(encode(webhook)))
        [row] = await self._database.write((_ADD, values))
        return _saved(row)

    async def get(self, project: Project, config_id: str) -> SavedWebhook | None:
        """Give a webhook configuration of a project."""
        found = await self.some(project, [config_id])
        return found[0] if found else None

    async def some(self, project: Project, config_ids: Sequence[str]) -> list[SavedWebhook]:
        """Give those of some webhook configurations that the project has."""
        rows = await self._database.read(_FIND, (json.dumps(list(config_ids)), project.key))
        return [_saved(row) for row in rows]

    async def change(
        self, project: Project, config_id: str, webhook: WebhookConfiguration
    ) -> SavedWebhook | None:
        """Put another in its place; None: there is no such configuration."""
        values = (ticks(self._clock.now()), json.dumps(encode(webhook)), config_id, project.key)
        rows = await self._database.write((_CHANGE, values))
        return _saved(rows[0]) if rows else None

    async def delete(self, project: Project, config_id: str) -> bool:
        """Forget a webhook configuration; False: there is none."""
        sql = "DELETE FROM webhook_configurations WHERE id = ? AND project = ? RETURNING id"
        return bool(await self._database.write((sql, (config_id, project.key))))

    async def part(
        self, project: Project, *, after: Place | None, size: int
    ) -> tuple[list[SavedWebhook], Place | None]:
        """Give a part of a project's webhook configurations, newest first, and where the next one begins."""
        listing = Listing("webhook_configurations", NEWEST_FIRST, ["project = ?"], [project.key])
        part = await listing.part(self._database, after=after, size=size)
        return [_saved(row) for row in part.rows], part.last

    async def count(self, project: Project) -> int:
        """Count a project's webhook configurations."""
        sql = "SELECT count(*) FROM webhook_configurations WHERE project = ?"
        [[count]] = await self._database.read(sql, (project.key,))
        return int(count)


def _saved(row: Row) -> SavedWebhook:
    webhook = decode(WebhookConfiguration, json.loads(row["webhook"]), request="the stored webhook")
    return SavedWebhook(row["id"], webhook, moment(row["created"]), moment(row["updated"]))
