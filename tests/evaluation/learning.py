"""What the engine learns from ``samples``: documents of every known type, none of them reported on.

``<type>.txt`` holds a few documents, ``<type>.toml`` how people might ask for them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection
from functools import cached_property
from itertools import cycle
from pathlib import Path

import numpy as np
import numpy.typing as npt
from attrs import define, evolve, frozen

import llamaclassify.server.engine as package
from llamaclassify.server.engine.chunks import chosen_chunks
from llamaclassify.server.engine.encoder import Encoder
from llamaclassify.server.engine.learned import ARRAYS, MOST_WORDS, Learned
from llamaclassify.server.engine.reading import Reading
from llamaclassify.server.engine.style import style
from llamaclassify.server.engine.tokens import label_words, stem
from llamaclassify.server.engine.values import Floats

from .corpus import Corpus, Wording

_FILE = Path(package.__file__).parent / "learned.npz"
_RIDGE = 0.8
# A word of fewer documents is an accident.
_FEWEST = 4
_VOCABULARY = 4000
_LOOKALIKES = 8
_NOTHING_YET = {name: np.zeros(0) for name in ("weights", "usual", "typical")}


@frozen(slots=False, eq=False)
class Samples:
    """Documents of many types, and how people ask for those.

    Attributes:
        corpus: The documents.
        vectors: One row a document.
        all: What all of them teach.
    """

    corpus: Corpus
    vectors: Floats
    all: Learned

    @classmethod
    def read(cls, encoder: Encoder) -> Samples:
        """Read and encode all samples."""
        corpus = Corpus.read_samples()
        readings = [Reading.of(example.pages) for example in corpus.examples]
        # In order, so that words that are equally frequent are the same ones each time.
        counts = Counter(word for reading in readings for word in sorted(_stems(reading)))
        vocabulary = [word for word, count in counts.most_common(_VOCABULARY) if count >= _FEWEST]
        styles = np.stack([style(reading.pages) for reading in readings])
        learned = Learned(
            tuple(corpus.wordings),
            {word: index for index, word in enumerate(vocabulary)},
            np.array([math.log(len(readings) / counts[word]) + 0.3 for word in vocabulary]),
            styles.mean(axis=0),
            styles.std(axis=0) + 1e-6,
            asked=np.stack([_asked(wording, encoder) for wording in corpus.wordings.values()]),
            **_NOTHING_YET,
        )
        passages = [
            encoder.encode([chunk.text for chunk in chosen_chunks(example.pages)])
            for example in corpus.examples
        ]
        vectors = np.stack(list(map(learned.vector, readings, passages)))
        return cls.of(_with_lookalikes(corpus, learned.asked), vectors, learned)

    @classmethod
    def of(cls, corpus: Corpus, vectors: Floats, learned: Learned) -> Samples:
        """Fit the weights of what was learnt to the documents' vectors."""
        samples = cls(corpus, vectors, learned)
        golds = samples.golds
        # Ridge regression with more numbers a document than documents: solved by the documents' products.
        learned.weights = vectors.T @ (_inverse(vectors) @ (golds - golds.mean(axis=0)))
        learned.usual = vectors.mean(axis=0)
        learned.typical = samples.sums / golds.sum(axis=0)[:, None] - learned.usual
        return samples

    @cached_property
    def golds(self) -> Floats:
        """1 for the type of each document: one row a document, one column a type."""
        kinds = np.array([example.kind for example in self.corpus.examples])
        return np.asarray(kinds[:, None] == np.array(self.all.keys), dtype=np.float64)

    @cached_property
    def sums(self) -> Floats:
        """Those of the vectors of each type's documents."""
        return np.asarray(self.golds.T @ self.vectors, dtype=np.float64)

    @cached_property
    def inverse(self) -> Floats:
        """That of the documents' products."""
        return _inverse(self.vectors)

    def without(self, keys: Collection[str], document: str = "") -> Learned:
        """What they teach without some documents, as if those had never been seen.

        Args:
            keys: The types whose documents are left out.
            document: The name of one that is left out as well.
        """
        kinds_left = [key not in keys for key in self.all.keys]
        named = np.array([example.name == document for example in self.corpus.examples])
        kept = (self.golds[:, kinds_left].sum(axis=1) > 0) & ~named
        counts = self.golds[kept].sum(axis=0)
        left = counts > 0
        usual = (self.sums.sum(axis=0) - self.vectors[~kept].sum(axis=0)) / kept.sum()
        less = self.golds[named].T @ self.vectors[named]
        return _Less(
            tuple(key for key, is_left in zip(self.all.keys, left, strict=True) if is_left),
            self.all.vocabulary,
            self.all.rarity,
            self.all.centre,
            self.all.spread,
            self.all.weights[:, left],
            self.all.asked[left],
            usual,
            (self.sums - less)[left] / counts[left, np.newaxis] - usual,
            self,
            kept,
        )


@define(slots=False, eq=False)
class _Less(Learned):
    """What was learnt without some of the documents.

    To fit the weights anew for each task would take seconds. The inverse without some rows follows from the
    inverse with them.
    """

    samples: Samples
    kept: npt.NDArray[np.bool_]

    def likeness(self, document: Floats) -> dict[str, float]:
        """As the weights would say that are fitted to the documents kept."""
        inverse, kept = self.samples.inverse, self.kept
        shares = np.where(kept, self.samples.vectors @ document, 0.0) @ inverse
        if not kept.all():
            left = inverse[~kept]
            shares -= np.linalg.solve(left[:, ~kept], shares[~kept]) @ left
        golds = self.samples.golds[kept][:, [key in self.keys for key in self.samples.all.keys]]
        return dict(zip(self.keys, (shares[kept] @ (golds - golds.mean(axis=0))).tolist(), strict=True))


def _inverse(vectors: Floats) -> Floats:
    return np.asarray(np.linalg.inv(vectors @ vectors.T + _RIDGE * np.eye(len(vectors))), dtype=np.float64)


def _stems(reading: Reading) -> set[str]:
    return {stem(word) for word in reading.words[:MOST_WORDS] if not word.isdigit()}


def _asked(wording: Wording, encoder: Encoder) -> Floats:
    """The mean of several ways to ask for a type."""
    texts = [
        f"{' '.join(label_words(label))}: {description}"
        for label, description in zip(cycle(wording.labels), (*wording.terse, *wording.full))
    ]
    mean = encoder.encode(texts).mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean), dtype=np.float64)


def _with_lookalikes(corpus: Corpus, asked: Floats) -> Corpus:
    """With those that are asked for in the most similar words, as far as no document may be both."""
    kinds = list(corpus.wordings)
    nearest = np.argsort(-(asked @ asked.T), axis=1)
    lookalikes = {
        kind: frozenset(
            [
                kinds[other]
                for other in order
                if kinds[other] not in {kind, *corpus.overlapping.get(kind, ())}
            ][:_LOOKALIKES]
        )
        for kind, order in zip(kinds, nearest, strict=True)
    }
    return evolve(corpus, lookalikes=lookalikes)


def write_learned(learned: Learned) -> None:
    """Keep what was learnt with the package; half precision loses nothing that matters."""
    vocabulary = np.array(list(learned.vocabulary))
    halves = {name: getattr(learned, name).astype(np.float16) for name in ARRAYS}
    np.savez_compressed(_FILE, keys=np.array(learned.keys), vocabulary=vocabulary, **halves)
