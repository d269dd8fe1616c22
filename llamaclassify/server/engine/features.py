"""The few numbers of each rule that the model weighs."""

from __future__ import annotations

import numpy as np

from .scores import Floats, Scores

NAMES = (
    "bias",
    "crowd",
    "known",
    "lexicon",
    "lexicon_over_rules",
    "lexicon_over_outside",
    "unknown_against_outside",
    "coverage",
    "coverage_over_rules",
    "title",
    "similarity",
    "similarity_over_rules",
    "similarity_over_outside",
)


def features(scores: Scores) -> Floats:
    """One row a rule, one column a name of `NAMES`.

    What a rule has is also given as its lead over the best of the other rules. With one rule alone there is
    nobody to lead, and the leads are zero. "crowd" keeps many rules, each unlikely, from outweighing none.
    """
    known, unknown = scores.linked, 1 - scores.linked
    no_similarity = np.zeros_like(known)
    similarity = no_similarity if scores.similarity is None else scores.similarity
    over_outside = no_similarity if scores.similarity is None else similarity - scores.outside_similarity
    return np.stack(
        [
            np.ones_like(known),
            np.full_like(known, np.log(len(known))),
            known,
            known * scores.lexicon,
            known * _lead(scores.lexicon),
            known * (scores.lexicon - scores.outside),
            unknown * scores.outside,
            scores.coverage,
            _lead(scores.coverage),
            scores.title,
            similarity,
            _lead(similarity),
            over_outside,
        ],
        axis=1,
    )


def _lead(values: Floats) -> Floats:
    return values - _best_other(values) if len(values) > 1 else np.zeros_like(values)


def _best_other(values: Floats) -> Floats:
    """For every entry the greatest of the others; 0 for one alone."""
    if len(values) < 2:
        return np.zeros_like(values)
    order = np.argsort(values)
    best = np.full_like(values, values[order[-1]])
    best[order[-1]] = values[order[-2]]
    return best
