"""Runs tasks through the engine's parts; a document is read once, however many tasks it is in."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

import numpy as np
from attrs import define, field, frozen

from llamaclassify.server.engine.bank import Bank
from llamaclassify.server.engine.encoder import Encoder, Vectors
from llamaclassify.server.engine.features import features
from llamaclassify.server.engine.lexicon import Lexicon
from llamaclassify.server.engine.reading import Reading
from llamaclassify.server.engine.scores import (
    Floats,
    RuleSet,
    Scores,
    Sources,
    measure,
    prepare_rules,
    read_sources,
)

from .corpus import Example
from .noise import damaged
from .tasks import Task


@define
class RememberingEncoder:
    """An encoder that encodes no text twice."""

    encoder: Encoder
    known: dict[str, Vectors] = field(factory=dict, repr=False)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row a text."""
        if new := [text for text in dict.fromkeys(texts) if text not in self.known]:
            self.known.update(zip(new, self.encoder.encode(new), strict=True))
        return np.stack([self.known[text] for text in texts])


@frozen(eq=False)
class Measured:
    """A task and what was measured for it."""

    task: Task
    scores: Scores
    rows: Floats


@define
class Bench:
    """The engine's parts, with a memory."""

    lexicon: Lexicon
    encoder: Encoder | None
    bank: Bank | None = field(init=False)
    _sources: dict[tuple[str, int | None], Sources] = field(factory=dict, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.bank = Bank.of(self.lexicon, self.encoder) if self.encoder else None

    def measure(self, tasks: Iterable[Task]) -> list[Measured]:
        """Measure every task."""
        return [self._measure(task) for task in tasks]

    def _measure(self, task: Task) -> Measured:
        ruleset: RuleSet = prepare_rules(task.rules, self.lexicon, self.encoder, self.bank, task.hidden)
        scores = measure(self.sources(task.example, task.damage), ruleset, self.lexicon, task.hidden)
        return Measured(task, scores, features(scores))

    def sources(self, example: Example, damage: int | None) -> Sources:
        """A document, read, with or without damage."""
        key = (example.name, damage)
        if key not in self._sources:
            pages = example.pages
            if damage is not None:
                pages = damaged(pages, random.Random(f"{example.name} {damage}"))  # noqa: S311
            self._sources[key] = read_sources(Reading.of(pages), self.lexicon, self.encoder, self.bank)
        return self._sources[key]
