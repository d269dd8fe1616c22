"""The group of all commands."""

from __future__ import annotations

import click

from ..version import __version__
from .lazy import LazyGroup
from .profile import apply

_COMMANDS = {
    "run": ("run:run", "Classify documents: files, folders, globs, lists and ids."),
    "plan": ("run:plan", "Say what a run would take, and send nothing."),
    "evaluate": ("evaluate:evaluate", "See how well rules work, on documents of known types."),
    "report": ("report:report", "Make a web page of a run or an evaluation, in one file."),
    "classify": ("classify:classify", "Classify jobs: start, look at, wait for, end, remove."),
    "files": ("files:files", "Stored files: upload, list, look up, fetch and remove them."),
    "configurations": ("configurations:configurations", "Saved configurations: rules kept on the server."),
    "classifier:jobs": ("classifier_jobs:classifier_jobs", "Jobs of the v1 API. Deprecated: use classify."),
    "serve": ("serve:serve", "Serve the API on this machine, with no key and no network."),
    "doctor": ("doctor:doctor", "Look at the key, the service and this machine."),
    "completion": ("completion:completion", "Print the completion script of a shell."),
}
"""The commands: where they are, and what they do."""


@click.group(
    cls=LazyGroup,
    lazy=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="llamaclassify")
@click.pass_context
def commands(context: click.Context) -> None:
    """Classify documents by rules in plain language: on LlamaCloud, or on this machine with no key."""
    apply(context, context.invoked_subcommand)
