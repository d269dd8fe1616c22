"""``llamaclassify completion``: what a shell needs to complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

_SHELLS: dict[str, type[ShellComplete]] = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command()
@click.argument("shell", type=click.Choice(list(_SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a shell's completion script, for its start-up file.

    bash: eval "$(llamaclassify completion bash)"; zsh: the same with zsh; fish: llamaclassify completion fish
    | source
    """
    root = context.find_root()
    script = _SHELLS[shell](root.command, {}, "llamaclassify", "_LLAMACLASSIFY_COMPLETE")
    click.echo(script.source())
