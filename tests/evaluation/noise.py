"""Light damage, as scanning and cutting do it, so that nothing is learnt by heart."""

from __future__ import annotations

import random

from llamaclassify.server.text import Page

_MISREADINGS = {"l": "1", "o": "0", "e": "c", "m": "rn", "i": "l", "s": "5", "a": "o", "h": "b"}


def damaged(pages: tuple[Page, ...], dice: random.Random) -> tuple[Page, ...]:
    """One kind of damage to a document."""
    damage = dice.choice((misread, _beheaded, _truncated, _tail_only))
    return tuple(Page(page.number, damage(page.text, dice)) for page in pages)


def misread(text: str, dice: random.Random) -> str:
    """Letters taken for others, as poor scans are read."""
    rate = dice.uniform(0.005, 0.03)
    return "".join(_MISREADINGS.get(char, char) if dice.random() < rate else char for char in text)


def _beheaded(text: str, dice: random.Random) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(lines[dice.randint(1, 4) :]) or text


def _truncated(text: str, dice: random.Random) -> str:
    return text[: max(400, int(len(text) * dice.uniform(0.3, 0.7)))]


def _tail_only(text: str, dice: random.Random) -> str:
    return text[min(int(len(text) * dice.uniform(0.1, 0.4)), max(0, len(text) - 600)) :]
