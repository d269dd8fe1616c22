"""How the endpoint commands print what the API answers: JSON, JSON lines, YAML or a table."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..errors import PaginationError
from ..wire.converter import encode
from ..wire.pagination import Page
from . import terminal
from .terminal import table_of

if TYPE_CHECKING:
    from rich.table import Table

_ANY_PAGE = 100
"""The largest page that every listing takes."""
_COLUMNS = {
    "id": "id",
    "name": "name",
    "status": "status",
    "file_id": "file",
    "result.type": "type",
    "result.confidence": "conf.",
    "product_type": "product",
    "file_type": "kind",
    "purpose": "purpose",
    "external_file_id": "external id",
    "created_at": "created",
    "last_modified_at": "modified",
}
"""A table's columns, of those that its items have, and what stands above them."""
_FOLDED = {"name", "external_file_id", "result.type", "created_at", "last_modified_at"}
_DATE_WIDTH = 10

Ask = Callable[[int | None, str | None], Awaitable[Page[Any]]]
"""Asks for the page of a size and a token."""


def show(answer: Any, form: str) -> None:
    """Print one object, or one page of them, as the wire has it."""
    data = encode(answer)
    items = data.get("items", [data])
    if form == "json":
        _print(json.dumps(data, ensure_ascii=False, indent=2))
    elif form == "yaml":
        import yaml

        _print(yaml.safe_dump(data, sort_keys=False, allow_unicode=True).rstrip("\n"))
    elif form == "jsonl":
        _show_lines(items)
    elif items:
        terminal.show(_table(items))
    else:
        click.echo("nothing found", err=True)


async def show_listing(pages: AsyncIterator[Page[Any]], form: str) -> None:
    """Print a listing: lines as they come, in the other formats one object with all items."""
    items: list[Any] = []
    token = total = None
    async for page in pages:
        if form == "jsonl":
            _show_lines(encode(page)["items"])
        else:
            items.extend(page.items)
        token = page.next_page_token or None
        total = page.total_size if total is None else total
    if form != "jsonl":
        show({"items": encode(items), "next_page_token": token, "total_size": total}, form)


async def pages_of(
    ask: Ask, *, size: int | None, token: str | None, most: int | None
) -> AsyncIterator[Page[Any]]:
    """Give the pages of a listing until `most` items; the last one's token goes on exactly there.

    Raises:
        PaginationError: The server gave the same page token twice.
    """
    seen = {token}
    left = most
    while True:
        # No more is asked for than is wanted: a token leads to the end of its page, not into one.
        page = await ask(size if left is None else min(size or _ANY_PAGE, left), token)
        if left is not None:
            page = Page(
                items=page.items[:left],
                next_page_token=page.next_page_token,
                total_size=page.total_size,
            )
            left -= len(page.items)
        yield page
        token = page.next_page_token
        if not token or left == 0:
            return
        if token in seen:
            raise PaginationError(f"the page token {token!r} came twice")
        seen.add(token)


def _show_lines(items: Sequence[Any]) -> None:
    for item in items:
        _print(json.dumps(item, ensure_ascii=False))


def _print(text: str) -> None:
    # What the terminal cannot show must not end the command.
    click.echo(text.encode(sys.stdout.encoding or "utf-8", "backslashreplace"))


def _table(items: Sequence[dict[str, Any]]) -> Table:
    from rich.text import Text

    columns = [column for column in _COLUMNS if any(_cell(item, column) for item in items)]
    table = table_of(*map(_COLUMNS.__getitem__, columns))
    for shown, column in zip(table.columns, columns, strict=True):
        shown.no_wrap = column not in _FOLDED  # an id is there to be copied
        shown.min_width = _DATE_WIDTH if column.endswith("_at") else None
    for item in items:
        table.add_row(*(Text(_cell(item, column)) for column in columns))
    return table


def _cell(item: dict[str, Any], column: str) -> str:
    outer, _, inner = column.partition(".")
    value = item.get(outer)
    if inner and value is not None:
        value = value[inner]
        if inner == "type" and value is None:
            return "(no rule fits)"
    if outer.endswith("_at") and isinstance(value, str):
        # To the second, and in two parts: a narrow terminal shows them one below the other.
        return re.sub(r"(\d)T(\d\d:\d\d:\d\d)(\.\d+)?", r"\1 \2", value)
    return f"{value:.2f}" if isinstance(value, float) else "" if value is None else str(value)
