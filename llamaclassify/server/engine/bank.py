"""The known types as vectors: what a rule may be linked to by meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from .encoder import Encoder
from .lexicon import DocumentType, Lexicon
from .values import Vectors

_NAMES = 6


@frozen(eq=False)
class Bank:
    """A vector for every known type.

    Attributes:
        keys: The types.
        names: What they are called: what a rule is compared with. One row a type.
    """

    keys: tuple[str, ...]
    names: Vectors

    @classmethod
    def of(cls, lexicon: Lexicon, encoder: Encoder) -> Bank:
        """Encode all types of a lexicon."""
        types = lexicon.types.values()
        return cls(
            tuple(lexicon.types),
            encoder.encode([_described(known, known.called[:_NAMES]) for known in types]),
        )

    def closeness(self, vector: Vectors) -> Mapping[str, float]:
        """How close in meaning a rule is to each type."""
        return dict(zip(self.keys, (self.names @ vector).tolist(), strict=True))


def _described(known: DocumentType, phrases: Sequence[str]) -> str:
    return f"{known.key.replace('_', ' ')}: {', '.join(phrases)}"
