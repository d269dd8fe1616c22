"""What the engine learns from ``samples``: documents of every known type, none of which is ever asked about.

``<type>.txt`` holds a few documents, ``<type>.toml`` how people might ask for them.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections import Counter
from collections.abc import Collection, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from attrs import define, frozen

import llamaclassify.server.engine as package
from llamaclassify.server.engine.chunks import chosen_chunks
from llamaclassify.server.engine.encoder import Encoder
from llamaclassify.server.engine.learned import MOST_WORDS, Learned
from llamaclassify.server.engine.reading import Reading
from llamaclassify.server.engine.style import style
from llamaclassify.server.engine.tokens import label_words, stem
from llamaclassify.server.engine.values import Floats, Vectors
from llamaclassify.server.text import Page

_FILE = Path(package.__file__).parent / "learned.npz"
SAMPLES = Path(__file__).parent / "samples"
_BETWEEN = re.compile(r"^%%\n", re.MULTILINE)
_RIDGE = 0.3
# A word of fewer documents is an accident.
_FEWEST = 4
_VOCABULARY = 3000


@frozen(eq=False)
class Sample:
    """A document, and the vectors of its passages."""

    kind: str
    reading: Reading
    passages: Vectors


@frozen(slots=False, eq=False)
class Samples:
    """Documents of many types, and how people ask for those.

    Attributes:
        kinds: The type of each document.
        vectors: One row a document.
        all: What all of them teach.
    """

    kinds: tuple[str, ...]
    vectors: Floats
    all: Learned

    @classmethod
    def read(cls, encoder: Encoder) -> Samples:
        """Read and encode all samples."""
        documents = [
            _sample(path.stem, text, encoder)
            for path in sorted(SAMPLES.glob("*.txt"))
            for text in _BETWEEN.split(path.read_text(encoding="utf-8"))
        ]
        keys = tuple(dict.fromkeys(sample.kind for sample in documents))
        # In order, so that words that are equally frequent are the same ones each time.
        counts = Counter(word for sample in documents for word in sorted(_stems(sample.reading)))
        vocabulary = [word for word, count in counts.most_common(_VOCABULARY) if count >= _FEWEST]
        styles = np.stack([style(sample.reading.pages) for sample in documents])
        learned = Learned(
            keys,
            {word: index for index, word in enumerate(vocabulary)},
            np.array([math.log(len(documents) / counts[word]) + 0.3 for word in vocabulary]),
            styles.mean(axis=0),
            styles.std(axis=0) + 1e-6,
            np.zeros(0),
            np.stack([_asked(key, encoder) for key in keys]).astype(np.float64),
        )
        vectors = np.stack([learned.vector(sample.reading, sample.passages) for sample in documents])
        return cls.of(tuple(sample.kind for sample in documents), vectors, learned)

    @classmethod
    def of(cls, kinds: tuple[str, ...], vectors: Floats, learned: Learned) -> Samples:
        """Fit the weights of what was learnt to the documents' vectors."""
        golds = np.eye(len(learned.keys))[[learned.keys.index(kind) for kind in kinds]]
        # Ridge regression with more numbers a document than documents: solved by the documents' products.
        learned.weights = vectors.T @ (_inverse(vectors) @ (golds - golds.mean(axis=0)))
        return cls(kinds, vectors, learned)

    def without(self, keys: Collection[str]) -> Learned:
        """What they teach without the documents of some types, as if those had never been seen."""
        kept = np.array([kind not in keys for kind in self.kinds])
        left = np.array([key not in keys for key in self.all.keys])
        return _Less(
            tuple(key for key in self.all.keys if key not in keys),
            self.all.vocabulary,
            self.all.rarity,
            self.all.centre,
            self.all.spread,
            self.all.weights[:, left],
            self.all.asked[left],
            self,
            kept,
        )

    @cached_property
    def inverse(self) -> Floats:
        """That of the documents' products."""
        return _inverse(self.vectors)


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
        products = self.samples.vectors @ document
        shares = products[kept] @ inverse[np.ix_(kept, kept)]
        if not kept.all():
            across = inverse[np.ix_(kept, ~kept)]
            shares -= (products[kept] @ across) @ np.linalg.solve(inverse[np.ix_(~kept, ~kept)], across.T)
        kinds = [kind for kind, is_kept in zip(self.samples.kinds, kept, strict=True) if is_kept]
        golds = np.eye(len(self.keys))[[self.keys.index(kind) for kind in kinds]]
        return dict(zip(self.keys, (shares @ (golds - golds.mean(axis=0))).tolist(), strict=True))


def _inverse(vectors: Floats) -> Floats:
    return np.asarray(np.linalg.inv(vectors @ vectors.T + _RIDGE * np.eye(len(vectors))), dtype=np.float64)


def _sample(kind: str, text: str, encoder: Encoder) -> Sample:
    pages = [Page(1, text.strip("\n"))]
    return Sample(kind, Reading.of(pages), encoder.encode([chunk.text for chunk in chosen_chunks(pages)]))


def _stems(reading: Reading) -> set[str]:
    return {stem(word) for word in reading.words[:MOST_WORDS] if not word.isdigit()}


def _asked(kind: str, encoder: Encoder) -> Vectors:
    """The mean of several ways to ask for a type."""
    table = tomllib.loads((SAMPLES / f"{kind}.toml").read_text(encoding="utf-8"))
    labels: Sequence[str] = table["labels"]
    texts = [
        f"{' '.join(label_words(labels[place % len(labels)]))}: {description}"
        for place, description in enumerate(table["descriptions"])
    ]
    mean = encoder.encode(texts).mean(axis=0)
    return mean / np.linalg.norm(mean)


def write_learned(learned: Learned) -> None:
    """Keep what was learnt with the package; half precision loses nothing that matters."""
    vocabulary = np.array(list(learned.vocabulary))
    halves = {
        name: getattr(learned, name).astype(np.float16)
        for name in ("rarity", "centre", "spread", "weights", "asked")
    }
    np.savez_compressed(_FILE, keys=np.array(learned.keys), vocabulary=vocabulary, **halves)
