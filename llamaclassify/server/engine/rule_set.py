"""Rules, prepared once for many documents."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from attrs import frozen

from ...models import Rule
from .exclusions import Exclusions
from .knowledge import Knowledge
from .lexical import RuleTerms, rule_terms
from .links import Link, find_link
from .negation import asserted
from .tokens import label_words
from .values import Floats, Vectors

# A rule whose own type is this sure asks for no other type.
_CERTAIN = 0.85
# A known type this close to a rule is what the rule asks for, under another name.
_NEAR = 0.6
_CLAUSE_ENDS = re.compile(r"[,;:.\n]|\band\b")


@frozen(eq=False)
class Meanings:
    """What an encoder makes of rules.

    Attributes:
        vectors: The vector of each.
        clauses: For each the vectors of its label and of the clauses of its description.
        composed: What each asks for, composed of the types that were learnt.
        expected: How a document of each should differ from the usual one, composed in the same way.
    """

    vectors: Vectors
    clauses: tuple[Vectors, ...]
    composed: Floats
    expected: Floats


@frozen(eq=False)
class RuleSet:
    """Rules, and what they ask for.

    Attributes:
        rules: As they were given.
        links: The known type of each, where there is one.
        terms: The words of each.
        near: For each the types that mean much the same; none where its own is certain.
        exclusions: What each says a document must not be.
        meanings: What an encoder makes of them; None without one.
    """

    rules: tuple[Rule, ...]
    links: tuple[Link | None, ...]
    terms: tuple[RuleTerms, ...]
    near: tuple[frozenset[str], ...]
    exclusions: tuple[Exclusions, ...]
    meanings: Meanings | None

    @classmethod
    def of(cls, rules: Sequence[Rule], knowledge: Knowledge, hidden: Collection[str] = ()) -> RuleSet:
        """Do with rules what needs no document.

        Args:
            rules: They compete.
            knowledge: What is known.
            hidden: Types to act as if unknown.
        """
        lexicon = knowledge.lexicon
        meanings = _meanings(rules, knowledge)
        named: list[Mapping[str, float]] = [{} for _ in rules]
        if meanings and knowledge.bank:
            named = [knowledge.bank.closeness(vector) for vector in meanings.vectors]
        links = [find_link(rule, lexicon, hidden, names) for rule, names in zip(rules, named, strict=True)]
        return cls(
            tuple(rules),
            tuple(links),
            tuple(rule_terms(rules)),
            tuple(_near(link, names) for link, names in zip(links, named, strict=True)),
            tuple(
                Exclusions.of(rule.description, lexicon, hidden, link.key if link else None)
                for rule, link in zip(rules, links, strict=True)
            ),
            meanings,
        )


def _meanings(rules: Sequence[Rule], knowledge: Knowledge) -> Meanings | None:
    encoder = knowledge.encoder
    if encoder is None:
        return None
    texts = [f"{' '.join(label_words(rule.type))}: {asserted(rule.description)}" for rule in rules]
    vectors = encoder.encode(texts)
    clauses = tuple(encoder.encode(_clauses(rule)) for rule in rules)
    composed = knowledge.learned.composed(vectors)
    return Meanings(vectors, clauses, composed, composed @ knowledge.learned.typical)


def _clauses(rule: Rule) -> list[str]:
    parts = (part.strip() for part in _CLAUSE_ENDS.split(asserted(rule.description)))
    return [" ".join(label_words(rule.type)), *filter(None, parts)]


def _near(link: Link | None, names: Mapping[str, float]) -> frozenset[str]:
    if link and link.strength >= _CERTAIN:
        return frozenset()
    return frozenset(key for key, close in names.items() if close >= _NEAR)
