"""Text to words that can be compared: folded, without accents, plurals as singulars."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# Headings set with wide spacing: "I N V O I C E"
_SPACED = re.compile(r"\b(?:[^\W\d_] ){3,}[^\W\d_]\b")

_STEM = 7

STOP_WORDS = frozenset(
    "a about above after again all also am an and any are as at be because been before being below"
    " between both but by can could did do does doing down during each etc few for from further had"
    " has have having he her here hers him his how i if in into is it its itself just me more most my"
    " no nor not of off on once one only or other our out over own same she should so some such than"
    " that the their them then there these they this those through to too under until up upon usually"
    " very was we were what when where which while who whom whose why will with within without would"
    " you your typically often may might must e g document documents doc file text contain contains"
    " containing include includes including".split()
)


def words(text: str) -> list[str]:
    """The words of a text, folded and in the singular, in order."""
    return [singular(word) for word in _WORD.findall(fold(text))]


def label_words(label: str) -> list[str]:
    """The words of a rule's type: hyphens, underscores and camel case separate them."""
    return words(_CAMEL.sub(" ", label))


def content_words(text: str) -> list[str]:
    """The words that carry meaning, in order."""
    return [singular(word) for word in _WORD.findall(fold(text)) if word not in STOP_WORDS]


def fold(text: str) -> str:
    """Lower case, no accents, no ligatures, wide-set headings closed up."""
    text = _SPACED.sub(lambda match: match[0].replace(" ", ""), text)
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(char for char in decomposed if not unicodedata.combining(char))
    return text.casefold()


@lru_cache(maxsize=50_000)
def singular(word: str) -> str:
    """A word without its English plural or possessive ending; the rest is left alone."""
    for apostrophe in ("'s", "\u2019s"):
        word = word.removesuffix(apostrophe)
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return word[:-2]
    return word[:-1]


def stem(word: str) -> str:
    """The beginning of a word, which its other forms share: "itemised", "itemises"."""
    return word[:_STEM]


def find_run(needle: Sequence[str], words: Sequence[str]) -> int:
    """Where one run of words begins in another; -1 when it is not there."""
    size = len(needle)
    for start in range(len(words) - size + 1):
        if tuple(words[start : start + size]) == tuple(needle):
            return start
    return -1
