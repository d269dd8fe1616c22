"""From features to a probability for every rule and for none of them.

Four sets of weights: for several rules or one alone, with an encoder or without. Each weighs the features,
and a small network corrects the sum. The files are written by ``python -m tests.evaluation.fit``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files

import numpy as np
from attrs import field, fields_dict, frozen

from .features import NAMES
from .values import Floats

SETS = ("several", "several_without_encoder", "single", "single_without_encoder")


def weights_name(rules: int, *, encoder: bool) -> str:
    """Which of the `SETS` goes with a task."""
    return ("several" if rules > 1 else "single") + ("" if encoder else "_without_encoder")


@frozen(eq=False)
class Correction:
    """A network of one hidden layer, for what a sum cannot say: that two features only count together.

    Attributes:
        inward: One row a feature, one column a hidden unit.
        offset: One entry a hidden unit.
        outward: The same.
    """

    inward: Floats
    offset: Floats
    outward: Floats

    def of(self, rows: Floats) -> Floats:
        """What to add to each row's score."""
        return np.asarray(np.tanh(rows @ self.inward + self.offset) @ self.outward, dtype=np.float64)


@frozen
class Model:
    """Logistic regression over the rules and "none", whose score is 0, with a correction.

    Attributes:
        weights: One weight a feature, for each of the `SETS`.
        corrections: One for each of the `SETS`.
    """

    weights: Mapping[str, Floats] = field(eq=False)
    corrections: Mapping[str, Correction] = field(eq=False)

    @classmethod
    def load(cls) -> Model:
        """Read the weights that come with the package."""
        folder, parts = files("llamaclassify.server.engine"), fields_dict(Correction)
        tables = tomllib.loads((folder / "weights.toml").read_text(encoding="utf-8"))
        with (folder / "corrections.npz").open("rb") as file, np.load(file) as found:
            corrections = {
                name: Correction(*(found[f"{name}_{part}"].astype(np.float64) for part in parts))
                for name in SETS
            }
        return cls(
            {name: np.array([tables[name].get(key, 0.0) for key in NAMES]) for name in SETS}, corrections
        )

    def probabilities(self, rows: Floats, *, encoder: bool) -> Floats:
        """The probability of each rule, and last that of none."""
        name = weights_name(len(rows), encoder=encoder)
        scores = rows @ self.weights[name] + self.corrections[name].of(rows)
        return softmax(np.append(scores, 0.0))


def softmax(scores: Floats) -> Floats:
    """Scores as probabilities."""
    raised = np.exp(scores - scores.max())
    result: Floats = raised / raised.sum()
    return result
