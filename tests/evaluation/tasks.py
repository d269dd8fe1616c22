"""Tasks as people set them: some rules, and a document that fits one of them or none."""

from __future__ import annotations

import random
from collections.abc import Iterator

from attrs import frozen

from llamaclassify.models import Rule
from llamaclassify.server.engine.lexicon import Lexicon
from llamaclassify.server.engine.links import find_link

from .corpus import Corpus, Example, Wording

KNOWLEDGE = ("known", "half", "unknown")
_FITTING = 0.75


@frozen
class Task:
    """One document to classify.

    Attributes:
        rules: Of different types.
        example: The document.
        damage: The seed of its damage; None leaves it as it is.
        gold: The index of the right rule; None when none is.
        hidden: The lexicon's types to act as if unknown.
        knowledge: How much the lexicon knows about the rules, one of `KNOWLEDGE`.
    """

    rules: tuple[Rule, ...]
    example: Example
    damage: int | None
    gold: int | None
    hidden: frozenset[str]
    knowledge: str


class Sampler:
    """Draws tasks from a corpus, always the same ones for a seed."""

    def __init__(
        self, corpus: Corpus, lexicon: Lexicon, seed: int, *, single: bool = False, size: int = 0
    ) -> None:
        self._corpus, self._lexicon, self._dice = corpus, lexicon, random.Random(seed)  # noqa: S311
        self._single, self._size = single, size
        self._kinds = sorted(corpus.wordings)
        self._keys = {kind: known_as(wording, lexicon) for kind, wording in corpus.wordings.items()}
        self._by_kind = {
            kind: [x for x in corpus.examples if x.kind == kind] for kind in [*self._kinds, None]
        }

    def tasks(self, count: int, *, damage: float = 0.5) -> Iterator[Task]:
        """That many tasks, a third each with all, half and nothing known."""
        for index in range(count):
            yield self._task(KNOWLEDGE[index % 3], damage)

    def _task(self, knowledge: str, damage: float) -> Task:
        dice = self._dice
        fitting = dice.random() < (0.5 if self._single else _FITTING)
        target = dice.choice([kind for kind in self._kinds if self._by_kind[kind]])
        others = self._others(target)
        kinds = dice.sample(others, min(len(others), self._count() - fitting))
        kinds = [*kinds, target] if fitting else kinds or others[:1]
        dice.shuffle(kinds)
        foreign = self._by_kind[None]
        pool = foreign if not fitting and foreign and dice.random() < 0.4 else self._by_kind[target]
        return Task(
            rules=_distinct([self._corpus.wordings[kind].rule(dice) for kind in kinds], kinds),
            example=dice.choice(pool),
            damage=dice.randrange(3) if dice.random() < damage else None,
            gold=kinds.index(target) if fitting else None,
            hidden=self._hidden(kinds, knowledge),
            knowledge=knowledge,
        )

    def _count(self) -> int:
        if self._single:
            return 1
        return self._size or self._dice.choice((2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 10, 14))

    def _others(self, target: str) -> list[str]:
        """The types that a document of this one cannot be said to fit as well."""
        related = {
            member
            for key in self._keys[target]
            if key in self._lexicon.types
            for member in self._lexicon.family(key)
        }
        return [kind for kind in self._kinds if kind != target and not related & self._keys[kind]]

    def _hidden(self, kinds: list[str], knowledge: str) -> frozenset[str]:
        if knowledge == "known":
            return frozenset()
        some = kinds if knowledge == "unknown" else self._dice.sample(kinds, (len(kinds) + 1) // 2)
        return frozenset(key for kind in some for key in self._keys[kind])


def known_as(wording: Wording, lexicon: Lexicon) -> set[str]:
    """Every type of the lexicon to which some wording of a type could be linked."""
    keys: set[str] = set()
    for label in wording.labels:
        for text in (*wording.full, *wording.terse):
            while link := find_link(Rule(label, text), lexicon, keys):
                keys.add(link.key)
                if link.strength < 0.85:
                    break
    return keys


def _distinct(rules: list[Rule], kinds: list[str]) -> tuple[Rule, ...]:
    labels = [rule.type for rule in rules]
    return tuple(
        rule if labels.count(rule.type) == 1 else Rule(kind[:50], rule.description)
        for rule, kind in zip(rules, kinds, strict=True)
    )
