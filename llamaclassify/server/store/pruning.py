"""Removes what is older than its owner wants to keep: ended jobs, and files that no unfinished job needs."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..clock import Clock
from .database import Database, Row
from .documents import Documents
from .moments import ticks

_SOME = 500
"""Rows removed in one go: nobody waits for long meanwhile."""
_LONGEST_PAUSE = 3600.0
_OLD_JOBS = "DELETE FROM {0} WHERE number IN (SELECT number FROM {0} WHERE ended < ? LIMIT ?) RETURNING id"
_OLD_FILES = """
DELETE FROM files WHERE number IN (
    SELECT number FROM files WHERE created < ?
    AND NOT EXISTS (SELECT 1 FROM jobs WHERE file_id = files.id AND ended IS NULL)
    AND NOT EXISTS (SELECT 1 FROM classifier_files WHERE file_id = files.id AND item IS NULL)
    LIMIT ?
) RETURNING document
"""


class Pruner:
    """Removes what is too old, again and again."""

    def __init__(self, database: Database, documents: Documents, clock: Clock, keep: timedelta) -> None:
        self._database = database
        self._documents = documents
        self._clock = clock
        self._keep = keep

    async def run(self) -> None:
        """Prune now and then, for ever."""
        while True:
            await self._clock.sleep(min(self._keep.total_seconds() / 10, _LONGEST_PAUSE))
            await self.prune()

    async def prune(self) -> None:
        """Remove what is too old by now."""
        before = self._clock.now() - self._keep
        for table in ("jobs", "classifier_jobs"):
            await self._remove(_OLD_JOBS.format(table), before)
        gone = await self._remove(_OLD_FILES, before)
        await self._documents.remove(row["document"] for row in gone)

    async def _remove(self, sql: str, before: datetime) -> list[Row]:
        removed: list[Row] = []
        while rows := await self._database.write((sql, (ticks(before), _SOME))):
            removed += rows
        return removed
