"""Runs tasks through the engine's parts; a document is read once, however many tasks it is in."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

import numpy as np
from attrs import define, evolve, field, frozen

from llamaclassify.server.engine.encoder import Encoder, load_encoder
from llamaclassify.server.engine.features import features
from llamaclassify.server.engine.knowledge import Knowledge
from llamaclassify.server.engine.learned import Learned
from llamaclassify.server.engine.lexicon import Lexicon
from llamaclassify.server.engine.reading import Reading
from llamaclassify.server.engine.rule_set import RuleSet
from llamaclassify.server.engine.scores import Scores, measure
from llamaclassify.server.engine.sources import Sources
from llamaclassify.server.engine.values import Floats, Vectors

from .learning import Samples
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
    """The engine's parts, with a memory.

    Attributes:
        lexicon: What is written down about the known types.
        encoder: None does without.
        samples: What the rest is learnt from.
    """

    lexicon: Lexicon
    encoder: Encoder | None
    samples: Samples
    _knowledge: Knowledge = field(init=False, repr=False)
    _sources: dict[tuple[str, int | None], Sources] = field(factory=dict, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._knowledge = Knowledge(self.lexicon, self.samples.all, self.encoder)

    @classmethod
    def new(cls) -> Bench:
        """Load the engine's parts."""
        found = load_encoder()
        if found is None:
            message = "the encoder is not installed: pip install 'llamaclassify[local]'"
            raise SystemExit(message)
        remembering = RememberingEncoder(found)
        return cls(Lexicon.load(), remembering, Samples.read(remembering))

    def without_encoder(self) -> Bench:
        """The same parts, but for the encoder."""
        return Bench(self.lexicon, None, self.samples)

    def measure(self, tasks: Iterable[Task]) -> list[Measured]:
        """Measure every task."""
        return [self._measure(task) for task in tasks]

    def _measure(self, task: Task) -> Measured:
        knowledge = evolve(self._knowledge, learned=self.samples.without(task.hidden, task.example.name))
        rules = RuleSet.of(task.rules, knowledge, task.hidden)
        scores = measure(self._read(task, knowledge.learned), rules, knowledge, task.hidden)
        return Measured(task, scores, features(scores))

    def _read(self, task: Task, learned: Learned) -> Sources:
        """A document, with or without damage: as far as it does not depend on what was learnt, read once."""
        key = (task.example.name, task.damage)
        if key not in self._sources:
            pages = task.example.pages
            if task.damage is not None:
                pages = damaged(pages, random.Random(f"{key[0]} {task.damage}"))  # noqa: S311
            self._sources[key] = Sources.of(Reading.of(pages), self._knowledge)
        read = self._sources[key]
        return evolve(read, likeness=learned.likeness(read.vector), closeness=learned.closeness(read.vectors))
