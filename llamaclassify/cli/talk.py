"""What commands say on stderr besides their errors: warnings, and the library's log."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import click


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
                click.echo(f"Warning: {warning.message}", err=True)
