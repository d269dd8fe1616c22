"""Where documents are classified: on the service, or on this machine by a server of the command's own."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import click
from attrs import fields, frozen

from .exits import Exit, fail

if TYPE_CHECKING:
    from ..session import ClassifySession

_LOCAL_CONCURRENCY = 8
"""Enough to keep every worker busy; more would only wait in the server's queue."""


@frozen(kw_only=True)
class Service:
    """Which service is asked, and for whom; None is what the environment says, and the key's own."""

    base_url: str | None = None
    organization_id: str | None = None
    project_id: str | None = None

    def session(self, api_key: str | None = None, **options: Any) -> ClassifySession:
        """Make a session with it."""
        from ..session import ClassifySession

        return ClassifySession(
            api_key,
            base_url=self.base_url,
            organization_id=self.organization_id,
            project_id=self.project_id,
            **options,
        )

    @staticmethod
    def options() -> list[click.Parameter]:
        """Make the options that say it, for every command that asks the service."""
        return [
            click.Option(
                ["--base-url"], envvar="LLAMA_CLOUD_BASE_URL", show_envvar=True, help="The service's address."
            ),
            click.Option(["--organization-id"], help="Instead of the key's own organization."),
            click.Option(["--project-id"], help="Instead of the key's own project."),
        ]

    @classmethod
    def taken_from(cls, options: dict[str, Any]) -> Service:
        """Take what those options say out of a command's."""
        return cls(**{option.name: options.pop(option.name) for option in fields(cls)})


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
async def opened(service: Service, *, local: bool, quiet: bool = False) -> AsyncIterator[ClassifySession]:
    """Give a session with the service, or with an embedded server of its own."""
    if not local:
        async with service.session() as session:
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
        Service(base_url=server.url).session("llx-local", poll=poll) as session,
    ):
        yield session
