"""Everything measured about one document and one set of rules, before it is weighed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from attrs import frozen

from ...models import Rule
from .bank import Bank
from .chunks import Chunk, chosen_chunks
from .encoder import Encoder, Vectors
from .exclusions import Exclusions, most_carried
from .lexical import RuleTerms, coverage, rule_terms
from .lexicon import Evidence, Lexicon
from .links import Link, find_link
from .negation import asserted
from .reading import Reading
from .tokens import label_words

Floats = npt.NDArray[np.float64]

# A kind of the rule's type counts for the rule, a little less than the type itself.
_KIND = 0.9
_BEST_CHUNKS = 3
_BEST_OUTSIDE = 3
# A rule whose own type is this sure asks for no other type.
_CERTAIN = 0.85
# A known type this close to a rule is what the rule asks for, under another name.
_NEAR = 0.6
# How much more the likeliest types count than the next.
_SHARPNESS = 8.0
# So much of a type must a document show to be taken for it.
_SEEN = 0.4
# And so near to the best of them must it be.
_NEARLY = 0.15
# What closeness in meaning counts beside the phrases of a type.
_MEANING = 2.0
_CLAUSE_ENDS = re.compile(r"[,;:.\n]|\band\b")
_NOTHING = Evidence()


@frozen(eq=False)
class Sources:
    """A document, read: what every rule set is measured against.

    Attributes:
        reading: Its words.
        evidence: What it shows of each known type.
        chunks: Its passages.
        vectors: Their vectors; None without an encoder.
        likeness: How close in meaning it is to each known type; empty without an encoder.
    """

    reading: Reading
    evidence: Mapping[str, Evidence]
    chunks: Sequence[Chunk]
    vectors: Vectors | None
    likeness: Mapping[str, float]


@frozen(eq=False)
class RuleSet:
    """Rules, prepared once for many documents.

    Attributes:
        rules: As they were given.
        links: The known type of each, where there is one.
        terms: The words of each.
        meanings: For each how close in meaning it is to each known type; empty without an encoder.
        near: For each the known types that mean much the same; none where its own is certain.
        exclusions: What each says a document must not be.
        vectors: The vector of each; None without an encoder.
        clauses: The vectors of each label and of its description's clauses; none without an encoder.
    """

    rules: tuple[Rule, ...]
    links: tuple[Link | None, ...]
    terms: tuple[RuleTerms, ...]
    meanings: tuple[Mapping[str, float], ...]
    near: tuple[frozenset[str], ...]
    exclusions: tuple[Exclusions, ...]
    vectors: Vectors | None
    clauses: tuple[Vectors, ...]


@frozen(eq=False)
class Scores:
    """What was measured, one entry a rule.

    Attributes:
        linked: How surely the rule's type is known.
        lexicon: The known type's score.
        shown: The known type that gave that score.
        outside: The best score of a known type that no rule asks for; the same for every rule.
        outside_type: That type.
        coverage: The share of the rule's words in the document.
        title: Whether the rule's label stands as a title.
        heading: Whether the rule's label or a name of its known type does.
        outside_heading: Whether a name of a known type that no rule asks for does.
        excluded_type: Whether the document looks like a type that the rule excludes, or leaves to another.
        excluded_name: How plainly the document carries a name that the rule excludes.
        excluded_words: How plainly it carries something else that the rule excludes.
        similarity: Closeness in meaning; None without an encoder.
        clauses: How close each clause comes to some passage, on average; zeros without an encoder.
        outside_similarity: The same for the closest known types that no rule asks for.
        likeness: What the document shows of the rule's known type, and how close it is to it in meaning.
        kinship: How close in meaning the rule is to the known types that the document looks like.
        outside_likeness: The likeness of the known type that no rule asks for and that comes out best.
        closest: The index of the closest passage.
    """

    linked: Floats
    lexicon: Floats
    shown: tuple[str | None, ...]
    outside: float
    outside_type: str | None
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
    likeness: Floats
    kinship: Floats
    outside_likeness: float
    closest: tuple[int, ...]


def read_sources(reading: Reading, lexicon: Lexicon, encoder: Encoder | None, bank: Bank | None) -> Sources:
    """Do with a document what needs no rules."""
    evidence = lexicon.evidence(reading)
    chunks = chosen_chunks(reading.pages)
    if encoder is None or bank is None or not chunks:
        return Sources(reading, evidence, chunks, None, {})
    vectors = encoder.encode([chunk.text for chunk in chunks])
    likeness = dict(zip(bank.keys, _closeness(bank.contents @ vectors.T).tolist(), strict=True))
    return Sources(reading, evidence, chunks, vectors, likeness)


def prepare_rules(
    rules: Sequence[Rule],
    lexicon: Lexicon,
    encoder: Encoder | None,
    bank: Bank | None,
    hidden: Collection[str] = (),
) -> RuleSet:
    """Do with rules what needs no document."""
    texts = [f"{' '.join(label_words(rule.type))}: {asserted(rule.description)}" for rule in rules]
    vectors = encoder.encode(texts) if encoder else None
    meanings: list[Mapping[str, float]] = [{} for _ in rules]
    if bank is not None and vectors is not None:
        meanings = [bank.closeness(vector) for vector in vectors]
    links = [find_link(rule, lexicon, hidden, meaning) for rule, meaning in zip(rules, meanings, strict=True)]
    return RuleSet(
        tuple(rules),
        tuple(links),
        tuple(rule_terms(rules)),
        tuple(meanings),
        tuple(_near(link, meaning) for link, meaning in zip(links, meanings, strict=True)),
        tuple(
            Exclusions.of(rule.description, lexicon, hidden, link.key if link else None)
            for rule, link in zip(rules, links, strict=True)
        ),
        vectors,
        tuple(encoder.encode(_clauses(rule)) for rule in rules) if encoder else (),
    )


def _clauses(rule: Rule) -> list[str]:
    parts = (part.strip() for part in _CLAUSE_ENDS.split(asserted(rule.description)))
    return [" ".join(label_words(rule.type)), *filter(None, parts)]


def _near(link: Link | None, meaning: Mapping[str, float]) -> frozenset[str]:
    if link and link.strength >= _CERTAIN:
        return frozenset()
    return frozenset(key for key, close in meaning.items() if close >= _NEAR)


def measure(sources: Sources, ruleset: RuleSet, lexicon: Lexicon, hidden: Collection[str] = ()) -> Scores:
    """Measure a document against rules."""
    evidence = {key: found for key, found in sources.evidence.items() if key not in hidden}
    linked: set[str] = {link.key for link in ruleset.links if link}
    best = [
        _linked_score(link, linked | each.types, evidence, lexicon)
        for link, each in zip(ruleset.links, ruleset.exclusions, strict=True)
    ]
    # What another rule asks for in particular is not meant by the more general one.
    not_meant = [
        each.types | (linked.intersection(lexicon.kinds(link.key)) if link else frozenset())
        for link, each in zip(ruleset.links, ruleset.exclusions, strict=True)
    ]
    inside = {member for key in linked for member in lexicon.family(key)}
    excluded = {key for each in ruleset.exclusions for key in each.types} - linked
    inside = inside.union(*ruleset.near, hidden) - excluded
    outside, outside_type = max(
        ((found.score, key) for key, found in evidence.items() if key not in inside),
        default=(0.0, None),
        key=lambda entry: entry[0],
    )
    seen = _seen(evidence, sources)
    similarity, closest = _similarities(sources.vectors, ruleset.vectors)
    reading = sources.reading
    return Scores(
        linked=np.array([link.strength if link else 0.0 for link in ruleset.links]),
        lexicon=np.array([score for _, score in best]),
        shown=tuple(key for key, _ in best),
        outside=outside,
        outside_type=outside_type,
        coverage=np.array([coverage(terms, reading) for terms in ruleset.terms]),
        title=np.array([_title(terms, reading) for terms in ruleset.terms]),
        heading=np.array(
            [
                max(_title(terms, reading), evidence.get(key or "", _NOTHING).title)
                for terms, (key, _) in zip(ruleset.terms, best, strict=True)
            ]
        ),
        outside_heading=max(
            (found.title for key, found in evidence.items() if key not in inside), default=0.0
        ),
        excluded_type=np.array([float(not seen.isdisjoint(types)) for types in not_meant]),
        excluded_name=np.array([most_carried(each.names, reading) for each in ruleset.exclusions]),
        excluded_words=np.array([most_carried(each.words, reading) for each in ruleset.exclusions]),
        similarity=similarity,
        clauses=_clause_closeness(sources.vectors, ruleset),
        likeness=np.array([_likeness(key, evidence, sources) for key, _ in best]),
        kinship=_kinship(ruleset.meanings, evidence, sources, hidden),
        outside_likeness=max(
            (_likeness(key, evidence, sources) for key in lexicon.types if key not in inside), default=0.0
        ),
        outside_similarity=_top_mean([close for key, close in sources.likeness.items() if key not in inside]),
        closest=closest,
    )


def _seen(evidence: Mapping[str, Evidence], sources: Sources) -> frozenset[str]:
    """The known types that a document looks most like."""
    likeness = {
        key: _likeness(key, evidence, sources) for key, found in evidence.items() if found.score >= _SEEN
    }
    least = max(likeness.values(), default=0.0) - _NEARLY
    return frozenset(key for key, value in likeness.items() if value >= least)


def _likeness(key: str | None, evidence: Mapping[str, Evidence], sources: Sources) -> float:
    if key is None:
        return 0.0
    return evidence.get(key, _NOTHING).score + _MEANING * sources.likeness.get(key, 0.0)


def _kinship(
    meanings: Sequence[Mapping[str, float]],
    evidence: Mapping[str, Evidence],
    sources: Sources,
    hidden: Collection[str],
) -> Floats:
    """The closeness of each rule to the known types, those counting most that the document looks like."""
    keys = [key for key in sources.likeness if key not in hidden]
    if not keys:
        return np.zeros(len(meanings))
    likeness = np.array([_likeness(key, evidence, sources) for key in keys])
    shares = np.exp(_SHARPNESS * (likeness - likeness.max()))
    table = np.array([[meaning[key] for key in keys] for meaning in meanings])
    closeness: Floats = table @ (shares / shares.sum())
    return closeness


def _linked_score(
    link: Link | None, taken: Collection[str], evidence: Mapping[str, Evidence], lexicon: Lexicon
) -> tuple[str | None, float]:
    """The score of a rule's known type, or of a kind of it that is not taken by another or excluded."""
    if link is None:
        return None, 0.0
    own = [(link.key, evidence.get(link.key, _NOTHING).score)]
    kinds = [
        (kind, _KIND * evidence.get(kind, _NOTHING).score)
        for kind in lexicon.kinds(link.key)
        if kind not in taken
    ]
    return max(own + kinds, key=lambda entry: entry[1])


def _title(terms: RuleTerms, reading: Reading) -> float:
    in_titles = terms.label and reading.title_words.issuperset(terms.label)
    return reading.title_weight(terms.label) if in_titles else 0.0


def _similarities(chunks: Vectors | None, rules: Vectors | None) -> tuple[Floats | None, tuple[int, ...]]:
    """How close each rule is to the document as a whole, to its closest passages and to its beginning."""
    if chunks is None or rules is None:
        return None, ()
    table = (rules @ chunks.T).astype(np.float64)
    return _closeness(table), tuple(int(index) for index in table.argmax(axis=1))


def _clause_closeness(chunks: Vectors | None, ruleset: RuleSet) -> Floats:
    """What a description lists stands in different places: every clause looks for its own."""
    if chunks is None or not ruleset.clauses:
        return np.zeros(len(ruleset.rules))
    return np.array([(clauses @ chunks.T).max(axis=1).mean() for clauses in ruleset.clauses])


def _closeness(table: npt.NDArray[Any]) -> Floats:
    """From one column a passage to one number: the whole, the closest passages and the beginning."""
    top = np.sort(table, axis=1)[:, -_BEST_CHUNKS:]
    closeness: Floats = (table.mean(axis=1) + top.mean(axis=1) + table[:, 0]) / 3
    return closeness


def _top_mean(values: list[float]) -> float:
    top = sorted(values)[-_BEST_OUTSIDE:]
    return sum(top) / len(top) if top else 0.0
