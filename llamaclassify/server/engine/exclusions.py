"""What a rule says a document must not be ("not receipts") or carry ("not from ACME")."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from attrs import frozen

from .lexical import presence
from .lexicon import Lexicon
from .negation import excluded
from .rarity import rarity
from .reading import Reading
from .tokens import STOP_WORDS


@frozen
class Exclusions:
    """The exclusions of one rule.

    Attributes:
        types: The known types that it excludes.
        names: The names that it excludes.
        words: What else it excludes, each a few words.
    """

    types: frozenset[str]
    names: tuple[tuple[str, ...], ...]
    words: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, description: str, lexicon: Lexicon, hidden: Collection[str], own: str | None) -> Exclusions:
        """Read a description's exclusions.

        Args:
            description: The rule's.
            lexicon: What is known.
            hidden: Types to act as if unknown.
            own: The rule's own known type, which it cannot exclude.
        """
        types: set[str] = set()
        names: list[tuple[str, ...]] = []
        rest: list[tuple[str, ...]] = []
        for part in excluded(description):
            keys = [key for key in lexicon.names.get(part.words, ()) if key not in hidden and key != own]
            types.update(keys)
            if not keys:
                (names if part.is_name else rest).append(part.words)
        return cls(frozenset(types), tuple(names), tuple(rest))


def most_carried(parts: Sequence[tuple[str, ...]], reading: Reading) -> float:
    """How plainly a document carries one of several exclusions: 0 to 1."""
    return max((carried(part, reading) for part in parts), default=0.0)


def carried(part: tuple[str, ...], reading: Reading) -> float:
    """How plainly all words of an exclusion stand in a document: rare ones and early ones more so."""
    telling = [word for word in part if word not in STOP_WORDS]
    worth = sum(map(rarity, telling)) / len(telling)
    return worth * min(presence(word, reading) for word in telling)
