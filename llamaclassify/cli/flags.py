"""The flags of the endpoint commands: the service's own names, and where each one's value goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from attrs import Factory, field, frozen

from .values import LIST, MOMENT, OBJECT, TEXT, UnreadableError, parsed

Request = dict[str, Any]
"""What a command was asked for, under the names of the library's parameters and the wire's keys."""


def _wire_name(flag: Flag) -> str:
    return flag.name.replace("-", "_")


@frozen
class Flag:
    """A flag of a command.

    Attributes:
        name: As it is written after the two dashes.
        help: What it is for.
        type: What values it takes.
        at: Where its value goes: ``a.b`` is the key b of the object a; ``a[]`` is the list a, of the values
            of all times that the flag is given; with ``a[].b`` the nth value is the key b of the nth object
            in the list a. The flag's name if not given.
        also: Other names.
        positional: Whether it is required, and may be given with no name.
    """

    name: str
    help: str
    type: click.ParamType[Any] = TEXT
    at: str = field(default=Factory(_wire_name, takes_self=True), kw_only=True)
    also: tuple[str, ...] = field(default=(), kw_only=True)
    positional: bool = field(default=False, kw_only=True)

    @property
    def parameter(self) -> str:
        """The name of its value among a command's parameters."""
        return self.name.replace(".", "__").replace("-", "_")

    def parameters(self) -> list[click.Parameter]:
        """Make what click is to read."""
        names = [f"--{name}" for name in (self.name, *self.also)]
        option = click.Option(
            [*names, self.parameter],
            type=self.type,
            help=self.help,
            multiple="[]" in self.at,
            is_flag=self.type is click.BOOL,
            default=None,
        )
        if not self.positional:
            return [option]
        metavar = f"[{self.parameter.upper()}]"
        return [
            click.Argument([f"{self.parameter}_given"], type=self.type, required=False, metavar=metavar),
            option,
        ]

    def taken_from(self, values: dict[str, Any]) -> Any:
        """Give its value among a command's parameters; None where it was not given.

        Raises:
            click.UsageError: It is required and missing, or was given twice.
        """
        named = values[self.parameter]
        if not self.positional:
            return None if named == () else named
        unnamed = values[f"{self.parameter}_given"]
        given = [value for value in (named, unnamed) if value is not None]
        if len(given) != 1:
            count = "two" if given else "none"
            message = f"give one {self.parameter.upper()}, as --{self.name} or alone; got {count}"
            raise click.UsageError(message)
        return given[0]


JOB_ID = Flag("job-id", "The job.", also=("classify-job-id",), positional=True)
CLASSIFIER_JOB_ID = Flag("classify-job-id", "The job.", also=("job-id",), positional=True)
FILE_ID = Flag("file-id", "The file.", positional=True)
CONFIG_ID = Flag("config-id", "The configuration.", positional=True)
WEBHOOKS = (
    Flag(
        "webhook-configuration",
        "Where the service reports changes of the job; may be repeated.",
        LIST,
        at="webhook_configurations[]",
    ),
    Flag(
        "webhook-configuration.webhook-url",
        "Where the events are posted.",
        at="webhook_configurations[].webhook_url",
    ),
    Flag(
        "webhook-configuration.webhook-events",
        "Their names, as a list; all of them if not given.",
        LIST,
        at="webhook_configurations[].webhook_events",
    ),
    Flag(
        "webhook-configuration.webhook-headers",
        "Headers to send along, as an object.",
        OBJECT,
        at="webhook_configurations[].webhook_headers",
    ),
    Flag(
        "webhook-configuration.webhook-output-format",
        "string (the default) or json.",
        at="webhook_configurations[].webhook_output_format",
    ),
    Flag(
        "webhook-configuration.webhook-signing-secret",
        "What deliveries are signed with; better from a file, as @path.",
        at="webhook_configurations[].webhook_signing_secret",
    ),
)
PAGES = (
    Flag("page-size", "Items a page.", click.IntRange(min=1)),
    Flag("page-token", "Start with the page of this token."),
    Flag("max-items", "Stop after so many items; -1, the default, for all.", click.IntRange(min=-1)),
)
CREATED = (
    Flag("created-at-on-or-after", "Only jobs made then or later; UTC if it names no zone.", MOMENT),
    Flag("created-at-on-or-before", "Only jobs made then or earlier.", MOMENT),
)


def body_option() -> click.Option:
    """Make the option that reads a request's body."""
    return click.Option(
        ["--body"],
        type=click.File("r", encoding="utf-8-sig"),
        help="A request in YAML or JSON, with the keys of the API; flags go over it. - reads stdin.",
    )


def requested(flags: Sequence[Flag], values: dict[str, Any]) -> Request:
    """Make the request that a command's parameters ask for: what the flags say, over the ``--body``.

    Raises:
        click.UsageError: The body cannot be read, or has a key that no flag has.
    """
    request = _body(flags, values["body"]) if values.get("body") else {}
    for flag in flags:
        value = flag.taken_from(values)
        if value is not None:
            _put(request, flag.at, value)
    return request


def _body(flags: Sequence[Flag], file: Any) -> Request:
    try:
        body = parsed(file.read())
    except (UnreadableError, ValueError, OSError) as error:
        raise click.UsageError(f"--body: {error}") from None
    if not isinstance(body, dict):
        raise click.UsageError("--body: expected an object")
    known = {flag.at.split(".")[0].removesuffix("[]"): "[]" in flag.at.split(".")[0] for flag in flags}
    for key, value in body.items():
        if key not in known:
            raise click.UsageError(f"--body: {key}: is no key here; the keys are {', '.join(known)}")
        if known[key] and not isinstance(value, list | None):
            raise click.UsageError(f"--body: {key}: expected a list")
    return {key: value for key, value in body.items() if value is not None}


def _put(request: Request, at: str, value: Any) -> None:
    """Put a flag's value where it goes."""
    outer, is_list, inner = at.partition("[]")
    *parents, key = outer.split(".")
    place = request
    for parent in parents:
        if not isinstance(place.get(parent), dict):
            place[parent] = {}
        place = place[parent]
    if not is_list:
        place[key] = _laid_over(place.get(key), value)
    elif not inner:
        # A value may itself be a list of them.
        place[key] = [item for given in value for item in (given if isinstance(given, list) else [given])]
    else:
        objects = place.setdefault(key, [])
        objects.extend({} for _ in range(len(value) - len(objects)))
        for index, given in enumerate(value):
            objects[index] = _laid_over(objects[index], {inner.removeprefix("."): given})


def _laid_over(below: Any, value: Any) -> Any:
    """Merge an object over another one; any other value takes the place of what was there."""
    if not (isinstance(below, dict) and isinstance(value, dict)):
        return value
    return {**below, **{key: _laid_over(below.get(key), inner) for key, inner in value.items()}}
