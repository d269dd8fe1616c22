"""Compares llamaclassify with its alternatives, against a stub of the service on this machine."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import report
from sections import CLIENTS, SECTIONS, Scale

_PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
_QUICK = {
    "rounds": 1,
    "documents": 200,
    "streamed": (500, 2000),
    "lag_documents": 50,
    "lag_seconds": (1.0, 4.0),
    "interpreters": 3,
    "looks": 100,
    "busy_jobs": 60,
    "pages": 20,
    "stored": (100, 2000),
}


def _main() -> None:
    options = _options()
    with_vendor = find_spec("llama_cloud") is not None
    texts = []
    for name in options.only or SECTIONS:
        texts.append(SECTIONS[name](_scale(options, with_vendor=with_vendor)))
        print(texts[-1], flush=True)
    if options.quick or options.only or options.no_write:
        return
    if not with_vendor:
        raise SystemExit(f"llama_cloud is not installed, so it was left out; {_PAGE} is as it was")
    _PAGE.write_text(
        report.page(texts, ["nox -s bench", *(["--", *sys.argv[1:]] * (len(sys.argv) > 1))]), encoding="utf-8"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python tests/bench", description=__doc__)
    parser.add_argument("--rounds", type=int, help="how often each client is measured (5)")
    parser.add_argument("--documents", type=int, help="documents of the fan-out (2000)")
    parser.add_argument("--concurrency", type=int, help="those under way at a time (all)")
    parser.add_argument("--quick", action="store_true", help="small numbers, to try it out; writes nothing")
    parser.add_argument("--no-write", action="store_true", help=f"leave {_PAGE.name} as it is")
    parser.add_argument(
        "--only", choices=SECTIONS, action="append", help="this section, once or more; writes nothing"
    )
    return parser.parse_args()


def _scale(options: argparse.Namespace, *, with_vendor: bool) -> Scale:
    scale = Scale([name for name in CLIENTS if with_vendor or name != "vendor"])
    given = {name: getattr(options, name) for name in ("rounds", "documents", "concurrency")}
    chosen = {name: value for name, value in given.items() if value is not None}
    return replace(scale, **((_QUICK if options.quick else {}) | chosen))


if __name__ == "__main__":
    _main()
