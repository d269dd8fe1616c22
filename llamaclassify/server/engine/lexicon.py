"""What common types of documents are called, and the phrases that they carry.

The knowledge itself lies in ``lexicon/*.toml``. All phrases share one index, by their first word, so that a
document is scored for every type in one pass over its words.
"""

from __future__ import annotations

import math
import tomllib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from importlib.resources import files
from typing import Any

from attrs import field, frozen

from .rarity import rarity
from .reading import Reading
from .tokens import words

Phrase = tuple[str, ...]

_STRONG, _WEAK, _AGAINST, _NAME = 1.0, 0.5, -0.6, 0.35
_TITLE = 2.5
# A phrase counts less the later it stands: half after this many words.
_HALF_WAY = 3000
# So much evidence makes a score of one half.
_HALF_SURE = 2.0


@frozen
class DocumentType:
    """A type of document that the lexicon knows.

    Attributes:
        key: Its identifier.
        called: What it is called in English, as the lexicon writes it.
        telling: Its strong cues, as the lexicon writes them.
        names: What it is called, in several languages, as words.
        kind_of: The key of the more general type that it belongs to.
        cues: For every phrase what it is worth; below zero it speaks against the type.
    """

    key: str
    called: tuple[str, ...]
    telling: tuple[str, ...]
    names: frozenset[Phrase]
    kind_of: str | None
    cues: Mapping[Phrase, float]


@frozen
class Cue:
    """A phrase of a type found in a document.

    Attributes:
        phrase: As the lexicon writes it.
        weight: What it is worth there.
        place: The index of the word where it stands first.
    """

    phrase: str
    weight: float
    place: int


@frozen
class Evidence:
    """What a document shows of one type.

    Attributes:
        score: 0 to 1.
        cues: The phrases found, the most telling first.
        title: How much one of its names looks like the document's title.
    """

    score: float = 0.0
    cues: tuple[Cue, ...] = ()
    title: float = 0.0


@frozen
class Lexicon:
    """The types that are known, and an index of all their phrases.

    Attributes:
        types: By key.
        names: For every name the keys of the types that it may mean.
    """

    types: Mapping[str, DocumentType]
    names: Mapping[Phrase, tuple[str, ...]] = field(repr=False)
    _spelling: Mapping[Phrase, str] = field(repr=False)
    _index: Mapping[str, tuple[tuple[Phrase, tuple[tuple[str, float], ...]], ...]] = field(repr=False)

    @classmethod
    def load(cls) -> Lexicon:
        """Read the lexicon that comes with the package."""
        folder = files("llamaclassify.server.engine") / "lexicon"
        tables: dict[str, Any] = {}
        for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if file.name.endswith(".toml"):
                tables |= tomllib.loads(file.read_text(encoding="utf-8"))
        return cls.of(tables)

    @classmethod
    def of(cls, tables: Mapping[str, Mapping[str, Any]]) -> Lexicon:
        """Build a lexicon from its tables, one a type."""
        spelling: dict[Phrase, str] = {}
        types = {key: _document_type(key, table, spelling) for key, table in tables.items()}
        names: dict[Phrase, tuple[str, ...]] = {}
        for key, known in types.items():
            for name in sorted(known.names):
                names[name] = (*names.get(name, ()), key)
        return cls(types, names, spelling, _index(types.values()))

    def evidence(self, reading: Reading) -> dict[str, Evidence]:
        """Score a document for every type of which it shows anything."""
        found: dict[str, list[Cue]] = defaultdict(list)
        for phrase, place, owners in self._matches(reading.words):
            decay = 1 / (1 + place / _HALF_WAY)
            for key, weight in owners:
                found[key].append(Cue(self._spelling[phrase], weight * decay, place))
        titles = self._titles(reading)
        keys = sorted({*found, *titles})
        return {key: _evidence(found[key], titles.get(key, 0.0)) for key in keys}

    def cues_in(self, text: Collection[str]) -> dict[str, float]:
        """For every type the worth of its phrases in a short text, such as a description."""
        totals: dict[str, float] = defaultdict(float)
        for _phrase, _place, owners in self._matches(list(text)):
            for key, weight in owners:
                totals[key] += weight
        return totals

    def family(self, key: str) -> set[str]:
        """A type, its kinds and what it is a kind of."""
        parent = self.types[key].kind_of
        parents = {parent} if parent is not None and parent in self.types else set()
        return {key, *self.kinds(key), *parents}

    def kinds(self, key: str) -> list[str]:
        """The types that are kinds of this one."""
        return [other.key for other in self.types.values() if other.kind_of == key]

    def _matches(self, text: list[str]) -> Iterator[tuple[Phrase, int, tuple[tuple[str, float], ...]]]:
        seen: set[Phrase] = set()
        for place, word in enumerate(text):
            for phrase, owners in self._index.get(word, ()):
                if phrase not in seen and tuple(text[place : place + len(phrase)]) == phrase:
                    seen.add(phrase)
                    yield phrase, place, owners

    def _titles(self, reading: Reading) -> dict[str, float]:
        found: dict[str, float] = {}
        for name, keys in self.names.items():
            if reading.title_words.issuperset(name):
                weight = reading.title_weight(name)
                for key in keys:
                    found[key] = max(found.get(key, 0.0), weight)
        return {key: weight for key, weight in found.items() if weight}


def _evidence(cues: list[Cue], title: float) -> Evidence:
    worth = sum(cue.weight for cue in cues) + _TITLE * title
    score = max(0.0, worth) / (max(0.0, worth) + _HALF_SURE)
    ordered = sorted(cues, key=lambda cue: (-cue.weight, cue.place))
    return Evidence(score, tuple(ordered), title)


def _document_type(key: str, table: Mapping[str, Any], spelling: dict[Phrase, str]) -> DocumentType:
    translated = (name for names in table.get("translated", {}).values() for name in names)
    named = [key.replace("_", " "), *table["names"], *translated]
    names = frozenset(_phrases(named, spelling))
    cues = dict.fromkeys(names, _NAME)
    for part, worth in (("weak", _WEAK), ("strong", _STRONG), ("against", _AGAINST)):
        for phrase in _phrases(table.get(part, ()), spelling):
            cues[phrase] = worth * min(1.0, sum(map(rarity, phrase)))
    called, telling = tuple(table["names"]), tuple(table.get("strong", ()))
    return DocumentType(key, called, telling, names, table.get("kind_of"), cues)


def _phrases(texts: Iterable[str], spelling: dict[Phrase, str]) -> Iterator[Phrase]:
    for text in texts:
        if phrase := tuple(words(text)):
            spelling.setdefault(phrase, text)
            yield phrase


def _index(
    types: Iterable[DocumentType],
) -> dict[str, tuple[tuple[Phrase, tuple[tuple[str, float], ...]], ...]]:
    owners: dict[Phrase, list[tuple[str, float]]] = defaultdict(list)
    for known in types:
        for phrase, worth in known.cues.items():
            owners[phrase].append((known.key, worth))
    index: dict[str, list[tuple[Phrase, tuple[tuple[str, float], ...]]]] = defaultdict(list)
    for phrase, claims in owners.items():
        # A phrase that several types claim tells less about each of them.
        share = math.sqrt(sum(worth > 0 for _, worth in claims) or 1)
        worths = tuple((key, worth / share if worth > 0 else worth) for key, worth in claims)
        index[phrase[0]].append((phrase, worths))
    return {word: tuple(entries) for word, entries in index.items()}
