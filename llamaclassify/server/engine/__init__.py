"""The embedded classification engine: no key, no network, no model to download."""

from .engine import Engine

__all__ = ["Engine"]
