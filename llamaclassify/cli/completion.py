"""``llamaclassify completion``: what a shell needs to complete commands and options."""

from __future__ import annotations

from typing import ClassVar

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

_BASH = r"""
%(complete_func)s() {
    local word glue kind value
    local -a words
    for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        if [[ $word == : || $glue ]]; then words[-1]+=$word; else words+=("$word"); fi
        if [[ $word == : ]]; then glue=1; else glue=; fi
    done
    local current=${words[-1]} place=$((${#words[@]} - 1))
    while IFS=, read -r kind value; do
        case $kind in
            dir) COMPREPLY=(); compopt -o dirnames ;;
            file) COMPREPLY=(); compopt -o default ;;
            plain) COMPREPLY+=("${value#"${current%%"${current##*:}"}"}") ;;
        esac
    done < <(env COMP_WORDS="${words[*]}" COMP_CWORD=$place %(complete_var)s=bash_complete "$1")
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class _Bash(BashComplete):
    """bash splits words at the colon of ``classifier:jobs``, which click does not know of."""

    source_template: ClassVar[str] = _BASH


class _Zsh(ZshComplete):
    """A start-up file that has not loaded zsh's completion yet has no ``compdef``."""

    source_template: ClassVar[str] = (
        "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }\n" + ZshComplete.source_template
    )


class _Fish(FishComplete):
    """click splits at every comma, also at those of the help."""

    source_template: ClassVar[str] = FishComplete.source_template.replace(
        'string split ","', 'string split --max 1 ","'
    )


_SHELLS: dict[str, type[ShellComplete]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}


@click.command()
@click.argument("shell", type=click.Choice(list(_SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    r"""Print what a shell's start-up file needs to complete commands and options.

    \b
    bash, in ~/.bashrc:  eval "$(llamaclassify completion bash)"
    zsh, in ~/.zshrc:    eval "$(llamaclassify completion zsh)"
    fish, in ~/.config/fish/config.fish:
                         llamaclassify completion fish | source
    """
    root = context.find_root()
    script = _SHELLS[shell](root.command, {}, "llamaclassify", "_LLAMACLASSIFY_COMPLETE")
    click.echo(script.source())
