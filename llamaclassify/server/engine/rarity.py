"""How telling a word is: by how many of all documents carry it.

The list is written by ``python -m tests.evaluation.fit``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

# A word in fewer than one document of fifty is as telling as any.
_RARE = 50


def rarity(word: str) -> float:
    """What a word is worth: 1 for a rare one, near 0 for one that stands in every document."""
    return _common().get(word, 1.0)


def common_share(document: Sequence[str]) -> float:
    """The share of words that many documents carry: half of English prose, little of other languages."""
    common = _common()
    return sum(word in common for word in document) / max(1, len(document))


@cache
def _common() -> dict[str, float]:
    """The words that many documents carry, from a list of ``word documents-per-thousand``."""
    text = (files("llamaclassify.server.engine") / "common_words.txt").read_text(encoding="utf-8")
    pairs = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return {word: min(1.0, math.log(1000 / int(share), _RARE)) for word, share in pairs}
