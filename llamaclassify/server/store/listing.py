"""Parts of a listing, found by index: what a part costs does not depend on how much is stored."""

from __future__ import annotations

from typing import Any

from attrs import define, frozen

from .database import Database, Row

Place = tuple[int | str, ...]
"""Where an item stands in its listing."""


@frozen
class Order:
    """How a listing is sorted: by columns that tell any two items apart, each of a kind."""

    columns: tuple[str, ...]
    kinds: tuple[type, ...]
    descending: bool = False

    def has(self, place: Place) -> bool:
        """Whether a place is one of this order."""
        # A bool would pass for a number.
        return tuple(type(part) for part in place) == self.kinds


@frozen
class Part:
    """Some rows of a listing, and the place after which it goes on, if it does."""

    rows: list[Row]
    last: Place | None


@define
class Listing:
    """The rows of a table that pass every condition."""

    table: str
    order: Order
    conditions: list[str]
    values: list[Any]

    def only(self, condition: str, value: Any) -> None:
        """Narrow it down; the condition holds one question mark."""
        self.conditions.append(condition)
        self.values.append(value)

    async def part(self, database: Database, *, after: Place | None, size: int) -> Part:
        """Give as many rows as fit, after a place or from the start."""
        conditions, values = list(self.conditions), list(self.values)
        columns = self.order.columns
        if after is not None:
            marks = ", ".join("?" * len(columns))
            conditions.append(f"({', '.join(columns)}) {'<' if self.order.descending else '>'} ({marks})")
            values += after
        by = ", ".join(f"{column} DESC" if self.order.descending else column for column in columns)
        # Only texts of ours become SQL; what a client sent is a value.
        sql = f"SELECT * FROM {self.table} WHERE {' AND '.join(conditions)} ORDER BY {by} LIMIT ?"  # noqa: S608
        rows = await database.read(sql, [*values, size + 1])
        last = tuple(rows[size - 1][column] for column in columns) if len(rows) > size else None
        return Part(rows[:size], last)
