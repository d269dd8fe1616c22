"""``llamaclassify serve``: the embedded server, until it is interrupted."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..loopback import is_loopback
from .exits import Exit, fail, run_async

if TYPE_CHECKING:
    from ..server import LocalServer

_AGE = re.compile(r"(\d{1,5})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Age(click.ParamType[timedelta]):
    """A time such as ``7d``, ``12h`` or ``30m``."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read it."""
        match = _AGE.fullmatch(value)
        if match is None or not int(match[1]):
            self.fail(f"{value!r} is no time: give one such as 7d, 12h or 30m", param, ctx)
        return timedelta(**{_UNITS[match[2]]: int(match[1])})


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    default=8765,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="The port; 0 takes any that is free.",
)
@click.option(
    "--data",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep files and jobs in this folder; without it they last as long as the server.",
)
@click.option(
    "--keep",
    type=Age(),
    help="Remove ended jobs and files that are older, such as 7d; for ever if not given.",
)
@click.option("--api-key", metavar="KEY", help="The one key that is accepted, instead of any llx- key.")
@click.option(
    "--webhook-host",
    "webhook_hosts",
    metavar="HOST",
    multiple=True,
    help="A host besides this machine that jobs may name in their webhooks; may be given again.",
)
@click.option("--workers", type=click.IntRange(min=1), help="Documents classified at once.")
def serve(host: str, api_key: str | None, **options: Any) -> None:
    """Serve the classification API on this machine, with no key and no network.

    Any API key that starts with llx- is accepted, unless one is given.
    """
    if not is_loopback(host) and api_key is None:
        click.echo(
            f"Warning: whoever can reach {host} can use this server and fill its disk: any key that starts"
            " with llx- is accepted. Give --api-key KEY to accept that one alone.",
            err=True,
        )
    run_async(lambda: _serve(host=host, api_key=api_key, **options))


async def _serve(*, host: str, port: int, api_key: str | None, **options: Any) -> Exit:
    try:
        from ..server import LocalServer
    except ModuleNotFoundError as missing:
        message = f"the server needs {missing.name}: pip install 'llamaclassify[local]'"
        raise fail(message, Exit.USAGE) from None
    try:
        async with LocalServer(host=host, port=port, api_key=api_key, **options) as server:
            _greet(server, api_key)
            await asyncio.Event().wait()
    except asyncio.CancelledError:
        pass  # the one way for a server to end
    except OSError as error:
        raise fail(f"cannot listen on {host} port {port}: {error.strerror or error}", Exit.ERROR) from None
    return Exit.OK


def _greet(server: LocalServer, api_key: str | None) -> None:
    click.echo(f"serving {server.url}; Ctrl-C ends it. To use it:")
    # A key that was given is its owner's to know: it is printed nowhere.
    key = "llx-local" if api_key is None else "your key"
    click.echo(f"  export LLAMA_CLOUD_BASE_URL={server.url} LLAMA_CLOUD_API_KEY={key}")
    click.echo(f"To watch its jobs: {server.url}/")
