"""What sample documents taught: how much a document is like those of each type, and what a rule asks for.

A linear model, fitted by ridge regression on the samples that `tests.evaluation` keeps, over a document's
words, its style and, where there is an encoder, the meaning of its passages.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from importlib.resources import files

import numpy as np
from attrs import define

from .reading import Reading
from .style import style
from .tokens import stem
from .values import Floats, Vectors, closeness

MOST_WORDS = 1500
# How much of a document's vector are its style and its words; its meaning counts 1.
_STYLE = 0.5
_WORDS = 0.7
_MOST_DEVIATION = 3.0
# What a `Learned` is stored as, beside its types and its vocabulary.
ARRAYS = ("rarity", "centre", "spread", "weights", "asked", "usual", "typical")
# Many types are asked for in much the same words: without this, tiny differences would decide.
_SMOOTHING = 1.0
# The parts of a document's vector, each compared for itself.
PARTS = ("whole", "beginning", "style", "words")


@define(slots=False, eq=False)
class Learned:
    """What was learnt about every type.

    Attributes:
        keys: The types: those of the lexicon that were learnt, and some more.
        vocabulary: For every word stem the index of its column.
        rarity: What each stem is worth.
        centre: The mean of each number of a style.
        spread: Its standard deviation.
        weights: One row a number of a document's vector, one column a type.
        asked: How people ask for each type, as vectors; one row a type.
        usual: The mean of all documents' vectors.
        typical: How the mean document of each type differs from that; one row a type.
    """

    keys: tuple[str, ...]
    vocabulary: Mapping[str, int]
    rarity: Floats
    centre: Floats
    spread: Floats
    weights: Floats
    asked: Floats
    usual: Floats
    typical: Floats

    @classmethod
    def load(cls) -> Learned:
        """Read what comes with the package."""
        path = files("llamaclassify.server.engine") / "learned.npz"
        with path.open("rb") as file, np.load(file) as found:
            arrays = {name: found[name] for name in found.files}
        return cls(
            tuple(arrays["keys"].tolist()),
            {word: index for index, word in enumerate(arrays["vocabulary"].tolist())},
            *(arrays[name].astype(np.float64) for name in ARRAYS),
        )

    def likeness(self, document: Floats) -> dict[str, float]:
        """How much a document, given as its vector, is like those of each type: up to 1, about 0 for most."""
        return dict(zip(self.keys, (document @ self.weights).tolist(), strict=True))

    def telling(self, document: Floats, reading: Reading, key: str) -> list[str]:
        """The words that make a document like those of a type, the most telling first."""
        if key not in self.keys:
            return []
        first = len(document) - len(self.rarity)
        worth = document[first:] * self.weights[first:, self.keys.index(key)]
        words = {word: worth[column] for word, column in self._stems(reading).items()}
        return [word for word, value in sorted(words.items(), key=lambda entry: -entry[1]) if value > 0]

    def closeness(self, passages: Vectors | None) -> dict[str, float]:
        """How close in meaning passages are to what people ask for by each type; empty without an encoder."""
        if passages is None:
            return {}
        return dict(zip(self.keys, closeness(self.asked @ passages.T).tolist(), strict=True))

    def vector(self, reading: Reading, passages: Vectors | None) -> Floats:
        """A document as numbers: meaning, style, words."""
        deviation = (style(reading.pages) - self.centre) / self.spread
        deviation = np.clip(deviation, -_MOST_DEVIATION, _MOST_DEVIATION) / math.sqrt(len(deviation))
        return np.concatenate([self._meaning(passages), _STYLE * deviation, self._words(reading)])

    def _meaning(self, passages: Vectors | None) -> Floats:
        """The document as a whole, and how it begins."""
        if passages is None:
            return np.zeros(2 * self.asked.shape[1])
        whole = passages.mean(axis=0)
        both = [whole / np.linalg.norm(whole), passages[0]]
        return np.asarray(np.concatenate(both) / math.sqrt(2), dtype=np.float64)

    def _stems(self, reading: Reading) -> dict[str, int]:
        """The words of a document that were learnt about, one of each stem, with their columns."""
        found: dict[int, str] = {}
        for word in reading.words[:MOST_WORDS]:
            if (column := self.vocabulary.get(stem(word))) is not None:
                found.setdefault(column, word)
        return {word: column for column, word in found.items()}

    def _words(self, reading: Reading) -> Floats:
        counts = np.zeros(len(self.rarity))
        for word, count in Counter(map(stem, reading.words[:MOST_WORDS])).items():
            if (column := self.vocabulary.get(word)) is not None:
                counts[column] = 1 + math.log(count)
        counts *= self.rarity
        return np.asarray(_WORDS * counts / (np.linalg.norm(counts) or 1.0))

    def resemblance(self, document: Floats, expected: Floats) -> Floats:
        """How a document's vector resembles what is expected of one: one row an expectation, a column a part.

        Args:
            document: The vector.
            expected: One row an expectation: how the vector should differ from the usual.
        """
        difference = document - self.usual
        return np.stack([_cosines(expected[:, part], difference[part]) for part in self._parts], axis=1)

    @property
    def _parts(self) -> tuple[slice, ...]:
        """Where the `PARTS` lie in a document's vector."""
        whole, words = self.asked.shape[1], len(self.usual) - len(self.rarity)
        return slice(whole), slice(whole, 2 * whole), slice(2 * whole, words), slice(words, None)

    def composed(self, rules: Vectors) -> Floats:
        """What rules ask for, composed of the types: how much of each makes up their meaning."""
        return np.asarray((rules @ self.asked.T) @ self._inverse, dtype=np.float64)

    @cached_property
    def _inverse(self) -> Floats:
        similar = self.asked @ self.asked.T
        return np.asarray(np.linalg.inv(similar + _SMOOTHING * np.eye(len(similar))), dtype=np.float64)


def _cosines(rows: Floats, vector: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(vector)
    return np.asarray(rows @ vector / np.maximum(lengths, 1e-9), dtype=np.float64)
