"""Two sets of rules side by side, document by document."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from attrs import frozen

from .scores import Judged, Scores, TypeScore


class Change(StrEnum):
    """What the second rules change about a document; what needs a look comes first."""

    WORSE = "worse"
    BETTER = "better"
    BOTH_WRONG = "wrong by both"
    BOTH_RIGHT = "right by both"


_CHANGES = {
    (True, False): Change.WORSE,
    (False, True): Change.BETTER,
    (False, False): Change.BOTH_WRONG,
    (True, True): Change.BOTH_RIGHT,
}


@frozen
class Pair:
    """A document's answers by both rules."""

    first: Judged
    second: Judged

    @property
    def change(self) -> Change:
        """What the second rules change."""
        return _CHANGES[self.first.is_right, self.second.is_right]


@frozen
class Comparison:
    """The same documents by two sets of rules."""

    first: Scores
    second: Scores

    @cached_property
    def pairs(self) -> dict[Change, list[Pair]]:
        """The documents by what changes, what needs a look first."""
        pairs: dict[Change, list[Pair]] = {change: [] for change in Change}
        for one, other in zip(self.first.records, self.second.records, strict=True):
            pair = Pair(one, other)
            pairs[pair.change].append(pair)
        return pairs

    @property
    def names(self) -> tuple[str, str]:
        """The rules' files, as short as tells them apart."""
        first, second = (Path(scores.records[0].rules or "") for scores in (self.first, self.second))
        return (str(first), str(second)) if first.name == second.name else (first.name, second.name)

    def by_type(self) -> list[tuple[str, TypeScore | None, TypeScore | None]]:
        """Give each type's name and its scores by both; None by rules that never speak of it."""
        first, second = ({s.name: s for s in scores.by_type()} for scores in (self.first, self.second))
        return [(name, first.get(name), second.get(name)) for name in {**first, **second}]


def compared(records: Iterable[Judged]) -> Comparison | None:
    """Make a comparison of records of the same documents by two sets of rules; None where they are not."""
    by_rules: dict[str | None, dict[str, Judged]] = {}
    for record in records:
        by_rules.setdefault(record.rules, {})[record.document] = record
    if len(by_rules) != 2:
        return None
    first, second = by_rules.values()
    if first.keys() != second.keys():
        return None
    return Comparison(Scores(tuple(first.values())), Scores(tuple(second[name] for name in first)))
