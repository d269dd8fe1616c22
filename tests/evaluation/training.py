"""Weights from tasks: for several rules and one, with the encoder and without."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
from attrs import evolve

from llamaclassify.server.engine.features import NAMES
from llamaclassify.server.engine.model import Correction, Model, weights_name
from llamaclassify.server.engine.values import Floats

from .bench import Bench, Measured
from .corpus import Corpus
from .network import fit_correction
from .regression import fit
from .tasks import Sampler, known_as

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
    name
    for name in NAMES
    if any(part in name for part in ("similarity", "clauses", "kinship", "resemblance"))
)


def train(corpus: Corpus, bench: Bench, *, unseen: Corpus | None = None, count: int = TASKS) -> Model:
    """Fit the weights for several rules and for one, with the bench's encoder.

    Args:
        corpus: Its types are asked about, and those of the samples.
        bench: Measures.
        unseen: Types that must not be asked about.
        count: How many tasks with several rules from each; half as many with one.
    """
    weights: dict[str, Floats] = {}
    corrections: dict[str, Correction] = {}
    for size, fitting, some in ((0, 0.75, count), (1, 0.5, count // 2)):
        measured = [
            one
            for among in (corpus, _samples(corpus, bench, unseen))
            for one in bench.measure(
                Sampler(among, bench.lexicon, SEED, size=size, fitting=fitting, excluding=EXCLUDING).tasks(
                    some, damage=DAMAGE
                )
            )
        ]
        name = weights_name(size or 2, encoder=bench.encoder is not None)
        weights[name], corrections[name] = _fit(measured, name)
    return Model(weights, corrections)


def _samples(corpus: Corpus, bench: Bench, unseen: Corpus | None) -> Corpus:
    """The samples as a corpus, but for types that must not be seen, with the documents of no type."""
    wordings = unseen.wordings.values() if unseen else ()
    banned = {key for wording in wordings for key in known_as(wording, bench.lexicon)}
    samples = bench.samples.corpus.only(set(bench.samples.corpus.wordings) - banned)
    return evolve(samples, examples=(*samples.examples, *corpus.of_kind(None)))


def halves(corpus: Corpus, seed: int) -> tuple[Corpus, Corpus]:
    """The corpus in two parts with different types, and different documents of no type."""
    kinds = sorted(corpus.wordings)
    random.Random(seed).shuffle(kinds)  # noqa: S311
    parts = corpus.only(set(kinds[::2])), corpus.only(set(kinds[1::2]))
    return tuple(  # type: ignore[return-value]
        evolve(part, examples=tuple(x for i, x in enumerate(part.examples) if x.kind or i % 2 == n))
        for n, part in enumerate(parts)
    )


def _fit(measured: Sequence[Measured], name: str) -> tuple[Floats, Correction]:
    left_out = _LEADS if name.startswith("single") else ()
    left_out += _SIMILARITIES if name.endswith("without_encoder") else ()
    used = np.array([0.0 if feature in left_out else 1.0 for feature in NAMES])
    nothing = np.zeros((1, len(NAMES)))
    rows = [one.rows * used for one in measured]
    golds = [len(one.rows) if one.task.gold is None else one.task.gold for one in measured]
    expected = used * [EXPECTED.get(feature, 0.0) for feature in NAMES]
    penalty = np.array([FIXED if feature in EXPECTED else PENALTY for feature in NAMES])
    with_none = [np.vstack([options, nothing]) for options in rows]
    weights = fit(with_none, golds, penalty=penalty, used=used, expected=expected)
    seen = used * [feature not in EXPECTED for feature in NAMES]
    return weights, fit_correction(rows, [options @ weights for options in rows], golds, used=seen)
