"""How good the engine is: ``python -m tests.evaluation.evaluate [--documents FOLDER]``."""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from pathlib import Path

import numpy as np

from llamaclassify.server.engine import Engine
from llamaclassify.server.engine.model import Model

from .bench import Bench, Measured, RememberingEncoder, report
from .corpus import DOCUMENTS, Corpus
from .tasks import KNOWLEDGE, Sampler


def main() -> None:
    """Report on a folder of labelled documents with the weights of the package."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=Path, default=DOCUMENTS)
    parser.add_argument("--tasks", type=int, default=1500)
    parser.add_argument("--rules", type=int, default=5, help="rules a task; 0 draws 2 to 14")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--damage", type=float, default=0.0, help="share of documents to damage")
    parser.add_argument("--errors", type=int, default=0, help="list the commonest mistakes")
    options = parser.parse_args()

    corpus = Corpus.read(options.documents)
    engine = Engine.load()
    encoder = RememberingEncoder(engine.encoder) if engine.encoder else None
    bench = Bench(engine.lexicon, encoder)
    print(f"{len(corpus.examples)} documents of {len(corpus.wordings)} types")
    show(
        bench,
        corpus,
        engine.model,
        count=options.tasks,
        seed=options.seed,
        size=options.rules,
        damage=options.damage,
        errors=options.errors,
    )
    _show_speed(engine, corpus)


def show(
    bench: Bench,
    corpus: Corpus,
    model: Model,
    *,
    count: int,
    seed: int,
    size: int = 0,
    damage: float = 0.3,
    errors: int = 0,
) -> None:
    """Print a line for each amount of knowledge, for one rule alone and for words alone."""
    measured = bench.measure(Sampler(corpus, bench.lexicon, seed, size=size).tasks(count, damage=damage))
    encoder = bench.encoder is not None
    for knowledge in KNOWLEDGE:
        some = [one for one in measured if one.task.knowledge == knowledge]
        print(f"{knowledge:8s} {report(some, model, encoder=encoder)}")
    for knowledge in KNOWLEDGE if encoder else ():
        some = [one for one in measured if one.task.knowledge == knowledge]
        print(f"{knowledge:8s} {report(some, model, encoder=False)}  (without encoder)")
    alone = bench.measure(Sampler(corpus, bench.lexicon, seed, single=True).tasks(count // 2, damage=damage))
    for knowledge in ("known", "unknown"):
        some = [one for one in alone if one.task.knowledge == knowledge]
        print(f"{knowledge:8s} {report(some, model, encoder=encoder)}  (one rule)")
    if errors:
        _show_errors(measured, model, errors, encoder=encoder)


def _show_errors(measured: list[Measured], model: Model, most: int, *, encoder: bool) -> None:
    mistakes: Counter[tuple[str, str, str, str]] = Counter()
    for one in measured:
        chances = model.probabilities(one.rows, encoder=encoder)
        answer = int(np.argmax(chances))
        names = [rule.type for rule in one.task.rules] + ["none"]
        gold = len(one.rows) if one.task.gold is None else one.task.gold
        if answer != gold:
            mistakes[one.task.knowledge, one.task.example.name, names[gold], names[answer]] += 1
    for (knowledge, name, gold, answer), count in mistakes.most_common(most):
        print(f"{count:3d}  {knowledge:8s} {name}: {answer}, not {gold}")


def _show_speed(engine: Engine, corpus: Corpus) -> None:
    dice = random.Random(1)  # noqa: S311
    kinds = sorted(corpus.wordings)[:5]
    rules = [corpus.wordings[kind].rule(dice) for kind in kinds]
    some = dice.sample(corpus.examples, min(60, len(corpus.examples)))
    engine.classify(corpus.examples[0].pages, rules)
    started = time.perf_counter()
    for example in some:
        engine.classify(example.pages, rules)
    print(f"{len(some) / (time.perf_counter() - started):.1f} documents/s after extraction")


if __name__ == "__main__":
    main()
