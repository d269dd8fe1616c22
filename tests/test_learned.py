"""What samples taught the engine, and what it is without some of them."""

from __future__ import annotations

import numpy as np
import pytest

from llamaclassify.server.engine.learned import PARTS, Learned
from llamaclassify.server.engine.lexicon import Lexicon
from llamaclassify.server.engine.reading import Reading
from llamaclassify.server.engine.style import STYLE, style
from llamaclassify.server.text import Page

from .evaluation.corpus import SAMPLES, Corpus, Example, Wording
from .evaluation.learning import Samples

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


def taught(kinds: str, vectors: np.ndarray) -> Samples:
    """What documents teach whose types are single letters."""
    keys = tuple(dict.fromkeys(kinds))
    empty = {"vocabulary": {}, "rarity": np.zeros(5), "centre": np.zeros(1), "spread": np.ones(1)}
    to_fit = {name: np.zeros(0) for name in ("weights", "usual", "typical")}
    learned = Learned(keys, **empty, **to_fit, asked=np.eye(len(keys), 10))
    wordings = {key: Wording((key,), (key,), (key,), ()) for key in keys}
    examples = tuple(Example(kind, f"{kind}{number}", ()) for number, kind in enumerate(kinds))
    return Samples.of(Corpus(wordings, examples, {}, {}), vectors, learned)


@pytest.mark.parametrize(
    ("keys", "document", "left"),
    [
        ({"c", "d"}, "", slice(10)),
        ({"d"}, "c14", slice(14)),
        ((), "", slice(20)),
        (set("bcd"), "a0", slice(1, 5)),
    ],
)
def test_types_and_documents_are_left_out_exactly(keys, document, left):
    """As if the model had been fitted without them."""
    dice = np.random.default_rng(3)
    kinds = "aaaaabbbbbcccccddddd"
    vectors = dice.normal(size=(20, 30))
    asked_about = dice.normal(size=30)
    less = taught(kinds, vectors).without(keys, document)
    fitted_anew = taught(kinds[left], vectors[left]).all
    assert less.likeness(asked_about) == pytest.approx(fitted_anew.likeness(asked_about))
    assert less.usual == pytest.approx(fitted_anew.usual)
    assert less.typical == pytest.approx(fitted_anew.typical)


def test_a_document_resembles_what_it_was_made_of():
    dice = np.random.default_rng(3)
    vectors = dice.normal(size=(20, 30))
    learned = taught("aaaaabbbbbcccccddddd", vectors).all
    of_b = learned.usual + learned.typical[1]
    found = learned.resemblance(of_b, learned.typical)
    assert found.shape == (4, len(PARTS))
    assert found[1] == pytest.approx(np.ones(len(PARTS)))
    assert (found[[0, 2, 3]] < 0.9).all()
    assert learned.resemblance(learned.usual, learned.typical) == pytest.approx(np.zeros((4, 4)))


def test_a_type_without_documents_is_none():
    samples = taught("abbb", np.random.default_rng(3).normal(size=(4, 30)))
    less = samples.without((), "a0")
    assert less.keys == ("b",)
    assert np.isfinite(less.typical).all()
