"""Multinomial logistic regression over a varying number of options, by Newton's method."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from llamaclassify.server.engine.model import softmax
from llamaclassify.server.engine.values import Floats

_STEPS = 30


def fit(
    rows: Sequence[Floats], golds: Sequence[int], *, penalty: Floats, used: Floats, expected: Floats
) -> Floats:
    """Weights under which the right options are likely.

    Args:
        rows: For every task one row an option; "none", with all zeros, comes last.
        golds: For every task the index of the right option.
        penalty: How much each weight is pulled to what is expected of it (L2).
        used: 1 for each feature that may have a weight, else 0.
        expected: What each weight is without any task.
    """
    weights = np.zeros(rows[0].shape[1])
    pull = np.where(used > 0, penalty, 1e9)
    for _ in range(_STEPS):
        gradient, curvature = pull * (weights - expected), np.diag(pull).astype(np.float64)
        for options, gold in zip(rows, golds, strict=True):
            chances = softmax(options @ weights)
            mean = chances @ options
            gradient = gradient + mean - options[gold]
            curvature += (options * chances[:, None]).T @ options - np.outer(mean, mean)
        step = np.linalg.solve(curvature, gradient)
        weights = weights - step
        if np.abs(step).max() < 1e-5:
            break
    return weights * (used > 0)
