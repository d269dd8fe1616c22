"""What samples taught the engine, and what it is without some of them."""

from __future__ import annotations

import numpy as np
import pytest

from llamaclassify.server.engine.learned import Learned
from llamaclassify.server.engine.lexicon import Lexicon
from llamaclassify.server.engine.reading import Reading
from llamaclassify.server.engine.style import STYLE, style
from llamaclassify.server.text import Page

from .evaluation.learning import SAMPLES, Samples

BILL = (
    "Invoice no. 7\nQty  Item   Price\n2    lamps  40.00\nVAT 20 %    16.00\nAmount due  96.00 by 3 May 2024"
)


def reading(text: str) -> Reading:
    return Reading.of([Page(1, text)])


@pytest.fixture(scope="module")
def learned() -> Learned:
    return Learned.load()


def test_every_known_type_was_learnt(learned):
    assert set(Lexicon.load().types) < set(learned.keys)
    assert {path.stem for path in SAMPLES.glob("*.txt")} == set(learned.keys)


def test_a_document_is_like_those_of_its_type_by_words_and_style_alone(learned):
    read = reading(BILL)
    likeness = learned.likeness(learned.vector(read, None))
    assert max(likeness, key=likeness.__getitem__) == "invoice"
    assert learned.closeness(None) == {}


def test_the_words_that_decide_stand_in_the_document(learned):
    read = reading(BILL)
    telling = learned.telling(learned.vector(read, None), read, "invoice")
    assert "vat" in telling[:5]
    assert set(telling) <= set(read.words)
    assert learned.telling(learned.vector(read, None), read, "no such type") == []


def test_style_counts_marks_and_lines():
    found = dict(zip(STYLE, style([Page(1, BILL)]), strict=True))
    prose = dict(zip(STYLE, style([Page(1, "It was a dark night, and nobody came. " * 9)]), strict=True))
    assert found["digit"] > prose["digit"] == 0
    assert found["columns"] > prose["columns"] == 0
    assert prose["words a line"] > found["words a line"]
    assert np.isfinite(style([Page(1, "")])).all()


def test_types_are_left_out_exactly():
    """As if the model had been fitted without them."""
    dice = np.random.default_rng(3)
    kinds = tuple(np.repeat(["a", "b", "c", "d"], 5).tolist())
    vectors = dice.normal(size=(20, 30))
    empty = {"vocabulary": {}, "rarity": np.zeros(0), "centre": np.zeros(1), "spread": np.ones(1)}

    def taught(kinds: tuple[str, ...], vectors: np.ndarray) -> Samples:
        keys = tuple(dict.fromkeys(kinds))
        return Samples.of(kinds, vectors, Learned(keys, **empty, weights=np.zeros(0), asked=np.eye(4)))

    everything = taught(kinds, vectors)
    fitted_anew = taught(kinds[:10], vectors[:10])
    document = dice.normal(size=30)
    less = everything.without({"c", "d"}).likeness(document)
    assert less == pytest.approx(fitted_anew.all.likeness(document))
    assert everything.without(()).likeness(document) == pytest.approx(everything.all.likeness(document))
