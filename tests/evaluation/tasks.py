"""Tasks as people set them: some rules, and a document that fits one of them or none."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from itertools import permutations

from attrs import frozen

from llamaclassify.models import Rule
from llamaclassify.server.engine.lexicon import Lexicon
from llamaclassify.server.engine.links import find_link
from llamaclassify.server.engine.rarity import rarity
from llamaclassify.server.engine.tokens import singular

from .corpus import Corpus, Example, Wording

KNOWLEDGE = ("known", "half", "unknown")
_LOOKALIKE = 0.5
_CLAUSES = (
    (", not from {}", "; except from {}", ". Not {}.", ", nothing from {}", ", excluding {}"),
    (", not a {}", "; no {}", ". Not a {}.", ", except {}s", " rather than a {}"),
)
_NAME = re.compile(r"\b[A-Z][a-z]{4,}\b")


@frozen
class Task:
    """One document to classify.

    Attributes:
        rules: Of different types.
        kinds: The types of the corpus that the rules ask for.
        example: The document.
        damage: The seed of its damage; None leaves it as it is.
        gold: The index of the right rule; None when none is.
        hidden: The known types to act as if unknown: no phrase, name or sample of theirs was ever seen.
        knowledge: How much is known about the rules, one of `KNOWLEDGE`.
    """

    rules: tuple[Rule, ...]
    kinds: tuple[str, ...]
    example: Example
    damage: int | None
    gold: int | None
    hidden: frozenset[str]
    knowledge: str


class Sampler:
    """Draws tasks from a corpus, always the same ones for a seed."""

    def __init__(
        self,
        corpus: Corpus,
        lexicon: Lexicon,
        seed: int,
        *,
        size: int = 0,
        fitting: float = 0.75,
        excluding: float = 0.0,
    ) -> None:
        """Prepare to draw.

        Args:
            corpus: Documents, and how their types are asked for.
            lexicon: What is known.
            seed: Of the dice.
            size: How many rules a task has; 0 for two to fourteen.
            fitting: The share of tasks in which one rule is right.
            excluding: The share in which a rule says what a document must not be.
        """
        self._excluding_share = excluding
        self._corpus, self._lexicon, self._dice = corpus, lexicon, random.Random(seed)  # noqa: S311
        self._size, self._fitting = size, fitting
        self._kinds = sorted(corpus.wordings)
        self._keys = {kind: known_as(wording, lexicon) | {kind} for kind, wording in corpus.wordings.items()}
        self._main = {kind: _main_key(wording, lexicon) for kind, wording in corpus.wordings.items()}
        self._by_kind = {kind: corpus.of_kind(kind) for kind in [*self._kinds, None]}

    def tasks(self, count: int, *knowledge: str, damage: float = 0.5) -> Iterator[Task]:
        """That many tasks; what the lexicon knows goes round, among all of `KNOWLEDGE` if none is given."""
        among = knowledge or KNOWLEDGE
        for index in range(count):
            yield self._task(among[index % len(among)], damage)

    def _task(self, knowledge: str, damage: float) -> Task:
        dice = self._dice
        fitting = dice.random() < self._fitting
        target = dice.choice([kind for kind in self._kinds if self._by_kind[kind]])
        kinds = self._rivals(target, self._count() - fitting)
        kinds = [*kinds, target] if fitting else kinds
        dice.shuffle(kinds)
        foreign = self._by_kind[None]
        pool = foreign if not fitting and foreign and dice.random() < 0.4 else self._by_kind[target]
        example = dice.choice(pool)
        rules = _distinct([self._corpus.wordings[kind].rule(dice) for kind in kinds], kinds)
        gold = kinds.index(target) if fitting else None
        if dice.random() < self._excluding_share:
            donor = dice.choice(self._corpus.examples)
            rules, gold = self._excluding(kinds, rules, gold, example, donor)
        return Task(
            rules=rules,
            kinds=tuple(kinds),
            example=example,
            damage=dice.randrange(3) if dice.random() < damage else None,
            gold=gold,
            hidden=self._hidden(kinds, knowledge),
            knowledge=knowledge,
        )

    def _count(self) -> int:
        return self._size or self._dice.choice((2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 10, 14))

    def _rivals(self, target: str, count: int) -> list[str]:
        """Types that a document of this one does not fit, look-alikes more often than the rest."""
        dice, others = self._dice, [kind for kind in self._kinds if not self._related(kind, target)]
        near = [kind for kind in others if kind in self._corpus.lookalikes.get(target, ())]
        picked: list[str] = []
        while others and len(picked) < count:
            pool = near if near and dice.random() < _LOOKALIKE else others
            kind = dice.choice(pool)
            picked.append(kind)
            others = [other for other in others if other != kind and not self._related(other, kind)]
            near = [other for other in near if other in others]
        return picked

    def _related(self, kind: str, other: str) -> bool:
        """Whether a document may be both."""
        keys = self._main[kind], self._main[other]
        return (
            kind in {other, *self._corpus.wordings[other].includes}
            or other in self._corpus.wordings[kind].includes
            or kind in self._corpus.overlapping.get(other, ())
            or any(one in self._lexicon.family(two) for one, two in permutations(keys) if one and two)
        )

    def _excluding(
        self, kinds: list[str], rules: tuple[Rule, ...], gold: int | None, example: Example, donor: Example
    ) -> tuple[tuple[Rule, ...], int | None]:
        """Let one rule exclude something: another type, or a name that the document has or has not."""
        dice = self._dice
        place = dice.randrange(len(rules)) if gold is None or dice.random() < 0.5 else gold
        sort = dice.choice(("type", "type", "name", "other name"))
        if sort == "type":
            near = [kind for kind in self._rivals(kinds[place], 1) if kind != kinds[place]]
            if gold is not None and place != gold:
                near = [kinds[gold]]
            said = self._corpus.wordings[near[0]].labels[0].lower() if near else ""
        else:
            said = _name_in(example if sort == "name" else donor, dice)
            if sort == "name" and place == gold:
                gold = None if said else gold
        if not said:
            return rules, gold
        clause = dice.choice(_CLAUSES[sort == "type"]).format(said)
        rule = Rule(rules[place].type, rules[place].description.rstrip(" .;") + clause)
        return (*rules[:place], rule, *rules[place + 1 :]), gold

    def _hidden(self, kinds: list[str], knowledge: str) -> frozenset[str]:
        if knowledge == "known":
            return frozenset()
        some = kinds if knowledge == "unknown" else self._dice.sample(kinds, (len(kinds) + 1) // 2)
        return frozenset(key for kind in some for key in self._keys[kind])


def _main_key(wording: Wording, lexicon: Lexicon) -> str | None:
    link = find_link(Rule(wording.labels[0], wording.full[0]), lexicon)
    return link.key if link else None


def _name_in(example: Example, dice: random.Random) -> str:
    """A name from the beginning of a document, such as that of whoever wrote it."""
    names = _NAME.findall(example.pages[0].text[:600])
    rare = [name for name in names if rarity(singular(name.lower())) >= 1]
    return dice.choice(rare) if rare else ""


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
