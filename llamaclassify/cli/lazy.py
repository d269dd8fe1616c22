"""A group of commands whose modules are imported when one of them runs, so that ``--help`` costs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """Commands by name: where each is, and the line about it."""

    def __init__(self, *arguments: Any, lazy: Mapping[str, tuple[str, str]], **options: Any) -> None:
        """Take `lazy`: the commands' places, ``module:object`` beside this one, and their help lines."""
        super().__init__(*arguments, **options)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (as Group's)
        """Give the names, in the order of the table."""
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  (as Group's)
        """Import a command."""
        if cmd_name not in self._lazy:
            return None
        place, line = self._lazy[cmd_name]
        module, _, name = place.partition(":")
        command: click.Command = getattr(import_module(f".{module}", __package__), name)
        command.short_help = line
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the lines of the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self._lazy.items()])
