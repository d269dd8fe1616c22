"""Weights from tasks: for several rules and one, with the encoder and without."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
from attrs import evolve

from llamaclassify.server.engine.features import NAMES
from llamaclassify.server.engine.model import Model, weights_name
from llamaclassify.server.engine.values import Floats

from .bench import Bench, Measured
from .corpus import Corpus
from .regression import fit
from .tasks import Sampler

SEED = 7
TASKS = 3000
DAMAGE = 0.2
EXCLUDING = 0.15
PENALTY = 0.3
FIXED = 1e6
# What people exclude decides, whatever else is found; tasks in which it matters are too few to learn that.
EXPECTED = {"excluded_type": 12.0, "excluded_name": 20.0, "excluded_words": 2.0}
_LEADS = ("crowd", *(name for name in NAMES if name.endswith(("over_rules", "against_rules"))))
_SIMILARITIES = tuple(
    name for name in NAMES if any(part in name for part in ("similarity", "clauses", "kinship"))
)


def train(corpus: Corpus, bench: Bench, *, count: int = TASKS) -> Model:
    """Fit the weights for several rules and for one on tasks from a corpus, with the bench's encoder."""
    weights: dict[str, Floats] = {}
    for size, fitting in ((0, 0.7), (1, 0.5)):
        sampler = Sampler(corpus, bench.lexicon, SEED, size=size, fitting=fitting, excluding=EXCLUDING)
        measured = bench.measure(sampler.tasks(count, damage=DAMAGE))
        name = weights_name(size or 2, encoder=bench.encoder is not None)
        weights[name] = _fit(measured, name)
    return Model(weights)


def halves(corpus: Corpus, seed: int) -> tuple[Corpus, Corpus]:
    """The corpus in two parts with different types, and different documents of no type."""
    kinds = sorted(corpus.wordings)
    random.Random(seed).shuffle(kinds)  # noqa: S311
    parts = corpus.only(set(kinds[::2])), corpus.only(set(kinds[1::2]))
    return tuple(  # type: ignore[return-value]
        evolve(part, examples=tuple(x for i, x in enumerate(part.examples) if x.kind or i % 2 == n))
        for n, part in enumerate(parts)
    )


def _fit(measured: Sequence[Measured], name: str) -> Floats:
    left_out = _LEADS if name.startswith("single") else ()
    left_out += _SIMILARITIES if name.endswith("without_encoder") else ()
    used = np.array([0.0 if feature in left_out else 1.0 for feature in NAMES])
    nothing = np.zeros((1, len(NAMES)))
    rows = [np.vstack([one.rows * used, nothing]) for one in measured]
    golds = [len(one.rows) if one.task.gold is None else one.task.gold for one in measured]
    expected = used * [EXPECTED.get(feature, 0.0) for feature in NAMES]
    penalty = np.array([FIXED if feature in EXPECTED else PENALTY for feature in NAMES])
    return fit(rows, golds, penalty=penalty, used=used, expected=expected)
