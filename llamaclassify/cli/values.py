"""The values that flags take: texts, YAML or JSON, moments; each may be read from a file (``@path``)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..errors import ConfigurationError, ResponseDecodeError

if TYPE_CHECKING:
    _Type = click.ParamType[Any]
else:
    _Type = click.ParamType  # a generic class in the newest click only

T = TypeVar("T")


class UnreadableError(Exception):
    """A value that is none; the text says why."""


class Text(_Type):
    r"""A text; ``@path`` takes it from a file, ``\@`` begins one with an @."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Give the text; one line break that ends a file is not part of it."""
        try:
            text, _ = _at(value)
        except UnreadableError as error:
            self.fail(str(error), param, ctx)
        return text.removesuffix("\n") if value.startswith("@") else text


class Structured(_Type):
    """An object or a list, in YAML or JSON; ``@path`` reads a file, which may also be TOML."""

    name = "yaml"

    def __init__(self, kind: type[dict[str, Any] | list[Any]]) -> None:
        self._kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Give the object; or the list, of one where the value is no list."""
        try:
            text, ending = _at(value)
            data = parsed(text, ending)
        except UnreadableError as error:
            self.fail(str(error), param, ctx)
        if self._kind is list and not isinstance(data, list):
            return [data]
        if not isinstance(data, self._kind):
            self.fail("expected an object, such as '{key: value}' or @file.yaml", param, ctx)
        return data


class Moment(_Type):
    """A date and time in ISO 8601; UTC where it names no time zone."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Give the moment."""
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no date and time, such as 2026-10-14T09:00:00Z", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


TEXT, OBJECT, LIST, MOMENT = Text(), Structured(dict), Structured(list), Moment()


def parsed(text: str, ending: str = "") -> Any:
    """Read JSON or YAML; TOML where the name of its file ends so.

    Raises:
        UnreadableError: It is neither, or holds what JSON has no form for.
    """
    import tomllib

    import yaml

    try:
        if ending == ".toml":
            data = tomllib.loads(text)
        else:
            try:
                data = json.loads(text)
            except ValueError:
                data = yaml.safe_load(text)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        message = f"does not parse as {'TOML' if ending == '.toml' else 'YAML or JSON'}: {_line(error)}"
        raise UnreadableError(message) from None
    try:
        return json.loads(json.dumps(data, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise UnreadableError(f"holds what JSON has no form for: {_line(error)}") from None


def modelled(request: dict[str, Any], **kinds: type[Any]) -> dict[str, Any]:
    """Give a request with the values of the keys in `kinds`, and each of a list of them, as models.

    Raises:
        ConfigurationError: One is not of its kind, or has a key that nobody would read.
    """
    made = dict(request)
    for key, kind in kinds.items():
        value = made.get(key)
        if isinstance(value, list):
            made[key] = [model(kind, item, f"{key}[{index}]") for index, item in enumerate(value)]
        elif value is not None:
            made[key] = model(kind, value, key)
    return made


def model(kind: type[T], data: Any, where: str) -> T:
    """Read wire JSON that a person wrote: strictly, where the library reads a server's tolerantly.

    Raises:
        ConfigurationError: It is not of that kind, or has a key that nobody would read.
    """
    from ..wire.converter import decode, encode

    try:
        read = decode(kind, data, request=where)
    except ResponseDecodeError as error:
        problem = str(error).partition(f" at {error.path}: ")[2]
        raise ConfigurationError(f"{where}{error.path.removeprefix('$')}: {problem}") from None
    unread = list(_unread(data, encode(read), where))
    if unread:
        raise ConfigurationError("; ".join(unread))
    return read


def _unread(given: Any, read: Any, where: str) -> Iterator[str]:
    """Find misspelt keys: the service would ignore them, and with them what their writer wanted."""
    if isinstance(given, dict) and isinstance(read, dict):
        for key, value in given.items():
            if key in read:
                yield from _unread(value, read[key], f"{where}.{key}")
            else:
                yield f"{where}.{key}: is no key here; the keys are {', '.join(read)}"
    elif isinstance(given, list) and isinstance(read, list | tuple):
        for index, (value, counterpart) in enumerate(zip(given, read, strict=False)):
            yield from _unread(value, counterpart, f"{where}[{index}]")


def _at(value: str) -> tuple[str, str]:
    """Give what a value says or, after an @, what the file that it names says; and that file's ending."""
    if value.startswith("\\@"):
        return value[1:], ""
    if not value.startswith("@"):
        return value, ""
    path = Path(value[1:].removeprefix("file://"))
    try:
        return path.read_text(encoding="utf-8-sig"), path.suffix.lower()
    except (OSError, ValueError) as error:
        raise UnreadableError(f"{path}: {getattr(error, 'strerror', None) or _line(error)}") from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
