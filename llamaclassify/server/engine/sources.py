"""A document, read once: what every set of rules is measured against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from .chunks import Chunk, chosen_chunks
from .knowledge import Knowledge
from .lexicon import Evidence
from .reading import Reading
from .values import Floats, Vectors


@frozen(eq=False)
class Sources:
    """What a document shows, whatever it is asked.

    Attributes:
        reading: Its words.
        evidence: What it shows of each type of the lexicon.
        chunks: Its passages.
        vectors: Their vectors; None without an encoder.
        vector: The document as `Learned` sees it.
        likeness: How much it is like the samples of each type that was learnt.
        closeness: How close in meaning it is to what people ask for by each of these; empty without an
            encoder.
    """

    reading: Reading
    evidence: Mapping[str, Evidence]
    chunks: Sequence[Chunk]
    vectors: Vectors | None
    vector: Floats
    likeness: Mapping[str, float]
    closeness: Mapping[str, float]

    @classmethod
    def of(cls, reading: Reading, knowledge: Knowledge) -> Sources:
        """Do with a document what needs no rules."""
        evidence, learned = knowledge.lexicon.evidence(reading), knowledge.learned
        chunks = chosen_chunks(reading.pages)
        vectors = None
        if knowledge.encoder is not None and chunks:
            vectors = knowledge.encoder.encode([chunk.text for chunk in chunks])
        vector = learned.vector(reading, vectors)
        return cls(
            reading, evidence, chunks, vectors, vector, learned.likeness(vector), learned.closeness(vectors)
        )
