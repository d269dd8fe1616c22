"""How good answers are, against labels: accuracy, precision and recall, confusion, calibration."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from itertools import groupby

import attrs
from attrs import frozen

from .records import Record

NO_RULE = "(no rule fits)"
ERROR = "(error)"
_BINS = 10


@frozen
class Judged(Record):
    """A record beside the label of its document.

    Attributes:
        expected: The type it should get; None where no rule should fit.
        rules: The file of the rules that it was classified by.
    """

    expected: str | None
    rules: str | None = None

    @classmethod
    def beside(cls, record: Record, expected: str | None, rules: str) -> Judged:
        """Put a label beside a record."""
        return cls(**attrs.asdict(record), expected=expected, rules=rules)

    @property
    def is_right(self) -> bool:
        """Whether the answer is the label."""
        return self.error is None and self.type == self.expected


def named(type: str | None) -> str:
    """Give the name of a type, or of none."""
    return NO_RULE if type is None else type


def found_name(record: Record) -> str:
    """Give the name of what was found."""
    return ERROR if record.error is not None else named(record.type)


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
    """How good the answers to many documents are; there is at least one."""

    records: tuple[Judged, ...]

    @property
    def right(self) -> int:
        """Documents with the right answer."""
        return sum(record.is_right for record in self.records)

    @property
    def accuracy(self) -> float:
        """The share of documents that are right; one that failed is not."""
        return self.right / len(self.records)

    @property
    def failed(self) -> int:
        """Documents with no answer."""
        return sum(record.error is not None for record in self.records)

    @cached_property
    def confusion(self) -> Counter[tuple[str, str]]:
        """The documents of each label and answer."""
        return Counter((named(record.expected), found_name(record)) for record in self.records)

    @cached_property
    def names(self) -> list[str]:
        """The labels and answers there are: types by name, then none, then errors."""
        names = {name for pair in self.confusion for name in pair}
        return sorted(names, key=lambda name: (name == ERROR, name == NO_RULE, name))

    def by_type(self) -> list[TypeScore]:
        """Score each type, and the answer that no rule fits."""
        confusion = self.confusion
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
            for name in self.names
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


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
