#!/usr/bin/env python3
"""Toy invoice totaller used in chapter 4 of the workshop. Not for production."""
from __future__ import annotations

import csv
import sys
from dataclasses import dataclass, field
from decimal import Decimal, ROUND_HALF_UP

CENT = Decimal("0.01")


@dataclass
class Line:
    description: str
    qty: Decimal
    unit_price: Decimal
    vat_rate: Decimal = Decimal("0.20")

    def net(self) -> Decimal:
        return (self.qty * self.unit_price).quantize(CENT, ROUND_HALF_UP)


@dataclass
class Invoice:
    number: str
    customer: str
    lines: list[Line] = field(default_factory=list)

    def total_net(self) -> Decimal:
        return sum((l.net() for l in self.lines), Decimal(0))

    def vat(self) -> Decimal:
        # rounding per line, see exercise 4.3 for why this matters
        return sum(((l.net() * l.vat_rate).quantize(CENT) for l in self.lines), Decimal(0))

    def total_due(self) -> Decimal:
        return self.total_net() + self.vat()


def load(path: str) -> dict[str, Invoice]:
    out: dict[str, Invoice] = {}
    with open(path, newline="", encoding="utf-8") as fh:
        for row in csv.DictReader(fh, delimiter=";"):
            inv = out.setdefault(row["no"], Invoice(row["no"], row["customer"]))
            inv.lines.append(Line(row["text"], Decimal(row["qty"]), Decimal(row["price"])))
    return out


def main(argv: list[str]) -> int:
    if len(argv) != 2:
        print("usage: totals.py FILE", file=sys.stderr)
        return 2
    for inv in load(argv[1]).values():
        print(f"{inv.number:<12}{inv.customer:<30}{inv.total_due():>12}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv))
