"""Rows of a dataset: what of each is to be classified, and the columns that say what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Literal, get_args
from urllib.parse import unquote, urlsplit

import pyarrow as pa
from anyio.to_thread import run_sync
from attrs import field, frozen
from pyarrow import fs

from ..errors import ConfigurationError, LlamaClassifyError
from ..outcomes import Document, Outcome

Kind = Literal["bytes", "path", "uri", "id"]
"""What a column holds: documents themselves, their paths, where they are, or ids of files on the server."""
_KINDS: tuple[Kind, ...] = get_args(Kind)
_NAMES = ("name", "path", "uri")
"""Columns that documents given as bytes have their names from."""
_NAMELESS = "document"

SCHEMA = pa.schema(
    {
        "type": pa.string(),
        "confidence": pa.float64(),
        "reasoning": pa.string(),
        "status": pa.string(),
        "job_id": pa.string(),
        "transaction_id": pa.string(),
        "error": pa.string(),
    }
)
"""The columns of an outcome."""


@frozen
class Rows:
    """Where a row has its document, and what its outcome's columns are called.

    Attributes:
        column: The document's column; None for the first of ``bytes``, ``path``, ``uri`` and ``id`` there is.
        kind: What it holds; None if it is called so.
        prefix: What the outcome's columns begin with.
    """

    column: str | None = None
    kind: Kind | None = None
    prefix: str = field(default="")

    def __attrs_post_init__(self) -> None:
        if self.kind is not None and self.kind not in _KINDS:
            raise ConfigurationError(f"kind: must be one of {', '.join(_KINDS)}, got {self.kind!r}")
        if self.column is not None and self.kind is None and self.column not in _KINDS:
            message = f"kind: give what the column {self.column!r} holds, one of {', '.join(_KINDS)}"
            raise ConfigurationError(message)

    async def documents(self, table: pa.Table) -> list[Document | Exception]:
        """Give each row's document, or why there is none.

        Raises:
            ConfigurationError: There is no such column, or there are already columns of an outcome's names.
        """
        column = self._column(table.column_names)
        kind = self.kind or column
        values = table[column].to_pylist()
        if kind == "uri":
            return list(await asyncio.gather(*(run_sync(_fetched, value) for value in values)))
        if kind == "bytes":
            names = next((table[name].to_pylist() for name in _NAMES if name in table.column_names), None)
            return [_named(value, names and names[number]) for number, value in enumerate(values)]
        of_kind = Path if kind == "path" else str
        return [of_kind(value) if isinstance(value, str) else _missing(value) for value in values]

    def outcomes(self, table: pa.Table, outcomes: Sequence[Outcome | Exception]) -> pa.Table:
        """Give the rows with the columns of their outcomes."""
        columns = pa.Table.from_pylist([_row(outcome) for outcome in outcomes], SCHEMA)
        for name in SCHEMA.names:
            table = table.append_column(self.prefix + name, columns[name])
        return table

    def _column(self, names: Sequence[str]) -> str:
        taken = [self.prefix + name for name in SCHEMA.names if self.prefix + name in names]
        if taken:
            message = f"prefix: the rows have {', '.join(taken)} already; give another, such as 'class_'"
            raise ConfigurationError(message)
        column = self.column or next((kind for kind in _KINDS if kind in names), None)
        if column not in names:
            wanted = "one of " + ", ".join(_KINDS) if column is None else repr(column)
            raise ConfigurationError(f"column: the rows have no {wanted}; they have {', '.join(names)}")
        return str(column)


def _named(content: Any, name: Any) -> Document | Exception:
    if not isinstance(content, bytes):
        return _missing(content)
    return (PurePosixPath(name).name if isinstance(name, str) else "") or _NAMELESS, content


def _missing(value: Any) -> ConfigurationError:
    return ConfigurationError(f"document: the row has none, but {value!r:.80}")


def _fetched(uri: Any) -> Document | Exception:
    """Read what is at a URI; what goes wrong is the row's, whatever the file system raises."""
    if not isinstance(uri, str):
        return _missing(uri)
    try:
        system, path = fs.FileSystem.from_uri(uri)
        with system.open_input_stream(path) as stream:
            return PurePosixPath(unquote(urlsplit(uri).path)).name or _NAMELESS, stream.read()
    except Exception as error:
        return ConfigurationError(f"document: {uri}: {error}")


def _row(outcome: Outcome | Exception) -> dict[str, Any]:
    if isinstance(outcome, Exception):
        return {"error": _text(outcome)}
    job, error = outcome.job, outcome.error
    result = outcome.result
    return {
        "type": result and result.type,
        "confidence": result and result.confidence,
        "reasoning": result and result.reasoning,
        "status": job and str(job.status),
        "job_id": job.id if job is not None else getattr(error, "job_id", None),
        "transaction_id": job and job.transaction_id,
        "error": error and _text(error),
    }


def _text(error: Exception) -> str:
    return str(error) if isinstance(error, LlamaClassifyError) else f"{type(error).__name__}: {error}"
