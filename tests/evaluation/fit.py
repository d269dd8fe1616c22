"""Fits the engine's weights on all documents: ``python -m tests.evaluation.fit``, written to the package."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from attrs import fields_dict

import llamaclassify.server.engine as package
from llamaclassify.server.engine.features import NAMES
from llamaclassify.server.engine.model import SETS, Correction
from llamaclassify.server.engine.values import Floats

from .bench import Bench
from .common import write_common_words
from .corpus import DOCUMENTS, Corpus
from .evaluate import with_layouts
from .learning import write_learned
from .training import train

_WEIGHTS = Path(package.__file__).parent / "weights.toml"
_CORRECTIONS = _WEIGHTS.with_name("corrections.npz")


def main() -> None:
    """Count the common words, fit, and write both."""
    written = Corpus.read(DOCUMENTS)
    write_common_words(written)
    with tempfile.TemporaryDirectory() as folder:
        corpus, bench = with_layouts(written, Path(folder)), Bench.new()
        write_learned(bench.samples.all)
        models = [train(corpus, one) for one in (bench, bench.without_encoder())]
    weights, corrections = (
        {name: found for model in models for name, found in getattr(model, part).items()}
        for part in ("weights", "corrections")
    )
    _WEIGHTS.write_text(_as_toml(weights), encoding="utf-8")
    _write_corrections(corrections)
    print(f"written: {_WEIGHTS}, {_CORRECTIONS}")


def _write_corrections(corrections: Mapping[str, Correction]) -> None:
    arrays = {
        f"{name}_{part}": getattr(corrections[name], part).astype(np.float32)
        for name in SETS
        for part in fields_dict(Correction)
    }
    np.savez_compressed(_CORRECTIONS, **arrays)


def _as_toml(weights: Mapping[str, Floats]) -> str:
    lines = ["# Written by `python -m tests.evaluation.fit`; features.py says what each weight is for."]
    for name in SETS:
        lines += ["", f"[{name}]"]
        lines += [f"{key} = {weight:.3f}" for key, weight in zip(NAMES, weights[name], strict=True)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
