"""Rules files: the wire's configuration object, in YAML, JSON or TOML."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import attrs
import click
import yaml

from ..models import Configuration, ParsingConfiguration, Rule
from ..wire.checks import Issue, configuration_issues
from ..wire.converter import decode
from .exits import Exit

_READERS: dict[str, Callable[[str], Any]] = {
    ".json": json.loads,
    ".toml": tomllib.loads,
    ".yaml": yaml.safe_load,
    ".yml": yaml.safe_load,
}


class RulesFileError(click.ClickException):
    """A rules file that cannot be used; the text names the file, the rule and the field."""

    exit_code: ClassVar[int] = Exit.USAGE


def read_rules(path: Path) -> Configuration:
    """Read a configuration from a file; its ending tells the format.

    Raises:
        RulesFileError: It cannot be read, does not parse, or its rules cannot be right.
    """
    data = _parsed(path)
    issues = [*configuration_issues(data), *_unknown_keys(data)]
    if issues:
        found = "".join(f"\n  {str(issue).removeprefix(': ')}" for issue in issues)
        raise RulesFileError(f"{path}:{found}")
    return decode(Configuration, data, request=str(path))


def _parsed(path: Path) -> Any:
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise RulesFileError(f"{path}: expected a file ending in {', '.join(_READERS)}")
    try:
        return read(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise RulesFileError(f"{path}: {error.strerror or error}") from None
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        kind = path.suffix.lstrip(".").upper()
        raise RulesFileError(f"{path}: does not parse as {kind}: {error}") from None


def _unknown_keys(data: Any) -> Iterator[Issue]:
    """Find misspelt keys: the service would ignore them, and with them what their writer wanted."""
    if not isinstance(data, dict):
        return
    yield from _unknown(data, Configuration, ())
    yield from _unknown(data.get("parsing_configuration"), ParsingConfiguration, ("parsing_configuration",))
    rules = data.get("rules")
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        yield from _unknown(rule, Rule, ("rules", index))


def _unknown(data: Any, kind: type[attrs.AttrsInstance], loc: tuple[str | int, ...]) -> Iterator[Issue]:
    known = [field.name for field in attrs.fields(kind)]
    for key in data if isinstance(data, dict) else ():
        if key not in known:
            yield Issue((*loc, str(key)), f"is no key here; the keys are {', '.join(known)}", "extra")
