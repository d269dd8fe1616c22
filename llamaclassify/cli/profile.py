"""The profile: a TOML file with what a user would otherwise give as flags, again and again."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

_VARIABLE = "LLAMACLASSIFY_PROFILE"
_SERVER = "base-url"
_SECRETS = {"api-key"}
"""Flags that a file is no place for."""


class ProfileError(click.ClickException):
    """A profile that cannot be used; the text names the file and the key."""

    exit_code = 2


def profile_path() -> Path:
    """Give where the profile is: in the platform's configuration folder, or where the environment says."""
    given = os.environ.get(_VARIABLE)
    return Path(given) if given else Path(click.get_app_dir("llamaclassify"), "profile.toml")


def apply(context: click.Context, name: str | None) -> None:
    """Make what the profile says the defaults of the command `name` of a group, under the environment.

    Raises:
        ProfileError: The profile cannot be read, or has a key that no command has.
    """
    path = profile_path()
    group = context.command
    if name is None or not isinstance(group, click.Group) or not path.is_file():
        return
    profile = _read(path)
    shared = {key: value for key, value in profile.items() if not isinstance(value, dict)}
    own = profile.get(name, {})
    command = group.get_command(context, name)
    if command is None:
        return  # the group says so
    unknown = [*(_SECRETS & shared.keys()), *_unknown(command, own, context, name)]
    if unknown:
        advice = (
            "; the key belongs in LLAMA_CLOUD_API_KEY" if any("api-key" in key for key in unknown) else ""
        )
        raise ProfileError(f"{path}: {', '.join(unknown)}: cannot be set here{advice}")
    if isinstance(shared.get(_SERVER), str):
        os.environ.setdefault("LLAMA_CLOUD_BASE_URL", shared[_SERVER])
    context.default_map = {name: _defaults(command, shared | own, context)}


def _read(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ProfileError(f"{path}: {error.strerror or error}") from None
    except ValueError as error:
        raise ProfileError(f"{path}: does not parse as TOML: {error}") from None


def _flags(command: click.Command) -> dict[str, str]:
    """Give a command's flags, without their dashes, and the parameters that they set."""
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    return {flag.lstrip("-"): option.name for option in options for flag in option.opts if option.name}


def _unknown(command: click.Command, table: Any, context: click.Context, where: str) -> Iterator[str]:
    """Find keys that are no flags: a misspelt one would be of no effect."""
    if not isinstance(table, dict):
        yield where
        return
    commands = _commands(command, context)
    flags = {flag for one in (command, *commands.values()) for flag in _flags(one)} - _SECRETS
    for key, value in table.items():
        if key in commands:
            yield from _unknown(commands[key], value, context, f"{where}.{key}")
        elif key not in flags:
            yield f"{where}.{key}"


def _commands(command: click.Command, context: click.Context) -> dict[str, click.Command]:
    if not isinstance(command, click.Group):
        return {}
    found = {name: command.get_command(context, name) for name in command.list_commands(context)}
    return {name: inner for name, inner in found.items() if inner is not None}


def _defaults(command: click.Command, table: Mapping[str, Any], context: click.Context) -> dict[str, Any]:
    """Give the values under the names of the parameters; those of a group go to its commands too."""
    defaults = {name: table[flag] for flag, name in _flags(command).items() if flag in table}
    shared = {key: value for key, value in table.items() if not isinstance(value, dict)}
    for name, inner in _commands(command, context).items():
        defaults[name] = _defaults(inner, {**shared, **table.get(name, {})}, context)
    return defaults
