"""The evaluation measures what it says: enough documents, the same each time, honest figures."""

from __future__ import annotations

import json
import math
import random

import numpy as np
import pytest
from click.testing import CliRunner

from llamaclassify.cli.main import commands
from llamaclassify.models import Rule
from llamaclassify.server.engine.engine import Engine
from llamaclassify.server.engine.lexicon import Lexicon

from .evaluation.as_files import right_ones, written
from .evaluation.corpus import DOCUMENTS, Corpus, Example
from .evaluation.layouts import laid_out
from .evaluation.measures import NONE, Answer, by_type, report
from .evaluation.network import fit_correction
from .evaluation.tasks import Sampler, Task
from .evaluation.training import halves


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus.read(DOCUMENTS)


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon.load()


def answer(gold: str, given: str, confidence: float) -> Answer:
    kind = None if gold == NONE else gold
    task = Task((Rule("a", "b"),), ("a",), Example(kind, "x", ()), None, None, frozenset(), "known")
    return Answer(task, gold, given, confidence)


def test_there_are_enough_documents(corpus):
    assert 2 * len(corpus.examples) >= 400
    assert len({example.kind for example in corpus.examples}) > 30
    assert sum(example.kind is None for example in corpus.examples) >= 50


def test_what_is_fitted_on_is_not_reported_on(corpus):
    one, other = halves(corpus, 7)
    assert not set(one.wordings) & set(other.wordings)
    assert not {x.name for x in one.examples} & {x.name for x in other.examples}


def test_a_layout_is_the_same_each_time_and_keeps_the_text(corpus, tmp_path):
    for example in random.Random(3).sample(corpus.examples, 12):  # noqa: S311
        copies = [laid_out(example, tmp_path) for _ in range(2)]
        assert copies[0] == copies[1]
        first = next(word for word in example.pages[0].text.split() if word.isalpha() and word.isascii())
        if not copies[0].name.endswith("txt"):
            assert first in " ".join(page.text for page in copies[0].pages)


def test_the_same_tasks_for_a_seed(corpus, lexicon):
    one, other = (list(Sampler(corpus, lexicon, 5, excluding=0.5).tasks(60)) for _ in range(2))
    assert one == other


def test_a_document_fits_at_most_one_rule_of_a_task(corpus, lexicon):
    for task in Sampler(corpus, lexicon, 5, size=14).tasks(200, "known"):
        includes = [{kind, *corpus.wordings[kind].includes} for kind in task.kinds]
        fitting = [place for place, kinds in enumerate(includes) if task.example.kind in kinds]
        assert fitting == ([] if task.gold is None else [task.gold])


def test_a_document_of_the_samples_fits_at_most_one_rule_of_a_task(lexicon):
    samples = Corpus.read_samples()
    assert not samples.overlapping.keys() - samples.wordings.keys()
    for task in Sampler(samples, lexicon, 5, size=6).tasks(100, "unknown"):
        assert task.hidden.issuperset(task.kinds)
        assert not samples.overlapping.get(task.example.kind, frozenset()) & set(task.kinds)
        assert (task.example.kind in task.kinds) == (task.gold is not None)


def test_a_network_learns_what_a_sum_cannot_say():
    """Of two rules that one is right which has both features or neither."""
    dice = np.random.default_rng(5)
    rows = [dice.integers(0, 2, (2, 3)).astype(float) for _ in range(600)]
    rows = [options for options in rows if fits(options).sum() == 1]
    golds = [int(np.argmax(fits(options))) for options in rows]
    correction = fit_correction(rows, [np.zeros(2) for _ in rows], golds, used=np.array([1.0, 1.0, 0.0]))
    assert all(np.argmax(correction.of(options)) == gold for options, gold in zip(rows, golds, strict=True))
    assert correction.of(np.array([[1.0, 1.0, 0.0]])) == pytest.approx(
        correction.of(np.array([[1.0, 1.0, 9.0]]))
    )


def fits(options: np.ndarray) -> np.ndarray:
    return options[:, 0] == options[:, 1]


def test_figures():
    given = [
        answer("bill", "bill", 0.9),
        answer("bill", "menu", 0.6),
        answer("menu", NONE, 0.5),
        answer(NONE, NONE, 0.8),
    ]
    found = report(given)
    assert (found.accuracy, found.wrong, found.separation) == (0.5, 0.25, 1.0)
    assert (found.null_precision, found.null_recall, found.foreign_recall) == (0.5, 1.0, 1.0)
    assert math.isclose(found.calibration_error, (0.1 + 0.6 + 0.5 + 0.2) / 4)
    assert by_type(given)["bill"].recall == 0.5
    assert by_type(given)["menu"].precision == 0.0


def test_the_command_line_says_what_the_engine_says(corpus, lexicon, tmp_path, monkeypatch):
    monkeypatch.delenv("LLAMA_CLOUD_API_KEY", raising=False)
    files = written(corpus, lexicon, tmp_path / "set", most=1)
    arguments = ["--local", "--labels", tmp_path / "set/labels.csv", "--rules", tmp_path / "set/rules.yaml"]
    result = CliRunner().invoke(commands, ["evaluate", *map(str, arguments), "--format", "json"])
    (scores,) = json.loads(result.stdout).values()
    assert scores["accuracy"] == right_ones(files, Engine.load()) / len(files.files)
