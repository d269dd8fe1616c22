"""``llamaclassify serve``: the embedded server, until it is interrupted."""

from __future__ import annotations

import asyncio

import click

from .exits import Exit, fail, run_async


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    default=8765,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="The port; 0 takes any that is free.",
)
@click.option("--workers", type=click.IntRange(min=1), help="Documents classified at once.")
def serve(host: str, port: int, workers: int | None) -> None:
    """Serve the classification API on this machine, with no key and no network.

    Files and jobs last as long as the server. Any API key that starts with llx- is accepted.
    """
    run_async(lambda: _serve(host, port, workers))


async def _serve(host: str, port: int, workers: int | None) -> Exit:
    try:
        from ..server import LocalServer
    except ModuleNotFoundError as missing:
        message = f"the server needs {missing.name}: pip install 'llamaclassify[local]'"
        raise fail(message, Exit.USAGE) from None
    try:
        async with LocalServer(host=host, port=port, workers=workers) as server:
            click.echo(f"serving {server.url}; Ctrl-C ends it. To use it:")
            click.echo(f"  export LLAMA_CLOUD_BASE_URL={server.url} LLAMA_CLOUD_API_KEY=llx-local")
            await asyncio.Event().wait()
    except asyncio.CancelledError:
        pass  # the one way for a server to end
    except OSError as error:
        raise fail(f"cannot listen on {host} port {port}: {error.strerror or error}", Exit.ERROR) from None
    return Exit.OK
