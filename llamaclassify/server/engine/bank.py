"""The known types as vectors: what a rule may be linked to by meaning, what a document resembles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from .encoder import Encoder, Vectors
from .lexicon import DocumentType, Lexicon

_NAMES = 6
_CUES = 20


@frozen(eq=False)
class Bank:
    """Two vectors for every known type.

    Attributes:
        keys: The types.
        names: What they are called: what a rule is compared with. One row a type.
        contents: The phrases that they carry: what a document is compared with.
    """

    keys: tuple[str, ...]
    names: Vectors
    contents: Vectors

    @classmethod
    def of(cls, lexicon: Lexicon, encoder: Encoder) -> Bank:
        """Encode all types of a lexicon."""
        types = lexicon.types.values()
        return cls(
            tuple(lexicon.types),
            encoder.encode([_described(known, known.called[:_NAMES]) for known in types]),
            encoder.encode([_described(known, known.telling[:_CUES]) for known in types]),
        )

    def closeness(self, vector: Vectors) -> Mapping[str, float]:
        """How close in meaning a rule is to each type."""
        return dict(zip(self.keys, (self.names @ vector).tolist(), strict=True))


def _described(known: DocumentType, phrases: Sequence[str]) -> str:
    return f"{known.key.replace('_', ' ')}: {', '.join(phrases)}"
