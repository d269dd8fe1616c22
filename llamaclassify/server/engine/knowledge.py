"""What the engine knows before it has seen a document or a rule."""

from __future__ import annotations

from attrs import define, field

from .bank import Bank
from .encoder import Encoder, load_encoder
from .learned import Learned
from .lexicon import Lexicon


@define(eq=False)
class Knowledge:
    """Common types of documents, and a way to compare meanings.

    Attributes:
        lexicon: What is written down about the types.
        learned: What samples of them taught.
        encoder: Sentence vectors; None compares words alone, and decides less well.
        bank: The names of the types as vectors; None without an encoder.
    """

    lexicon: Lexicon
    learned: Learned
    encoder: Encoder | None
    bank: Bank | None = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.bank = Bank.of(self.lexicon, self.encoder) if self.encoder else None

    @classmethod
    def load(cls) -> Knowledge:
        """Read what comes with the package."""
        return cls(Lexicon.load(), Learned.load(), load_encoder())
