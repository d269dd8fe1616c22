"""How many of a rule's own words a document carries.

Words count by how rare they are: in general, and among the rules that compete.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from attrs import frozen

from ...models import Rule
from .negation import asserted
from .rarity import rarity
from .reading import Reading
from .tokens import STOP_WORDS, content_words, label_words, stem, words

Term = str | tuple[str, str]

_LABEL = 2.0
_PAIR = 1.0
_HALF_WAY = 2500


@frozen
class RuleTerms:
    """The words and neighbouring words of a rule.

    Attributes:
        label: The words of its type.
        weights: For every term what it is worth.
    """

    label: tuple[str, ...]
    weights: Mapping[Term, float]


def rule_terms(rules: Sequence[Rule]) -> list[RuleTerms]:
    """Weigh the words of rules that compete: what all of them say tells nothing."""
    weighed = [_weights(rule) for rule in rules]
    shared = Counter(term for weights in weighed for term in weights)
    count = len(rules)
    return [
        RuleTerms(
            tuple(label_words(rule.type)),
            {term: worth * (1 - (shared[term] - 1) / count) for term, worth in weights.items()},
        )
        for rule, weights in zip(rules, weighed, strict=True)
    ]


def _weights(rule: Rule) -> dict[Term, float]:
    description = asserted(rule.description)
    weights: dict[Term, float] = {word: rarity(word) for word in content_words(description)}
    for word in label_words(rule.type):
        if word not in STOP_WORDS:
            weights[word] = _LABEL * rarity(word)
    running = words(description)
    for first, second in pairwise(running):
        if first not in STOP_WORDS and second not in STOP_WORDS:
            weights[first, second] = _PAIR * (rarity(first) + rarity(second)) / 2
    return weights


def coverage(terms: RuleTerms, reading: Reading) -> float:
    """The share of a rule's terms that stand in a document in some form, early ones counting more: 0 to 1."""
    total = sum(terms.weights.values())
    if not total:
        return 0.0
    return sum(worth * _nearness(_first_form(term, reading)) for term, worth in terms.weights.items()) / total


def shared_words(terms: RuleTerms, reading: Reading) -> list[str]:
    """The single words that a rule and a document share, the most telling first."""
    found = [
        (worth * presence(term, reading), term)
        for term, worth in terms.weights.items()
        if isinstance(term, str) and term in reading.first_places
    ]
    return [term for _, term in sorted(found, key=lambda entry: (-entry[0], entry[1]))]


def presence(word: str, reading: Reading) -> float:
    """Whether a word stands in a document: 1 at its beginning, less further on, 0 nowhere."""
    return _nearness(reading.first_places.get(word))


def _nearness(place: int | None) -> float:
    return 0.0 if place is None else 1 / (1 + place / _HALF_WAY)


def _first_form(term: Term, reading: Reading) -> int | None:
    if isinstance(term, str):
        return reading.first_stems.get(stem(term))
    return reading.first_stem_pairs.get((stem(term[0]), stem(term[1])))
