"""What a set of answers is worth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from attrs import frozen

from llamaclassify.server.engine.model import Model

from .bench import Measured
from .tasks import Task

NONE = "none"


@frozen
class Answer:
    """An answer to a task; types are those of the corpus, or `NONE`."""

    task: Task
    gold: str
    given: str
    confidence: float

    @property
    def right(self) -> bool:
        """Whether it is the right one."""
        return self.gold == self.given


@frozen
class Report:
    """What answers were worth.

    Attributes:
        tasks: How many there were.
        accuracy: Right ones of all, null ones included.
        everyday: The same for everyday documents.
        wrong: A wrong type named, of all.
        macro_f1: The mean F1 of the types.
        null_precision: Right ones of the answers that are null.
        null_recall: Null answers where no rule fits.
        foreign_recall: The same for documents of no type at all.
        calibration_error: Expected calibration error over ten bins.
        separation: AUROC: how often a right answer is more confident than a wrong one.
    """

    tasks: int
    accuracy: float
    everyday: float
    wrong: float
    macro_f1: float
    null_precision: float
    null_recall: float
    foreign_recall: float
    calibration_error: float
    separation: float


@frozen
class TypeReport:
    """How one type fared."""

    tasks: int
    precision: float
    recall: float
    f1: float


def answers(measured: Sequence[Measured], model: Model, *, encoder: bool) -> list[Answer]:
    """Let a model answer."""
    return [_answer(one, model.probabilities(one.rows, encoder=encoder)) for one in measured]


def _answer(one: Measured, chances: npt.NDArray[np.float64]) -> Answer:
    options = [*one.task.kinds, NONE]
    gold = NONE if one.task.gold is None else options[one.task.gold]
    best = int(np.argmax(chances))
    return Answer(one.task, gold, options[best], float(chances[best]))


def report(given: Sequence[Answer]) -> Report:
    """Count."""
    right = np.array([answer.right for answer in given])
    confidences = np.array([answer.confidence for answer in given])
    types = by_type(given)
    null = types.pop(NONE, TypeReport(0, float("nan"), float("nan"), float("nan")))
    return Report(
        tasks=len(given),
        accuracy=float(right.mean()),
        everyday=_mean([answer.right for answer in given if "everyday" in answer.task.example.name]),
        wrong=float(np.mean([answer.given not in {answer.gold, NONE} for answer in given])),
        macro_f1=float(np.mean([one.f1 for one in types.values() if one.tasks])),
        null_precision=null.precision,
        null_recall=null.recall,
        foreign_recall=_mean([answer.right for answer in given if answer.task.example.kind is None]),
        calibration_error=_calibration_error(confidences, right),
        separation=_separation(confidences, right),
    )


def _mean(values: list[bool]) -> float:
    return float(np.mean(values)) if values else float("nan")


def by_type(given: Sequence[Answer]) -> dict[str, TypeReport]:
    """Count for every type apart."""
    kinds = sorted({answer.gold for answer in given} | {answer.given for answer in given})
    return {kind: _of_type(kind, given) for kind in kinds}


def _of_type(kind: str, given: Sequence[Answer]) -> TypeReport:
    hits = sum(answer.gold == answer.given == kind for answer in given)
    meant = sum(answer.gold == kind for answer in given)
    named = sum(answer.given == kind for answer in given)
    return TypeReport(
        meant,
        hits / named if named else float("nan"),
        hits / meant if meant else float("nan"),
        2 * hits / (meant + named),
    )


def _calibration_error(confidences: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> float:
    bins = np.minimum((confidences * 10).astype(int), 9)
    gaps = (
        (bins == one).mean() * abs(right[bins == one].mean() - confidences[bins == one].mean())
        for one in sorted(set(bins.tolist()))
    )
    return float(sum(gaps))


def _separation(confidences: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> float:
    if right.all() or not right.any():
        return float("nan")
    wins = np.sign(confidences[right][:, None] - confidences[~right][None, :])
    return float((wins.mean() + 1) / 2)
