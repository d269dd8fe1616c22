"""What commands say on stderr besides their errors: warnings, and the library's log."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


def say(text: str) -> None:
    """Print a line on stderr, above a bar that is drawn there."""
    # click.echo would write past the bar, into the middle of its line.
    sys.stderr.write(f"{text}\n")


@contextmanager
def debug_log(*, on: bool) -> Iterator[None]:
    """Write the library's log to stderr."""
    if not on:
        yield
        return
    log, handler = logging.getLogger("llamaclassify"), logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s"))
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


@contextmanager
def plain_warnings() -> Iterator[None]:
    """Say the library's warnings in a line each; those of deprecated calls speak to programmers."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("always", UserWarning)
        try:
            yield
        finally:
            for warning in caught:
                say(f"Warning: {warning.message}")
