"""The group of all commands."""

from __future__ import annotations

import click

from ..version import __version__
from .classifier_jobs import classifier_jobs
from .classify import classify
from .configurations import configurations
from .files import files
from .run import run
from .serve import serve


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="llamaclassify")
def commands() -> None:
    """Classify documents by rules in plain language: on LlamaCloud, or on this machine with no key."""


commands.add_command(run)
commands.add_command(classify)
commands.add_command(classifier_jobs)
commands.add_command(files)
commands.add_command(configurations)
commands.add_command(serve)
