"""The profile: a TOML file with what a user would otherwise give as flags, again and again."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import click

_VARIABLE = "LLAMACLASSIFY_PROFILE"
_KEY_FLAG = "api-key"
"""A file is no place for it."""


class ProfileError(click.ClickException):
    """A profile that cannot be used; the text names the file and the key."""

    exit_code = 2


def profile_path() -> Path:
    """Give where the profile is: in the platform's configuration folder, or where the environment says."""
    given = os.environ.get(_VARIABLE)
    return Path(given).expanduser() if given else Path(click.get_app_dir("llamaclassify"), "profile.toml")


def apply(context: click.Context, name: str | None) -> None:
    """Make what the profile says the defaults of the command `name` of a group, under the environment.

    Raises:
        ProfileError: The profile cannot be read, or has a key that no command has.
    """
    path = profile_path()
    group = context.command
    command = group.get_command(context, name) if name and isinstance(group, click.Group) else None
    if name is None or command is None or not (path.exists() or os.environ.get(_VARIABLE)):
        return  # the group says so where there is no such command
    profile = _read(path)
    problems = [*_unknown_at_the_top(group, command, profile, context)]
    if name in profile:
        problems += _unknown(command, profile[name], context, name)
    if problems:
        raise ProfileError("\n  ".join([f"{path}:", *problems]))
    context.default_map = {name: _defaults(command, _values(profile) | profile.get(name, {}), context)}


def _read(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ProfileError(f"{path}: {error.strerror or error}") from None
    except ValueError as error:
        raise ProfileError(f"{path}: does not parse as TOML: {error}") from None


def _flags(command: click.Command) -> dict[str, tuple[str, bool]]:
    """Give a command's flags, without dashes: what each sets, and whether to the opposite (``cloud``)."""
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    return {
        flag.lstrip("-"): (option.name, is_opposite)
        for option in options
        for flags, is_opposite in ((option.opts, False), (option.secondary_opts, True))
        for flag in flags
        if option.name
    }


def _unknown_at_the_top(
    group: click.Command, command: click.Command, profile: Mapping[str, Any], context: click.Context
) -> Iterator[str]:
    """Find tables of no command, and keys that are flags of none."""
    tables = [key for key, value in profile.items() if isinstance(value, dict)]
    names = group.list_commands(context) if isinstance(group, click.Group) else []
    values = _values(profile).keys() - _all_flags(command, context) - {command.name}
    # The other commands are imported only for a key that this one does not have.
    flags = _all_flags(group, context) if values else set()
    yield from (_problem(key, key, names) for key in tables if key not in names)
    yield from (_problem(key, key, flags) for key in sorted(values - flags))


def _unknown(command: click.Command, table: Any, context: click.Context, where: str) -> Iterator[str]:
    """Find keys that are no flags: a misspelt one would be of no effect."""
    if not isinstance(table, dict):
        yield f"{where}: is a command; its flags go into a table, [{where}]"
        return
    commands, flags = _commands(command, context), _all_flags(command, context)
    for key, value in table.items():
        if key in commands:
            yield from _unknown(commands[key], value, context, f"{where}.{key}")
        elif key not in flags:
            yield _problem(f"{where}.{key}", key, {*commands, *flags})


def _problem(where: str, key: str, known: Collection[str]) -> str:
    if key == _KEY_FLAG:
        return f"{where}: cannot be set here; the key belongs in LLAMA_CLOUD_API_KEY"
    from difflib import get_close_matches

    meant = get_close_matches(key, known, n=1)
    return f"{where}: is nothing that can be set" + (f"; did you mean {meant[0]}?" if meant else "")


def _all_flags(command: click.Command, context: click.Context) -> set[str]:
    """Give the flags of a command and those below it that a profile may set."""
    below = (_all_flags(inner, context) for inner in _commands(command, context).values())
    return {*_flags(command), *chain.from_iterable(below)} - {_KEY_FLAG}


def _commands(command: click.Command, context: click.Context) -> dict[str, click.Command]:
    if not isinstance(command, click.Group):
        return {}
    found = {name: command.get_command(context, name) for name in command.list_commands(context)}
    return {name: inner for name, inner in found.items() if inner is not None}


def _values(table: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a table says itself, without the tables in it."""
    return {key: value for key, value in table.items() if not isinstance(value, dict)}


def _defaults(command: click.Command, table: Mapping[str, Any], context: click.Context) -> dict[str, Any]:
    """Give the values under the names of the parameters; those of a group go to its commands too."""
    defaults = {
        name: not table[flag] if is_opposite else table[flag]
        for flag, (name, is_opposite) in _flags(command).items()
        if flag in table
    }
    for name, inner in _commands(command, context).items():
        defaults[name] = _defaults(inner, _values(table) | table.get(name, {}), context)
    return defaults
