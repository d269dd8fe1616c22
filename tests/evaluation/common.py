"""The list of words that many documents carry, counted over the corpus."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import llamaclassify.server.engine as package
from llamaclassify.server.engine.tokens import words

from .corpus import Corpus

_FILE = Path(package.__file__).parent / "common_words.txt"
_LEAST = 0.025


def write_common_words(corpus: Corpus) -> None:
    """Count in how many documents each word stands, and write the frequent ones."""
    counts: Counter[str] = Counter()
    for example in corpus.examples:
        counts.update({word for page in example.pages for word in words(page.text)})
    total = len(corpus.examples)
    common = [
        (word, 1000 * count // total)
        for word, count in counts.items()
        if count / total >= _LEAST and not word.isdigit()
    ]
    lines = ["# Words of many documents, and of how many in a thousand; written by tests.evaluation.fit."]
    lines += [f"{word} {share}" for word, share in sorted(common, key=lambda entry: (-entry[1], entry[0]))]
    _FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")
