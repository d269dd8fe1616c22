"""What the commands of all endpoint groups share: their options, the session, errors and warnings."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import click
from attrs import field, fields, frozen

from ..errors import JobError
from .exits import Exit, fail, run_async, writing
from .flags import Flag, Request, body_option, requested
from .sessions import Service
from .talk import debug_log, plain_warnings

if TYPE_CHECKING:
    from ..session import ClassifySession

_FORMATS = ("json", "jsonl", "yaml", "table")

Call = Callable[["ClassifySession", Request], Awaitable[Any]]
"""A command: gives what is to be printed, a listing as its `Pager`, None for nothing."""


@frozen
class _Shared:
    """The values of the options that every command has, besides which service."""

    api_key: str | None = field(repr=False)
    form: str
    debug: bool


def _shared_options() -> list[click.Parameter]:
    return [
        click.Option(["--api-key"], envvar="LLAMA_CLOUD_API_KEY", show_envvar=True, help="The API key."),
        *Service.options(),
        click.Option(
            ["--format", "form"],
            type=click.Choice(_FORMATS),
            default="json",
            show_default=True,
            help="How to print the answer.",
        ),
        click.Option(["--debug"], is_flag=True, help="Print requests and answers on stderr."),
    ]


def command(
    group: click.Group,
    name: str,
    *flags: Flag,
    body: bool = False,
    also: str | None = None,
    note: str | None = None,
) -> Callable[[Call], Call]:
    """Make a function the command `name` of a group; its docstring is the help.

    Args:
        group: The group.
        name: The command's name.
        *flags: Its flags; the function is given their values, as `requested`.
        body: Whether it takes a ``--body``.
        also: A second name.
        note: What to say on stderr whenever it is used.
    """

    def add(call: Call) -> Call:
        def run(**values: Any) -> None:
            shared = _Shared(**{option.name: values.pop(option.name) for option in fields(_Shared)})
            service = Service.taken_from(values)
            request = requested(flags, values)
            if note:
                click.echo(f"Note: {note}", err=True)
            with writing():
                run_async(lambda: _run(call, request, service, shared))

        parameters = [parameter for flag in flags for parameter in flag.parameters()]
        if body:
            parameters.append(body_option())
        made = click.Command(
            name,
            callback=run,
            params=[*parameters, *_shared_options()],
            help=inspect.getdoc(call),
        )
        group.add_command(made)
        if also:
            second = copy.copy(made)
            second.hidden = True
            group.add_command(second, also)
        return call

    return add


async def _run(call: Call, request: Request, service: Service, shared: _Shared) -> Exit:
    from .answers import show

    if not shared.api_key:
        raise fail("there is no API key: set LLAMA_CLOUD_API_KEY", Exit.AUTHENTICATION)
    with debug_log(on=shared.debug), plain_warnings():
        async with service.session(shared.api_key) as session:
            try:
                await _answer(call, session, request, shared.form)
            except JobError as error:
                if error.job is not None:
                    show(error.job, shared.form)
                raise
    return Exit.OK


async def _answer(call: Call, session: ClassifySession, request: Request, form: str) -> None:
    from ..wire.pagination import Page, Pager
    from .answers import pages_of, show, show_listing

    most = request.pop("max_items", -1)
    if most == 0:
        raise click.UsageError("--max-items: give a number from 1 on, or -1 for all")
    answer = call(session, {**request})
    if isinstance(answer, Pager):

        async def ask(size: int | None, token: str | None) -> Page[Any]:
            page: Page[Any] = await call(session, {**request, "page_size": size, "page_token": token})
            return page

        size, token = request.get("page_size"), request.get("page_token")
        pages = pages_of(ask, size=size, token=token, most=None if most < 0 else most)
        await show_listing(pages, form)
    else:
        found = await answer
        if found is not None:
            show(found, form)
