"""From features to a probability for every rule and for none of them.

Four sets of weights: for several rules or one alone, with an encoder or without. The file is written by
``python -m tests.evaluation.fit``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files

import numpy as np
from attrs import field, frozen

from .features import NAMES
from .values import Floats

SETS = ("several", "several_without_encoder", "single", "single_without_encoder")


def weights_name(rules: int, *, encoder: bool) -> str:
    """Which of the `SETS` goes with a task."""
    return ("several" if rules > 1 else "single") + ("" if encoder else "_without_encoder")


@frozen
class Model:
    """Multinomial logistic regression over the rules and "none", whose score is 0.

    Attributes:
        weights: One weight a feature, for each of the `SETS`.
    """

    weights: Mapping[str, Floats] = field(eq=False)

    @classmethod
    def load(cls) -> Model:
        """Read the weights that come with the package."""
        text = (files("llamaclassify.server.engine") / "weights.toml").read_text(encoding="utf-8")
        tables = tomllib.loads(text)
        return cls({name: np.array([tables[name].get(key, 0.0) for key in NAMES]) for name in SETS})

    def probabilities(self, rows: Floats, *, encoder: bool) -> Floats:
        """The probability of each rule, and last that of none."""
        scores = rows @ self.weights[weights_name(len(rows), encoder=encoder)]
        return softmax(np.append(scores, 0.0))


def softmax(scores: Floats) -> Floats:
    """Scores as probabilities."""
    raised = np.exp(scores - scores.max())
    result: Floats = raised / raised.sum()
    return result
