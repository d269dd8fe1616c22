"""Everything measured about one document and one set of rules, before it is weighed."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from attrs import frozen

from .exclusions import most_carried
from .knowledge import Knowledge
from .learned import PARTS
from .lexical import RuleTerms, coverage
from .lexicon import Evidence, Lexicon
from .links import Link
from .rarity import common_share
from .reading import Reading
from .rule_set import Meanings, RuleSet
from .sources import Sources
from .values import Floats, closeness

# A kind of the rule's type counts for the rule, a little less than the type itself.
_KIND = 0.9
_BEST_OUTSIDE = 3
# So much of a type must a document show to be taken for it.
_SEEN = 0.6
# And so near to the best of them must it be.
_NEARLY = 0.25
# What likeness and closeness count beside the phrases of a type.
_LIKENESS = 4.0
_CLOSENESS = 1.0
# How much more the greatest totals count than the next.
_SHARPNESS = 6.0
_NOTHING = Evidence()


@frozen(eq=False)
class Scores:
    """What was measured, one entry a rule.

    Attributes:
        linked: How surely the rule's type is known.
        lexicon: The known type's score.
        shown: The known type that gave that score.
        outside: The best score of a known type that no rule asks for; the same for every rule.
        coverage: The share of the rule's words in the document.
        title: Whether the rule's label stands as a title.
        heading: Whether the rule's label or a name of its known type does.
        outside_heading: Whether a name of a known type that no rule asks for does.
        excluded_type: Whether the document looks like a type that the rule excludes, or leaves to another.
        excluded_name: How plainly the document carries a name that the rule excludes.
        excluded_words: How plainly it carries something else that the rule excludes.
        similarity: Closeness in meaning; None without an encoder.
        clauses: How close each clause comes to some passage, on average; zeros without an encoder.
        outside_similarity: Closeness to the closest types that no rule asks for.
        total: What the document shows of the rule's known type, by phrases, likeness and closeness together.
        outside_total: The same for the type that no rule asks for and that comes out best.
        outside_type: That type.
        share: The share of the rule's known type among all, the greatest totals counting most.
        outside_likeness: The greatest likeness to a type that no rule asks for.
        kinship: How much it is like what the rule's meaning is composed of; zeros without an encoder.
        resemblance: How it resembles what is expected of the rule's documents, one column a part; zeros
            without an encoder.
        rule_length: The logarithm of the number of the rule's words.
        document_length: The same of the document; the same for every rule.
        common_words: The share of the document's words that are common in English; the same for every rule.
        closest: The index of the closest passage.
    """

    linked: Floats
    lexicon: Floats
    shown: tuple[str | None, ...]
    outside: float
    coverage: Floats
    title: Floats
    heading: Floats
    outside_heading: float
    excluded_type: Floats
    excluded_name: Floats
    excluded_words: Floats
    similarity: Floats | None
    clauses: Floats
    outside_similarity: float
    total: Floats
    outside_total: float
    outside_type: str | None
    share: Floats
    outside_likeness: float
    kinship: Floats
    resemblance: Floats
    rule_length: Floats
    document_length: float
    common_words: float
    closest: tuple[int, ...]


def measure(sources: Sources, rules: RuleSet, knowledge: Knowledge, hidden: Collection[str] = ()) -> Scores:
    """Measure a document against rules.

    Args:
        sources: The document.
        rules: The rules.
        knowledge: What is known.
        hidden: Types to act as if unknown.
    """
    reading, lexicon = sources.reading, knowledge.lexicon
    evidence = {key: found for key, found in sources.evidence.items() if key not in hidden}
    asked = _asked(rules, lexicon)
    shown = [_best(types, evidence) for types in asked]
    inside = _inside(rules, lexicon).union(hidden)
    total = _total(sources, evidence)
    outside_total, outside_type = max(
        ((found, key) for key, found in total.items() if key not in inside),
        default=(0.0, None),
        key=lambda entry: entry[0],
    )
    seen = _seen(total)
    headings = [evidence.get(key or "", _NOTHING).title for key, _ in shown]
    titles = np.array([_title(terms, reading) for terms in rules.terms])
    similarity, closest = _similarities(sources, rules.meanings)
    return Scores(
        linked=np.array([link.strength if link else 0.0 for link in rules.links]),
        lexicon=np.array([score for _, score in shown]),
        shown=tuple(key for key, _ in shown),
        outside=max((found.score for key, found in evidence.items() if key not in inside), default=0.0),
        coverage=np.array([coverage(terms, reading) for terms in rules.terms]),
        title=titles,
        heading=np.maximum(titles, headings),
        outside_heading=max(
            (found.title for key, found in evidence.items() if key not in inside), default=0.0
        ),
        excluded_type=np.array([float(not seen.isdisjoint(types)) for types in _not_meant(rules, lexicon)]),
        excluded_name=np.array([most_carried(each.names, reading) for each in rules.exclusions]),
        excluded_words=np.array([most_carried(each.words, reading) for each in rules.exclusions]),
        similarity=similarity,
        clauses=_clauses(sources, rules),
        outside_similarity=_top_mean([near for key, near in sources.closeness.items() if key not in inside]),
        total=np.array(
            [max((worth * total.get(key, 0.0) for key, worth in types), default=0.0) for types in asked]
        ),
        outside_total=outside_total,
        outside_type=outside_type,
        share=_share(asked, total),
        outside_likeness=max(
            (like for key, like in sources.likeness.items() if key not in inside), default=0.0
        ),
        kinship=_kinship(sources, rules),
        resemblance=_resemblance(sources, rules, knowledge),
        rule_length=np.log([1 + len(rule.description.split()) for rule in rules.rules]),
        document_length=math.log(1 + len(reading.words)),
        common_words=common_share(reading.words),
        closest=closest,
    )


def _total(sources: Sources, evidence: Mapping[str, Evidence]) -> Mapping[str, float]:
    """What a document shows of every type."""
    likeness, closeness = sources.likeness, sources.closeness
    usual = sum(closeness.values()) / max(1, len(closeness))
    return {
        key: evidence.get(key, _NOTHING).score
        + _LIKENESS * likeness.get(key, 0.0)
        + _CLOSENESS * (closeness.get(key, usual) - usual)
        for key in sorted({*evidence, *likeness})
    }


def _asked(rules: RuleSet, lexicon: Lexicon) -> list[list[tuple[str, float]]]:
    """For every rule its known type and the kinds of it that it may mean, with what these are worth."""
    taken = _linked(rules)
    return [
        _with_kinds(link, taken | each.types, lexicon)
        for link, each in zip(rules.links, rules.exclusions, strict=True)
    ]


def _with_kinds(link: Link | None, taken: Collection[str], lexicon: Lexicon) -> list[tuple[str, float]]:
    if link is None:
        return []
    return [(link.key, 1.0), *((kind, _KIND) for kind in lexicon.kinds(link.key) if kind not in taken)]


def _linked(rules: RuleSet) -> set[str]:
    return {link.key for link in rules.links if link}


def _inside(rules: RuleSet, lexicon: Lexicon) -> frozenset[str]:
    """The types that some rule asks for, or may ask for."""
    linked = _linked(rules)
    excluded = {key for each in rules.exclusions for key in each.types} - linked
    return frozenset().union(*map(lexicon.family, linked), *rules.near) - excluded


def _not_meant(rules: RuleSet, lexicon: Lexicon) -> list[frozenset[str]]:
    """For every rule what it excludes, and what another rule asks for in particular."""
    linked = _linked(rules)
    return [
        each.types | (linked.intersection(lexicon.kinds(link.key)) if link else frozenset())
        for link, each in zip(rules.links, rules.exclusions, strict=True)
    ]


def _best(types: Collection[tuple[str, float]], evidence: Mapping[str, Evidence]) -> tuple[str | None, float]:
    """The type of which a document shows most, and its score."""
    found = [(key, worth * evidence.get(key, _NOTHING).score) for key, worth in types]
    return max(found, default=(None, 0.0), key=lambda entry: entry[1])


def _seen(total: Mapping[str, float]) -> frozenset[str]:
    """The known types that a document looks most like."""
    least = max(_SEEN, max(total.values(), default=0.0) - _NEARLY)
    return frozenset(key for key, value in total.items() if value >= least)


def _title(terms: RuleTerms, reading: Reading) -> float:
    in_titles = terms.label and reading.title_words.issuperset(terms.label)
    return reading.title_weight(terms.label) if in_titles else 0.0


def _similarities(sources: Sources, meanings: Meanings | None) -> tuple[Floats | None, tuple[int, ...]]:
    """How close each rule is to the document, and to which passage most."""
    if sources.vectors is None or meanings is None:
        return None, ()
    table = (meanings.vectors @ sources.vectors.T).astype(np.float64)
    return closeness(table), tuple(int(index) for index in table.argmax(axis=1))


def _clauses(sources: Sources, rules: RuleSet) -> Floats:
    """What a description lists stands in different places: every clause looks for its own."""
    if sources.vectors is None or rules.meanings is None:
        return np.zeros(len(rules.rules))
    passages = sources.vectors.T
    return np.array([(clauses @ passages).max(axis=1).mean() for clauses in rules.meanings.clauses])


def _share(asked: Sequence[Sequence[tuple[str, float]]], total: Mapping[str, float]) -> Floats:
    weights = {key: math.exp(_SHARPNESS * value) for key, value in total.items()}
    whole = sum(weights.values()) or 1.0
    return np.array([sum(weights.get(key, 0.0) for key, _ in types) / whole for types in asked])


def _kinship(sources: Sources, rules: RuleSet) -> Floats:
    if rules.meanings is None:
        return np.zeros(len(rules.rules))
    kinship: Floats = rules.meanings.composed @ np.array(list(sources.likeness.values()))
    return kinship


def _resemblance(sources: Sources, rules: RuleSet, knowledge: Knowledge) -> Floats:
    if rules.meanings is None:
        return np.zeros((len(rules.rules), len(PARTS)))
    return knowledge.learned.resemblance(sources.vector, rules.meanings.expected)


def _top_mean(values: list[float]) -> float:
    top = sorted(values)[-_BEST_OUTSIDE:]
    return sum(top) / len(top) if top else 0.0
