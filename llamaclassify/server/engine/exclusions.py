"""What a rule says a document must not be ("not receipts") or carry ("not from ACME")."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from attrs import frozen

from .lexical import presence
from .lexicon import Evidence, Lexicon
from .negation import excluded
from .rarity import rarity
from .reading import Reading
from .tokens import STOP_WORDS


@frozen
class Exclusions:
    """The exclusions of one rule.

    Attributes:
        types: The known types that it excludes.
        words: What else it excludes, each a few words that stand together in its description.
    """

    types: frozenset[str]
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
        rest = []
        for part in excluded(description):
            keys = [key for key in lexicon.names.get(part, ()) if key not in hidden and key != own]
            types.update(keys)
            if not keys:
                rest.append(part)
        return cls(frozenset(types), tuple(rest))

    def strongest_type(self, evidence: Mapping[str, Evidence]) -> float:
        """How much a document looks like one of the excluded types: 0 to 1."""
        return max((evidence[key].score for key in self.types if key in evidence), default=0.0)

    def strongest_words(self, reading: Reading) -> float:
        """How plainly a document carries something that is excluded: 0 to 1."""
        return max((carried(part, reading) for part in self.words), default=0.0)


def carried(part: tuple[str, ...], reading: Reading) -> float:
    """How plainly all words of an exclusion stand in a document: rare ones and early ones more so."""
    telling = [word for word in part if word not in STOP_WORDS]
    worth = sum(map(rarity, telling)) / len(telling)
    return worth * min(presence(word, reading) for word in telling)
