"""Fits the network that corrects a sum of weighed features: Adam, on all tasks at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from llamaclassify.server.engine.model import Correction
from llamaclassify.server.engine.values import Floats

_STEPS, _RATE = 300, 0.01
_MEAN, _SQUARE = 0.9, 0.999
_PENALTY = 0.002
# A feature that varies less tells nothing.
_LEAST_SPREAD = 1e-3
# The mean of several small networks errs less than one.
_NETWORKS, _UNITS = 4, 16


def fit_correction(
    rows: Sequence[Floats], scores: Sequence[Floats], golds: Sequence[int], *, used: Floats
) -> Correction:
    """A network whose output, added to scores, makes the right options likely.

    Args:
        rows: For every task one row an option, without "none".
        scores: What the options have already.
        golds: For every task the index of the right option; that after the last for none.
        used: 1 for each feature that the network may see, else 0.
    """
    tasks = _Tasks(rows, scores, golds, used)
    networks = [_fit(tasks, np.random.default_rng(seed)) for seed in range(_NETWORKS)]
    inward, offset, outward = (np.concatenate(parts, axis=-1) for parts in zip(*networks, strict=True))
    inward = inward * tasks.telling[:, np.newaxis] / tasks.spread[:, np.newaxis]
    return Correction(inward, offset - tasks.centre @ inward, outward / _NETWORKS)


class _Tasks:
    """All options of all tasks in one table, features in units of their spread."""

    def __init__(
        self, rows: Sequence[Floats], scores: Sequence[Floats], golds: Sequence[int], used: Floats
    ) -> None:
        """Lay them out; "none" is the last column of `scores`."""
        sizes = np.array([len(options) for options in rows])
        together = np.vstack(rows) * used
        self.telling = together.std(axis=0) > _LEAST_SPREAD
        self.centre = together.mean(axis=0)
        self.spread = np.where(self.telling, together.std(axis=0), 1.0)
        self.features = (together - self.centre) / self.spread * self.telling
        self.task = np.repeat(np.arange(len(rows)), sizes)
        self.place = np.concatenate([np.arange(size) for size in sizes])
        self.scores = np.full((len(rows), sizes.max() + 1), -np.inf)
        self.scores[self.task, self.place] = np.concatenate(scores)
        self.scores[:, -1] = 0.0
        self.right = np.zeros_like(self.scores)
        columns = [
            gold if gold < size else self.scores.shape[1] - 1 for gold, size in zip(golds, sizes, strict=True)
        ]
        self.right[np.arange(len(rows)), columns] = 1.0

    def slopes(self, added: Floats) -> Floats:
        """For every option how the mean loss grows with what is added to its score."""
        scores = self.scores.copy()
        scores[self.task, self.place] += added
        raised = np.exp(scores - scores.max(axis=1, keepdims=True))
        chances = raised / raised.sum(axis=1, keepdims=True)
        slopes: Floats = ((chances - self.right) / len(scores))[self.task, self.place]
        return slopes


def _fit(tasks: _Tasks, dice: np.random.Generator) -> list[Floats]:
    width = tasks.features.shape[1]
    bound = 1 / np.sqrt(width)
    parts = [
        dice.uniform(-bound, bound, (width, _UNITS)),
        dice.uniform(-bound, bound, _UNITS),
        np.zeros(_UNITS),
    ]
    means, squares = ([np.zeros_like(part) for part in parts] for _ in range(2))
    for step in range(1, _STEPS + 1):
        for index, slope in enumerate(_slopes(tasks, *parts)):
            means[index] = _MEAN * means[index] + (1 - _MEAN) * slope
            squares[index] = _SQUARE * squares[index] + (1 - _SQUARE) * slope**2
            mean, square = means[index] / (1 - _MEAN**step), squares[index] / (1 - _SQUARE**step)
            parts[index] = parts[index] - _RATE * mean / (np.sqrt(square) + 1e-8)
    return parts


def _slopes(tasks: _Tasks, inward: Floats, offset: Floats, outward: Floats) -> list[Floats]:
    hidden = np.tanh(tasks.features @ inward + offset)
    slopes = tasks.slopes(hidden @ outward)
    back = slopes[:, np.newaxis] * outward * (1 - hidden**2)
    return [
        tasks.features.T @ back + 2 * _PENALTY * inward,
        back.sum(axis=0) + 2 * _PENALTY * offset,
        hidden.T @ slopes + 2 * _PENALTY * outward,
    ]
