"""The known types as vectors: what a rule may be linked to by meaning, what a document resembles."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from .encoder import Encoder, Vectors
from .lexicon import DocumentType, Lexicon

_NAMES = 6


@frozen(eq=False)
class Bank:
    """A vector for every known type.

    Attributes:
        keys: The types.
        vectors: One row a type.
    """

    keys: tuple[str, ...]
    vectors: Vectors

    @classmethod
    def of(cls, lexicon: Lexicon, encoder: Encoder) -> Bank:
        """Encode all types of a lexicon."""
        texts = [_described(known) for known in lexicon.types.values()]
        return cls(tuple(lexicon.types), encoder.encode(texts))

    def closeness(self, vector: Vectors) -> Mapping[str, float]:
        """How close in meaning a text is to each type."""
        return dict(zip(self.keys, (self.vectors @ vector).tolist(), strict=True))


def _described(known: DocumentType) -> str:
    return f"{known.key.replace('_', ' ')}: {', '.join(known.called[:_NAMES])}"
