"""How a document is written, whatever it is about: its letters and marks, its lines.

A form, a letter and a log differ in this even where they speak of the same things.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from ..text import Page
from .values import Floats

# What a document is like shows early.
_MOST = 12_000
_FEWEST_LETTERS = 100

_MARKS = {
    "digit": r"\d",
    "capital": r"[A-Z]",
    "currency": r"[$\u20ac\u00a3\u00a5\u20b9]|\b(?:USD|EUR|GBP|CHF|INR|AUD|CAD|Rs)\b",
    "percent": "%",
    "question": r"\?",
    "exclamation": "!",
    "quotation": '["\u201c\u201d]',
    "parenthesis": r"\(",
    "mail address": r"\S@\S",
    "web address": r"https?://|www\.",
    "slash": "/",
    "code": r"[{}=<>;|\\`_]",
    "colon": ":",
    "dash": "[\u2013\u2014]| - ",
    "hundredths": r"\d[.,]\d\d\b",
    "date": r"\b\d{1,4}[./-]\d{1,2}[./-]\d{2,4}\b"
    r"|\b\d{1,2} (?:[Jj]an|[Ff]eb|[Mm]ar|[Aa]pr|[Mm]ay|[Jj]u[nl]|[Aa]ug|[Ss]ep|[Oo]ct|[Nn]ov|[Dd]ec)",
    "time of day": r"\b\d{1,2}[:.]\d\d\b",
    "year": r"\b(?:19|20)\d\d\b",
    "citation": r"\[\d+\]|et al",
    "number of": r"\b(?:[Nn][Oo]|[Nn]r|[Rr]ef|ID)\b[.:]?|#",
    "quantity": r"\d\s?(?:mg|ml|kg|g|cm|mm|m|km|l|kWh|V|A|W|\u00b0C)\b",
    "not shortened": r"\w+n['\u2019]t\b",
}
_LINES = {
    "bullet": r"\s*(?:[-*\u2022\u25cf\u00b7]|\[[ xX]?\])\s",
    "numbered": r"\s*\d{1,3}[.)]\s",
    "section": r"\s*(?:\d+\.)+\d+\s|\s*\u00a7",
    "key and value": r"\s*[^:]{2,30}:\s+\S",
    "introduction": r".*:\s*$",
    "capitals": r"[^a-z]*[A-Z][^a-z]*[A-Z][^a-z]*$",
    "columns": r".*\S(?: {3,}|\t)\S",
    "ends in a number": r".*\d\s*$",
    "asks": r".*\?\s*$",
    "speaker": r"[A-Z][\w .'-]{0,20}:\s",
    "to fill in": r".*(?:_{3,}|\.{4,})",
    "short": r".{1,35}$",
    "long": r".{110,}$",
}
_MARK = [re.compile(pattern) for pattern in _MARKS.values()]
_LINE = [re.compile(pattern) for pattern in _LINES.values()]
_SENTENCE_END = re.compile(r"[.!?]\s")

STYLE = ("words", "lines", "words a line", "words a sentence", "letters a word", *_MARKS, *_LINES)


def style(pages: Sequence[Page]) -> Floats:
    """One number for each of `STYLE`, none far from 1 in size."""
    text = "\n".join(page.text for page in pages)[:_MOST]
    lines = [line for line in text.splitlines() if line.strip()]
    words, letters = max(1, len(text.split())), max(_FEWEST_LETTERS, len(text))
    return np.array(
        [
            math.log(words),
            math.log(len(lines) + 1),
            math.log(words / (len(lines) + 1) + 1),
            math.log(words / (len(_SENTENCE_END.findall(text)) + 1) + 1),
            letters / words,
            # Roots: the first few of a mark tell more than the next.
            *(math.sqrt(len(mark.findall(text)) / letters) for mark in _MARK),
            *(math.sqrt(sum(map(bool, map(line.match, lines))) / (len(lines) + 1)) for line in _LINE),
        ]
    )
