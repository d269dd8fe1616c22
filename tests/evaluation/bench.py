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
from llamaclassify.server.engine.model import Model
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


@frozen
class Report:
    """What a set of answers was worth.

    Attributes:
        tasks: How many there were.
        accuracy: Right answers, none included, of all tasks.
        answered_right: Right answers where the engine named a rule.
        none_recall: "None" where none was right.
        calibration_error: Expected calibration error over ten bins.
    """

    tasks: int
    accuracy: float
    answered_right: float
    none_recall: float
    calibration_error: float

    def __str__(self) -> str:
        return (
            f"{self.tasks:5d} tasks  accuracy {self.accuracy:.3f}  when it answers {self.answered_right:.3f}"
            f"  none recall {self.none_recall:.3f}  ECE {self.calibration_error:.3f}"
        )


def report(measured: Sequence[Measured], model: Model, *, encoder: bool) -> Report:
    """Let a model answer and count."""
    confidences, right, answers, golds = [], [], [], []
    for one in measured:
        chances = model.probabilities(one.rows, encoder=encoder)
        answer = int(np.argmax(chances))
        gold = len(one.rows) if one.task.gold is None else one.task.gold
        confidences.append(chances[answer])
        right.append(answer == gold)
        answers.append(answer == len(one.rows))
        golds.append(gold == len(one.rows))
    hits, none, none_right = np.array(right), np.array(answers), np.array(golds)
    return Report(
        tasks=len(measured),
        accuracy=float(hits.mean()),
        answered_right=float(hits[~none].mean()) if (~none).any() else float("nan"),
        none_recall=float(hits[none_right].mean()) if none_right.any() else float("nan"),
        calibration_error=_calibration_error(np.array(confidences), hits),
    )


def _calibration_error(confidences: Floats, right: Floats) -> float:
    bins = np.minimum((confidences * 10).astype(int), 9)
    gaps = (
        (bins == one).mean() * abs(right[bins == one].mean() - confidences[bins == one].mean())
        for one in set(bins)
    )
    return float(sum(gaps))
