"""A document as the engine sees it: its words with their pages, the lines it begins with, its passages."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

from attrs import define, frozen

from ..text import Page
from .tokens import stem, words

# What decides a document's kind stands early; the rest of a very long one only costs time.
MOST_WORDS = 40_000
_TITLE_LINES = 30
_LONGEST_TITLE = 14
# The lexicon's phrase for a letter head of mail, whose lines have other words between these.
_MAIL_HEAD = ("from", "to", "subject")
_MAIL_LINE = re.compile(r"^(from|to|subject|date|sent|cc)\s*:", re.IGNORECASE | re.MULTILINE)


@frozen
class Title:
    """A short line near the beginning.

    Attributes:
        words: Its words.
        rank: How many lines stand before it.
    """

    words: tuple[str, ...]
    rank: int


@define(slots=False)
class Reading:
    """A document's words.

    Attributes:
        pages: The document.
        words: Its words in order, up to `MOST_WORDS`.
        page_starts: For every page the index of its first word.
    """

    pages: Sequence[Page]
    words: list[str]
    page_starts: list[int]

    @classmethod
    def of(cls, pages: Sequence[Page]) -> Reading:
        """Read the pages, as far as `MOST_WORDS` go."""
        found: list[str] = list(_MAIL_HEAD) if pages and _begins_as_mail(pages[0].text) else []
        starts: list[int] = []
        for page in pages:
            if len(found) >= MOST_WORDS:
                break
            starts.append(len(found) if starts else 0)
            found.extend(words(page.text))
        return cls(pages, found[:MOST_WORDS], starts)

    def page_number(self, index: int) -> int:
        """The number of the page on which the word with this index stands."""
        return self.pages[bisect_right(self.page_starts, index) - 1].number

    @cached_property
    def first_places(self) -> dict[str, int]:
        """For every word the index where it stands first."""
        places: dict[str, int] = {}
        for index, word in enumerate(self.words):
            places.setdefault(word, index)
        return places

    @cached_property
    def first_pairs(self) -> dict[tuple[str, str], int]:
        """For every two neighbouring words the index where they stand first."""
        places: dict[tuple[str, str], int] = {}
        for index, pair in enumerate(pairwise(self.words)):
            places.setdefault(pair, index)
        return places

    @cached_property
    def first_stems(self) -> dict[str, int]:
        """The same for the stems of its words."""
        places: dict[str, int] = {}
        for word, index in self.first_places.items():
            places.setdefault(stem(word), index)
        return places

    @cached_property
    def first_stem_pairs(self) -> dict[tuple[str, str], int]:
        """The same for the stems of two neighbouring words."""
        places: dict[tuple[str, str], int] = {}
        for (one, other), index in self.first_pairs.items():
            places.setdefault((stem(one), stem(other)), index)
        return places

    @cached_property
    def titles(self) -> list[Title]:
        """The short lines among the first ones."""
        lines = (line for page in self.pages[:2] for line in page.text[:6000].splitlines())
        filled = [line for line in lines if line.strip()][:_TITLE_LINES]
        titles = (Title(tuple(words(line[:200])), rank) for rank, line in enumerate(filled))
        return [title for title in titles if 0 < len(title.words) <= _LONGEST_TITLE]

    @cached_property
    def title_words(self) -> frozenset[str]:
        """Every word of the titles."""
        return frozenset(word for title in self.titles for word in title.words)

    def title_weight(self, name: Sequence[str]) -> float:
        """How much a name looks like the document's title: 0 to 1.

        It is 1 for the name alone on the first line, and less for a name among other words or further down.
        """
        best = 0.0
        wanted = tuple(name)
        for title in self.titles:
            size = len(wanted)
            if any(title.words[i : i + size] == wanted for i in range(len(title.words) - size + 1)):
                best = max(best, (size / len(title.words)) ** 0.5 / (1 + title.rank / 10))
        return best


def _begins_as_mail(text: str) -> bool:
    """Whether the first lines are a mail's; a memo has such lines too, but no addresses."""
    head = "\n".join(text.lstrip().splitlines()[:8])
    return "@" in head and len({line.lower() for line in _MAIL_LINE.findall(head)}) >= 3
