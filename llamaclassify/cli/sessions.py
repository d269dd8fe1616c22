"""Where documents are classified: on the service, or on this machine by a server of the command's own."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import click

from .exits import Exit, fail

if TYPE_CHECKING:
    from ..session import ClassifySession

_LOCAL_CONCURRENCY = 8
"""Enough to keep every worker busy; more would only wait in the server's queue."""


def has_key() -> bool:
    """Tell whether the environment holds an API key."""
    return bool(os.environ.get("LLAMA_CLOUD_API_KEY", "").strip())


def is_local(asked: bool | None) -> bool:
    """Decide where to classify, by ``--local`` or ``--cloud`` where one was given.

    Raises:
        click.ClickException: The service needs a key.
    """
    if asked is None:
        return not has_key()
    if not asked and not has_key():
        raise fail("--cloud needs a key: set LLAMA_CLOUD_API_KEY", Exit.AUTHENTICATION)
    return asked


def concurrency_of(asked: int | None, *, local: bool) -> int:
    """Decide how many documents may be under way."""
    from ..session import DEFAULT_CONCURRENCY

    return asked or (_LOCAL_CONCURRENCY if local else DEFAULT_CONCURRENCY)


@asynccontextmanager
async def opened(*, local: bool, quiet: bool = False) -> AsyncIterator[ClassifySession]:
    """Give a session with the service, or with an embedded server of its own."""
    from ..session import ClassifySession

    if not local:
        async with ClassifySession() as session:
            yield session
        return
    from ..policies import PollPolicy

    try:
        import kreuzberg  # noqa: F401  (only the workers use it, but they could not say that it is missing)

        from ..server import LocalServer
    except ModuleNotFoundError as missing:
        message = f"classifying on this machine needs {missing.name}: pip install 'llamaclassify[local]'"
        raise fail(message, Exit.USAGE) from None
    if not quiet:
        why = "" if has_key() else "no LLAMA_CLOUD_API_KEY: "
        click.echo(f"{why}classifying on this machine; no document leaves it", err=True)
    poll = PollPolicy(initial=0.05, maximum=0.5)
    async with (
        LocalServer() as server,
        ClassifySession("llx-local", base_url=server.url, poll=poll) as session,
    ):
        yield session
