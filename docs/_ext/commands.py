"""The directive ``commands``: every command of the command line, made of click's own objects.

Help texts are plain: sphinx-click would read them as reStructuredText.
"""

from __future__ import annotations

from collections.abc import Iterator

import click
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from llamaclassify.cli.main import commands

Record = tuple[str, str]
"""An option as it is written, and its help."""


class Commands(SphinxDirective):
    """A section for each command, with its usage, its help and its options."""

    def run(self) -> list[nodes.Node]:
        """Give the sections, anew at every build: Sphinx does not see when a command changes."""
        self.env.note_reread()
        group = click.Context(commands, info_name="llamaclassify", **commands.context_settings)
        return [_section(context, known=[]) for context in _below(group)]


def _below(context: click.Context) -> Iterator[click.Context]:
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            yield click.Context(command, parent=context, info_name=name)


def _section(context: click.Context, known: list[Record]) -> nodes.section:
    """Describe a command and those below it; options that the group has shown are left out."""
    command, path = context.command, context.command_path
    section = nodes.section(ids=[nodes.make_id(path)], names=[path], support_smartquotes=False)
    section += nodes.title("", "", nodes.literal("", path.removeprefix("llamaclassify ")))
    section += [nodes.paragraph("", text) for text in _paragraphs(command.help or "")]
    children = list(_below(context))
    if not children:
        usage = " ".join([path, *command.collect_usage_pieces(context)])
        section += nodes.literal_block(usage, usage, language="text")
        section += _options([record for record in _records(context) if record not in known])
        return section
    shared = [
        record for record in _records(children[0]) if all(record in _records(each) for each in children)
    ]
    if shared:
        section += nodes.paragraph("", "Every command of this group has:")
        section += _options(shared)
    section += [_section(child, known=shared) for child in children]
    return section


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in text.replace("\b", "").split("\n\n")]


def _records(context: click.Context) -> list[Record]:
    options = [each for each in context.command.params if isinstance(each, click.Option)]
    return [record for option in options if (record := option.get_help_record(context))]


def _options(records: list[Record]) -> list[nodes.Node]:
    items = [
        nodes.definition_list_item(
            "",
            nodes.term("", "", nodes.literal("", written)),
            nodes.definition("", nodes.paragraph("", " ".join(text.split()))),
        )
        for written, text in records
    ]
    return [nodes.definition_list("", *items)] if items else []


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive."""
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True}
