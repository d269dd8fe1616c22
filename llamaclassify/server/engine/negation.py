"""The parts of a description that say what a document is *not*, and those that set conditions."""

from __future__ import annotations

import re

_NEGATED = re.compile(
    r"\b(?:not|no(?!\s+(?:and|or)\b)|nor|never|without|except(?:ing)?|excluding|excludes?"
    r"|rather than|other than|instead of"
    r"|unlike|n['\u2019]t|nothing|neither|kein\w*|nicht|ohne|sans|sauf|sin|excepto)\b[^.;:,()\n]*",
    re.IGNORECASE,
)
_AMOUNT = re.compile(
    r"\b(?:over|under|above|below|at least|at most|more than|less than|fewer than|greater than|exceeding"
    r"|up to|between|before|after|since|until|older than|newer than)"
    r"\s+[$\u20ac\u00a3\u00a5]?\s*\d[\w.,%]*(?:\s+\w+)?",
    re.IGNORECASE,
)


def asserted(description: str) -> str:
    """A description without what it says a document is not."""
    kept = _NEGATED.sub(" ", description)
    return kept if kept.strip(" .,;:\n") else description


def unjudged(description: str) -> list[str]:
    """The negations and conditions of a description, which cannot be judged here."""
    found = [*_NEGATED.finditer(description), *_AMOUNT.finditer(description)]
    texts = (match[0].strip() for match in sorted(found, key=lambda match: match.start()))
    return list(dict.fromkeys(text for text in texts if " " in text))
