"""Fixed rules and labelled files: ``python -m tests.evaluation.as_files FOLDER``.

The same each time. Printed is what the engine makes of them when it is asked directly; the command line
should say the same of them::

    llamaclassify evaluate --local --labels FOLDER/labels.csv --rules FOLDER/rules.yaml
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from attrs import evolve, frozen

from llamaclassify.models import Rule
from llamaclassify.server.engine.engine import Engine
from llamaclassify.server.engine.lexicon import Lexicon
from llamaclassify.server.text import read_pages

from .corpus import DOCUMENTS, Corpus, Example
from .everyday import everyday
from .layouts import file_of
from .tasks import Sampler
from .training import SEED

RULES = 14


@frozen
class Labelled:
    """Rules, and files with the type that each should get; None where no rule should fit."""

    rules: tuple[Rule, ...]
    files: tuple[tuple[Path, str | None], ...]


def main() -> None:
    """Write the files, and print what the engine makes of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="to be made")
    folder = parser.parse_args().folder
    labelled = written(Corpus.read(DOCUMENTS), Lexicon.load(), folder)
    print(f"{right_ones(labelled, Engine.load())} of {len(labelled.files)} right")


def written(corpus: Corpus, lexicon: Lexicon, folder: Path, *, most: int | None = None) -> Labelled:
    """Write a ``rules.yaml``, a ``labels.csv`` and the documents; at most that many documents of a type."""
    for name in ("plain", "laid-out"):
        (folder / name).mkdir(parents=True)
    corpus = evolve(corpus, examples=(*corpus.examples, *everyday()))
    task = next(Sampler(corpus, lexicon, SEED, size=RULES, fitting=1.0).tasks(1, "known"))
    wanted = {**dict(zip(task.kinds, (rule.type for rule in task.rules), strict=True)), None: None}
    labelled = [
        (path, label)
        for kind, label in wanted.items()
        for example in corpus.of_kind(kind)[:most]
        for path in _files(example, folder)
    ]
    # JSON is YAML, and needs no library to write.
    rules = [{"type": rule.type, "description": rule.description} for rule in task.rules]
    (folder / "rules.yaml").write_text(json.dumps({"rules": rules}, indent=2))
    with (folder / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["document", "type"])
        table.writerows([path.relative_to(folder), label or ""] for path, label in labelled)
    return Labelled(task.rules, tuple(labelled))


def right_ones(labelled: Labelled, engine: Engine) -> int:
    """How many files the engine gives the right type, asked without a server."""
    given = (
        (engine.classify(read_pages(path, path.name, None), labelled.rules).type, kind)
        for path, kind in labelled.files
    )
    return sum(found == kind for found, kind in given)


def _files(example: Example, folder: Path) -> Iterator[Path]:
    """The document as it is, and laid out."""
    plain = folder / "plain" / example.name.replace("/", "-")
    if (DOCUMENTS / example.name).exists():
        shutil.copy(DOCUMENTS / example.name, plain)
    else:
        plain = plain.with_suffix(".txt")
        plain.write_text("\f".join(page.text for page in example.pages))
    yield plain
    yield file_of(example, folder / "laid-out")


if __name__ == "__main__":
    main()
