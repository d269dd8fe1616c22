"""Passages for the encoder: a few hundred characters each, from the beginning and spread over the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from attrs import frozen

from ..text import Page

LONGEST = 700
FROM_START = 6
SPREAD = 6
_SPACES = re.compile(r"\s+")


@frozen
class Chunk:
    """A passage.

    Attributes:
        page: The number of its page.
        text: The passage, its white space collapsed.
    """

    page: int
    text: str


def chosen_chunks(pages: Sequence[Page]) -> list[Chunk]:
    """The first passages of a document, and some spread evenly over what follows."""
    spans = [(page, start) for page in pages for start in range(0, len(page.text), LONGEST)]
    picked = spans[:FROM_START]
    rest = spans[FROM_START:]
    if len(rest) > SPREAD:
        step = len(rest) / SPREAD
        rest = [rest[int(step * (index + 0.5))] for index in range(SPREAD)]
    return list(_cut(picked + rest))


def _cut(spans: Sequence[tuple[Page, int]]) -> Iterator[Chunk]:
    for page, start in spans:
        text = page.text
        begin, end = _word_end(text, start), _word_end(text, start + LONGEST)
        if passage := _SPACES.sub(" ", text[begin:end]).strip():
            yield Chunk(page.number, passage)


def _word_end(text: str, place: int) -> int:
    """Move a cut forward to the next white space, so that no word is halved."""
    if place == 0 or place >= len(text):
        return place
    for index in range(place, min(place + 40, len(text))):
        if text[index].isspace():
            return index
    return place
