"""The labelled documents: ``<type>/rule.toml`` beside a few documents, and ``_foreign/``."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

from attrs import evolve, frozen

from llamaclassify.models import Rule
from llamaclassify.server.text import DocumentError, Page, read_pages

FOREIGN = "_foreign"
DOCUMENTS = Path(__file__).parent / "documents"
LANGUAGES = Path(__file__).parent / "languages"
SAMPLES = Path(__file__).parent / "samples"
_BETWEEN_SAMPLES = re.compile(r"^%%\n", re.MULTILINE)


@frozen
class Wording:
    """How people may ask for one type.

    Attributes:
        labels: What they call it.
        full: Descriptions that say a lot.
        terse: Descriptions that say little.
        includes: The types that are kinds of this one.
    """

    labels: tuple[str, ...]
    full: tuple[str, ...]
    terse: tuple[str, ...]
    includes: tuple[str, ...]

    def rule(self, dice: random.Random) -> Rule:
        """One rule, as one person would write it."""
        label = self.labels[0] if dice.random() < 0.6 else dice.choice(self.labels)
        return Rule(_spelt(label, dice), dice.choice(dice.choice((self.full, self.terse))))


@frozen
class Example:
    """A document and what it is; None for a document of no type."""

    kind: str | None
    name: str
    pages: tuple[Page, ...]


@frozen
class Corpus:
    """Documents, and how their types are asked for.

    Attributes:
        wordings: How each type is asked for.
        examples: The documents.
        lookalikes: For a type those whose documents have much in common with its own.
        overlapping: For a type those that some of its documents are as well.
    """

    wordings: dict[str, Wording]
    examples: tuple[Example, ...]
    lookalikes: dict[str, frozenset[str]]
    overlapping: dict[str, frozenset[str]]

    @classmethod
    def read(cls, folder: Path) -> Corpus:
        """Read a folder of types, or one whose rules lie in a single ``rules.toml``."""
        wordings = {
            path.parent.name: _wording(tomllib.loads(path.read_text()))
            for path in sorted(folder.glob("*/rule.toml"))
        }
        if (folder / "rules.toml").exists():
            tables = tomllib.loads((folder / "rules.toml").read_text())
            wordings |= {
                kind: _wording({"type": kind, **table})
                for kind, table in tables.items()
                if isinstance(table, dict)
            }
        kinds = [*sorted(wordings), FOREIGN]
        examples = [found for kind in kinds for found in _examples(folder / kind)]
        path = folder / "lookalikes.toml"
        table = tomllib.loads(path.read_text()) if path.exists() else {"groups": [], "overlapping": []}
        return cls(wordings, tuple(examples), _groups(table["groups"]), _groups(table["overlapping"]))

    @classmethod
    def read_samples(cls) -> Corpus:
        """Read what the engine is taught with; the types are named as the engine names them."""
        paths = sorted(SAMPLES.glob("*.txt"))
        examples = [
            Example(path.stem, f"samples/{path.stem}/{number}", (Page(1, text.strip("\n")),))
            for path in paths
            for number, text in enumerate(_BETWEEN_SAMPLES.split(path.read_text()))
        ]
        table = tomllib.loads((SAMPLES / "overlapping.toml").read_text())
        pairs = ((one, other) for one, others in table["with_each"].items() for other in others)
        overlapping = _groups([*table["overlapping"], *pairs])
        return cls({path.stem: _sample_wording(path) for path in paths}, tuple(examples), {}, overlapping)

    def of_kind(self, kind: str | None) -> list[Example]:
        """The documents of a type and of its kinds; with None, those of no type."""
        kinds = {kind, *(self.wordings[kind].includes if kind else ())}
        return [example for example in self.examples if example.kind in kinds]

    def in_other_languages(self) -> Corpus:
        """The same types with documents in German, French, Spanish, Italian, Portuguese and Dutch."""
        return evolve(self, examples=tuple(x for kind in self.wordings for x in _examples(LANGUAGES / kind)))

    def only(self, kinds: set[str]) -> Corpus:
        """The part that is about some types, with all documents of no type."""
        wordings = {kind: self.wordings[kind] for kind in sorted(kinds)}
        examples = tuple(x for x in self.examples if x.kind is None or x.kind in kinds)
        return evolve(self, wordings=wordings, examples=examples)


def _groups(groups: Iterable[Sequence[str]]) -> dict[str, frozenset[str]]:
    """For each of the types those that share a group with it."""
    found: dict[str, set[str]] = {}
    for group in groups:
        for kind in group:
            found.setdefault(kind, set()).update(other for other in group if other != kind)
    return {kind: frozenset(others) for kind, others in found.items()}


def _wording(table: dict[str, object]) -> Wording:
    def texts(key: str) -> tuple[str, ...]:
        value = table.get(key) or ()
        return (value,) if isinstance(value, str) else tuple(value)  # type: ignore[arg-type]

    return Wording((*texts("type"), *texts("other_types")), texts("full"), texts("terse"), texts("includes"))


def _sample_wording(path: Path) -> Wording:
    table = tomllib.loads(path.with_suffix(".toml").read_text())
    descriptions = sorted(table["descriptions"], key=len)
    half = len(descriptions) // 2
    return Wording(tuple(table["labels"]), tuple(descriptions[half:]), tuple(descriptions[:half]), ())


def _examples(folder: Path) -> list[Example]:
    kind = None if folder.name == FOREIGN else folder.name
    found = []
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        if path.suffix == ".toml":
            continue
        try:
            found.append(
                Example(kind, f"{folder.name}/{path.name}", tuple(read_pages(path, path.name, None)))
            )
        except DocumentError as error:
            print(f"{path}: {error}")
    return found


def _spelt(label: str, dice: random.Random) -> str:
    """A label as code, as a name or as a phrase."""
    words = "".join(char if char.isalnum() else " " for char in label).split()
    style = dice.choice(("_", "-", " ", " ", "camel"))
    if style == "camel":
        return "".join(word.capitalize() for word in words)[:50]
    text = style.join(words)
    return (text.lower() if style != " " else text)[:50].strip(" -_")
