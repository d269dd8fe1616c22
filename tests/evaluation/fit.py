"""Fits the engine's weights on the corpus: ``python -m tests.evaluation.fit``.

First on half of the types, reported on the other half; then on all of them, written to ``weights.toml``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import llamaclassify.server.engine as package
from llamaclassify.server.engine.encoder import load_encoder
from llamaclassify.server.engine.features import NAMES
from llamaclassify.server.engine.lexicon import Lexicon
from llamaclassify.server.engine.model import SETS, Model

from .bench import Bench, RememberingEncoder
from .common import write_common_words
from .corpus import DOCUMENTS, Corpus
from .evaluate import show
from .training import halves, train

_WEIGHTS = Path(package.__file__).parent / "weights.toml"


def main() -> None:
    """Fit, report and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--no-write", action="store_true")
    options = parser.parse_args()

    corpus = Corpus.read(DOCUMENTS)
    if not options.no_write:
        write_common_words(corpus)
    encoder = load_encoder()
    bench = Bench(Lexicon.load(), RememberingEncoder(encoder) if encoder else None)
    one, other = halves(corpus, options.seed)
    for trained, tested in ((one, other), (other, one)):
        model = train(trained, bench, count=options.tasks, seed=options.seed)
        print(f"\nfitted on {len(trained.wordings)} types, tested on {len(tested.wordings)} others")
        show(bench, tested, model, count=options.tasks // 2, seed=options.seed + 1)
    model = train(corpus, bench, count=2 * options.tasks, seed=options.seed)
    if not options.no_write:
        _WEIGHTS.write_text(_as_toml(model), encoding="utf-8")
        print(f"\nwritten: {_WEIGHTS}")


def _as_toml(model: Model) -> str:
    lines = ["# Written by `python -m tests.evaluation.fit`; features.py says what each weight is for."]
    for name in SETS:
        lines += ["", f"[{name}]"]
        lines += [f"{key} = {weight:.3f}" for key, weight in zip(NAMES, model.weights[name], strict=True)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
