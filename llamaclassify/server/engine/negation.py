"""The parts of a description that say what a document is *not*, and those that set conditions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import frozen

from .tokens import STOP_WORDS, words

_NEGATED = re.compile(
    r"\b(?P<negation>not|no(?!\s+(?:and|or)\b)|nor|never|without|except(?:ing)?(?:\s+for)?|excluding|excludes?"
    r"|rather than|other than|instead of"
    r"|unlike|n['\u2019]t|nothing|neither|kein\w*|nicht|ohne|sans|sauf|sin|excepto)\b(?P<rest>[^.;:,()\n]*)",
    re.IGNORECASE,
)
_ALTERNATIVE = re.compile(r"\b(?:or|nor|and|und|oder|et|ou)\b", re.IGNORECASE)
_AMOUNT = re.compile(
    r"\b(?:over|under|above|below|at least|at most|more than|less than|fewer than|greater than|exceeding"
    r"|up to|between|before|after|since|until|older than|newer than)"
    r"\s+[$\u20ac\u00a3\u00a5]?\s*\d[\w.,%]*(?:\s+\w+)?",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+")
_LONGEST = 4
_EMPTY = frozenset("anything everything something another kind type sort one just merely simply yet".split())


def asserted(description: str) -> str:
    """A description without what it says a document is not."""
    kept = _NEGATED.sub(" ", description)
    return kept if kept.strip(" .,;:\n") else description


@frozen
class Excluded:
    """What a document must not be or carry.

    Attributes:
        words: A few words that stand together.
        is_name: Whether it is written as a name is, in capitals.
    """

    words: tuple[str, ...]
    is_name: bool


def excluded(description: str) -> list[Excluded]:
    """What a description excludes, every alternative by itself.

    Long alternatives are left out: they speak of something that a few words cannot tell.
    """
    parts = (part for match in _NEGATED.finditer(description) for part in _ALTERNATIVE.split(match["rest"]))
    found = {_trimmed(words(part)): _is_name(part) for part in parts}
    return [Excluded(part, is_name) for part, is_name in found.items() if 0 < len(part) <= _LONGEST]


def _trimmed(part: list[str]) -> tuple[str, ...]:
    """Words without the stop words at their ends: "a bill of lading" keeps the one in the middle."""
    telling = [place for place, word in enumerate(part) if word not in STOP_WORDS | _EMPTY]
    return tuple(part[telling[0] : telling[-1] + 1]) if telling else ()


def _is_name(part: str) -> bool:
    telling = [word for word in _WORD.findall(part) if word.lower() not in STOP_WORDS | _EMPTY]
    return bool(telling) and all(word[0].isupper() for word in telling)


def exclusions(description: str) -> list[str]:
    """The clauses of a description that exclude something, as they were written."""
    return _texts(_NEGATED.finditer(description))


def unjudged(description: str) -> list[str]:
    """The amounts and conditions of a description, which cannot be judged here."""
    return _texts(_AMOUNT.finditer(description))


def _texts(found: Iterator[re.Match[str]]) -> list[str]:
    texts = (match[0].strip() for match in found)
    return list(dict.fromkeys(text for text in texts if " " in text))
