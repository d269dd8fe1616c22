"""The few numbers of each rule that the model weighs."""

from __future__ import annotations

import numpy as np

from .learned import PARTS
from .scores import Scores
from .values import Floats

# Below this a share tells nothing more.
_LEAST_SHARE = 0.01

NAMES = (
    "bias",
    "crowd",
    "known",
    "lexicon",
    "lexicon_over_rules",
    "lexicon_over_outside",
    "unknown_against_outside",
    "unknown_against_rules",
    "coverage",
    "coverage_over_rules",
    "unknown_coverage",
    "unknown_coverage_over_rules",
    "log_share",
    "total",
    "total_over_rules",
    "total_over_outside",
    "unknown_against_total",
    "kinship",
    "kinship_over_rules",
    "unknown_kinship",
    "unknown_kinship_over_rules",
    "title",
    "heading_under_outside",
    "unknown_against_heading",
    "excluded_type",
    "excluded_name",
    "excluded_words",
    "clauses",
    "clauses_over_rules",
    "unknown_clauses",
    "unknown_clauses_over_rules",
    "similarity",
    "similarity_over_rules",
    "similarity_over_outside",
    "unknown_similarity",
    "unknown_similarity_over_rules",
    "unknown_similarity_over_outside",
    *(f"unknown_resemblance_{part}" for part in PARTS),
    *(f"unknown_resemblance_{part}_over_rules" for part in PARTS),
    "rule_length",
    "document_length",
    "common_words",
    "outside_likeness",
    "outside_total",
    "outside_similarity",
)


def features(scores: Scores) -> Floats:
    """One row a rule, one column a name of `NAMES`.

    What a rule has is also given as its lead over the best of the other rules. With one rule alone there is
    nobody to lead, and the leads are zero. "crowd" keeps many rules, each unlikely, from outweighing none.
    What is "unknown" counts the more, the less a known type stands behind the rule.
    """
    known, unknown = scores.linked, 1 - scores.linked
    none = np.zeros_like(known)
    similarity = none if scores.similarity is None else scores.similarity
    over_outside = none if scores.similarity is None else similarity - scores.outside_similarity
    own, total, similarity_lead = known * scores.lexicon, known * scores.total, _lead(similarity)
    coverage, coverage_lead = scores.coverage, _lead(scores.coverage)
    columns = {
        "bias": np.ones_like(known),
        "crowd": np.full_like(known, np.log(len(known))),
        "known": known,
        "lexicon": own,
        "lexicon_over_rules": known * _lead(scores.lexicon),
        "lexicon_over_outside": known * (scores.lexicon - scores.outside),
        "unknown_against_outside": unknown * scores.outside,
        "unknown_against_rules": unknown * _best_other(own),
        "coverage": coverage,
        "coverage_over_rules": coverage_lead,
        "unknown_coverage": unknown * coverage,
        "unknown_coverage_over_rules": unknown * coverage_lead,
        "log_share": known * np.log(scores.share + _LEAST_SHARE),
        "total": total,
        "total_over_rules": _lead(total),
        "total_over_outside": known * (scores.total - scores.outside_total),
        "unknown_against_total": unknown * scores.outside_total,
        "kinship": scores.kinship,
        "kinship_over_rules": _lead(scores.kinship),
        "unknown_kinship": unknown * scores.kinship,
        "unknown_kinship_over_rules": unknown * _lead(scores.kinship),
        "title": scores.title,
        "heading_under_outside": -known * np.maximum(0, scores.outside_heading - scores.heading),
        "unknown_against_heading": -unknown * np.maximum(0, scores.outside_heading - scores.heading),
        "excluded_type": -scores.excluded_type,
        "excluded_name": -scores.excluded_name,
        "excluded_words": -scores.excluded_words,
        "clauses": scores.clauses,
        "clauses_over_rules": _lead(scores.clauses),
        "unknown_clauses": unknown * scores.clauses,
        "unknown_clauses_over_rules": unknown * _lead(scores.clauses),
        "similarity": similarity,
        "similarity_over_rules": similarity_lead,
        "similarity_over_outside": over_outside,
        "unknown_similarity": unknown * similarity,
        "unknown_similarity_over_rules": unknown * similarity_lead,
        "unknown_similarity_over_outside": unknown * over_outside,
        "rule_length": scores.rule_length,
        "document_length": none + scores.document_length,
        "common_words": none + scores.common_words,
        "outside_likeness": none + scores.outside_likeness,
        "outside_total": none + scores.outside_total,
        "outside_similarity": none + scores.outside_similarity,
    }
    for part, resembling in zip(PARTS, scores.resemblance.T, strict=True):
        columns[f"unknown_resemblance_{part}"] = unknown * resembling
        columns[f"unknown_resemblance_{part}_over_rules"] = unknown * _lead(resembling)
    return np.stack([columns[name] for name in NAMES], axis=1)


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
