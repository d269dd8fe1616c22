"""How good answers are, against labels: accuracy, precision and recall, confusion, calibration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from attrs import frozen

from .output import Record

NO_RULE = "(no rule fits)"
ERROR = "(error)"
_BINS = 10


@frozen
class Judged(Record):
    """A record beside the label of its document.

    Attributes:
        expected: The type it should get; None where no rule should fit.
    """

    expected: str | None

    @property
    def is_right(self) -> bool:
        """Whether the answer is the label."""
        return self.error is None and self.type == self.expected

    @property
    def found_name(self) -> str:
        """What was found, as a name."""
        return ERROR if self.error is not None else named(self.type)


def named(type: str | None) -> str:
    """Give the name of a type, or of none."""
    return NO_RULE if type is None else type


@frozen
class TypeScore:
    """How well one type is told.

    Attributes:
        name: The type.
        count: Documents that are of it.
        precision: The share of those called so that are; None where none is called so.
        recall: The share of those that are, that are called so; None where there are none.
    """

    name: str
    count: int
    precision: float | None
    recall: float | None


@frozen
class Bin:
    """Answers of about the same confidence.

    Attributes:
        least: The lower end of the confidence.
        count: How many.
        confidence: Their mean confidence.
        right: The share of them that is right.
    """

    least: float
    count: int
    confidence: float
    right: float


@frozen
class Scores:
    """How good the answers to many documents are."""

    records: tuple[Judged, ...]

    @property
    def accuracy(self) -> float:
        """The share of documents that are right; one that failed is not."""
        return sum(record.is_right for record in self.records) / len(self.records)

    @property
    def failed(self) -> int:
        """Documents with no answer."""
        return sum(record.error is not None for record in self.records)

    def confusion(self) -> Counter[tuple[str, str]]:
        """Count the documents of each label and answer."""
        return Counter((named(record.expected), record.found_name) for record in self.records)

    def names(self) -> list[str]:
        """Give the labels and answers there are: types by name, then none, then errors."""
        names = {name for pair in self.confusion() for name in pair}
        return sorted(names, key=lambda name: (name == ERROR, name == NO_RULE, name))

    def by_type(self) -> list[TypeScore]:
        """Score each type, and the answer that no rule fits."""
        confusion = self.confusion()
        expected: Counter[str] = Counter()
        found: Counter[str] = Counter()
        for (label, answer), count in confusion.items():
            expected[label] += count
            found[answer] += count
        return [
            TypeScore(
                name,
                expected[name],
                _share(confusion[name, name], found[name]),
                _share(confusion[name, name], expected[name]),
            )
            for name in self.names()
            if name != ERROR
        ]

    def calibration(self) -> list[Bin]:
        """Compare how sure the answers are with how often they are right."""
        answers = sorted(
            (record.confidence, record.is_right) for record in self.records if record.confidence is not None
        )
        bins = []
        for number, group in groupby(answers, lambda answer: min(int(answer[0] * _BINS), _BINS - 1)):
            some = list(group)
            confidence = sum(sure for sure, _ in some) / len(some)
            bins.append(
                Bin(number / _BINS, len(some), confidence, sum(right for _, right in some) / len(some))
            )
        return bins

    @property
    def calibration_error(self) -> float | None:
        """How far confidence and truth are apart, on average over the answers."""
        bins = self.calibration()
        total = sum(bin.count for bin in bins)
        return sum(bin.count * abs(bin.confidence - bin.right) for bin in bins) / total if total else None

    def worst(self) -> list[Judged]:
        """Give what is wrong, the surest first; what failed comes last."""
        wrong = [record for record in self.records if not record.is_right]
        return sorted(wrong, key=lambda record: (record.error is not None, -(record.confidence or 0.0)))


def scores_of(records: Iterable[Judged]) -> Scores:
    """Score judged records; at least one."""
    return Scores(tuple(records))


def judged(record: Record, expected: str | None) -> Judged:
    """Put a label beside a record."""
    return Judged(
        document=record.document,
        status=record.status,
        type=record.type,
        confidence=record.confidence,
        reasoning=record.reasoning,
        job_id=record.job_id,
        error=record.error,
        expected=expected,
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def differing(one: Sequence[Judged], other: Sequence[Judged]) -> list[tuple[Judged, Judged]]:
    """Pair the documents that two evaluations do not both get right: what got better, worse, stayed wrong."""
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if not (a.is_right and b.is_right)]
    return sorted(pairs, key=lambda pair: (pair[0].is_right == pair[1].is_right, pair[0].is_right))
