"""Moments as the database keeps them: whole microseconds, which sort and compare exactly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_START = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def ticks(moment: datetime) -> int:
    """Count the microseconds since 1970."""
    return (moment - _START) // _TICK
