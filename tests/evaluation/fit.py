"""Fits the engine's weights on all documents: ``python -m tests.evaluation.fit``, written to the package."""

from __future__ import annotations

import tempfile
from pathlib import Path

import llamaclassify.server.engine as package
from llamaclassify.server.engine.features import NAMES
from llamaclassify.server.engine.model import SETS, Model

from .bench import Bench
from .common import write_common_words
from .corpus import DOCUMENTS, Corpus
from .evaluate import with_layouts
from .learning import write_learned
from .training import TASKS, train

_WEIGHTS = Path(package.__file__).parent / "weights.toml"


def main() -> None:
    """Count the common words, fit, and write both."""
    written = Corpus.read(DOCUMENTS)
    write_common_words(written)
    with tempfile.TemporaryDirectory() as folder:
        corpus, bench = with_layouts(written, Path(folder)), Bench.new()
        write_learned(bench.samples.all)
        models = [train(corpus, one, count=2 * TASKS) for one in (bench, bench.without_encoder())]
    weights = {name: found for model in models for name, found in model.weights.items()}
    _WEIGHTS.write_text(_as_toml(Model(weights)), encoding="utf-8")
    print(f"written: {_WEIGHTS}")


def _as_toml(model: Model) -> str:
    lines = ["# Written by `python -m tests.evaluation.fit`; features.py says what each weight is for."]
    for name in SETS:
        lines += ["", f"[{name}]"]
        lines += [f"{key} = {weight:.3f}" for key, weight in zip(NAMES, model.weights[name], strict=True)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
