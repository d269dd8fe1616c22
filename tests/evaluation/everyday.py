"""Documents made from ``everyday.toml``: as plain as most are, and the same each time."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from llamaclassify.server.text import Page

from .corpus import Example

_FILE = Path(__file__).parent / "everyday.toml"
_EACH = 6
_FIELD = re.compile(r"\{(\w+)\}")
_FIRST = "Ada Bruno Celeste Dmitri Elif Farah Gustav Hana Ivo Jonas Keziah Lars Maren Nuala Oskar".split()
_LAST = "Abara Brandt Castellan Dorsey Eklund Ferrow Grieve Holt Ivers Jansky Kell Moreau Nakata".split()
_FIRMS = (
    "Alder Birchwell Corvane Dunmore Ellery Fennick Garrow Hollis Inverkey Jarrold Kestrel Larkin".split()
)
_ENDINGS = "Ltd|& Sons|Group|Inc.|GmbH|Works|Trading|Partners".split("|")
_STREETS = "Mill Lane|Canal Street|Station Road|High Street|Orchard Way|Quay Row".split("|")
_CITIES = "Ashford Bremen Calvi Dover Esbjerg Faro Ghent Hobart Izola Jena Kalmar Leeds".split()
_ITEMS = "lamp|pump|kettle|desk|filter|ladder|scale|toaster|valve|radio|chair|printer".split("|")
_DEPARTMENTS = "sales accounts logistics marketing quality finance warehouse".split()
_WORDS = "plum heron quartz tinder marble falcon copper willow".split()


def everyday() -> Iterator[Example]:
    """A few documents of every type that has a template."""
    for kind, table in tomllib.loads(_FILE.read_text(encoding="utf-8")).items():
        for number in range(_EACH):
            name = f"{kind}/everyday-{number}"
            yield Example(kind, name, (Page(1, _made(table["text"], random.Random(name))),))  # noqa: S311


def _made(template: str, dice: random.Random) -> str:
    return "\n".join(_lines(template.strip().splitlines(), dice))


def _lines(template: list[str], dice: random.Random) -> Iterator[str]:
    for line in template:
        times = 1
        if line.startswith("? "):
            times = dice.randint(0, 1)
        elif line.startswith("* "):
            times = dice.randint(2, 5)
        for _ in range(times):
            yield _FIELD.sub(
                lambda match: _filled(match[1], dice), dice.choice(line.lstrip("?* ").split(" | "))
            )


def _filled(field: str, dice: random.Random) -> str:
    first, last, firm = dice.choice(_FIRST), dice.choice(_LAST), dice.choice(_FIRMS)
    number, day, month = dice.randrange(1000, 99999), dice.randint(1, 28), dice.randint(1, 12)
    values = {
        "name": f"{first} {last}",
        "surname": last,
        "company": f"{firm} {dice.choice(_ENDINGS)}",
        "street": f"{dice.randint(1, 90)} {dice.choice(_STREETS)}",
        "city": dice.choice(_CITIES),
        "email": f"{first}.{last}@{firm}.example".lower(),
        "phone": f"+00 555 {number}",
        "number": str(number),
        "qty": str(dice.randint(1, 60)),
        "price": f"{dice.randint(5, 9000):,}.{dice.randint(0, 99):02d}",
        "date": dice.choice(
            (f"{day:02d}.{month:02d}.2025", f"2025-{month:02d}-{day:02d}", f"{month}/{day}/25")
        ),
        "time": f"{dice.randint(8, 20)}:{dice.choice(('00', '15', '30'))}",
        "item": dice.choice(_ITEMS),
        "department": dice.choice(_DEPARTMENTS),
        "word": dice.choice(_WORDS),
    }
    return values[field]
