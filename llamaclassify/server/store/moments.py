"""Moments as the database keeps them: whole microseconds, which sort and compare exactly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_START = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def moment(ticks: int) -> datetime:
    """Give the moment so many microseconds after 1970."""
    return _START + ticks * _TICK


def ticks(moment: datetime) -> int:
    """Count the microseconds since 1970."""
    return (moment - _START) // _TICK
