"""Labels: a CSV file of documents and the types they should get."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import ClassVar

import click
from attrs import frozen

from ..models import Configuration
from ..outcomes import Document
from .documents import document_of
from .exits import Exit


class LabelsError(click.ClickException):
    """Labels that cannot be used; the text names the file and the line."""

    exit_code: ClassVar[int] = Exit.USAGE


@frozen
class Label:
    """A document and the type it should get.

    Attributes:
        name: The document as the file names it.
        document: What is classified.
        type: The type; None where no rule should fit.
        line: Where it stands in the file.
    """

    name: str
    document: Document
    type: str | None
    line: int


def read_labels(path: Path, folder: Path | None) -> list[Label]:
    """Read the columns ``document`` and ``type``; an empty type says that no rule should fit.

    Files are named relative to `folder`, or to the folder of the labels.

    Raises:
        LabelsError: It cannot be read, or lacks a column.
    """
    beside = path.parent if folder is None else folder
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            missing = {"document", "type"} - set(rows.fieldnames or ())
            if missing:
                raise LabelsError(
                    f"{path}: there is no column {' or '.join(sorted(missing))} in its first line"
                )
            labels = [
                Label(name, _document(name, beside), (row["type"] or "").strip() or None, rows.line_num)
                for row in rows
                if (name := (row["document"] or "").strip())
            ]
    except OSError as error:
        raise LabelsError(f"{path}: {error.strerror or error}") from None
    except (ValueError, csv.Error) as error:
        raise LabelsError(f"{path}: is no CSV file in UTF-8: {error}") from None
    if not labels:
        raise LabelsError(f"{path}: there is no document in it")
    _refuse_repeated(path, labels)
    return labels


def check_labels(path: Path, labels: list[Label], rules_file: Path, configuration: Configuration) -> None:
    """See that the rules can give every label.

    Raises:
        LabelsError: A label is no type of theirs, so that it could only be wrong.
    """
    types = {rule.type for rule in configuration.rules}
    for label in labels:
        if label.type is not None and label.type not in types:
            raise LabelsError(
                f"{path}, line {label.line}: the type {label.type!r} is in no rule of {rules_file};"
                f" its types are {', '.join(sorted(types))}"
            )


def _refuse_repeated(path: Path, labels: list[Label]) -> None:
    lines: dict[str, int] = {}
    for label in labels:
        first = lines.setdefault(str(label.document), label.line)
        if first != label.line:
            raise LabelsError(f"{path}, line {label.line}: {label.name} has its label in line {first}")


def _document(text: str, beside: Path) -> Document:
    document = document_of(text)
    return document if isinstance(document, str) else document_of(str(beside / text))
