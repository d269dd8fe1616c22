"""How a command ends: its exit status, and the signals that end it early."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from typing import Any

import click

from ..errors import (
    AuthenticationError,
    ConfigurationError,
    JobError,
    JobTimeoutError,
    LlamaClassifyError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
)


class Exit(IntEnum):
    """The exit statuses of every command."""

    OK = 0
    ERROR = 1
    USAGE = 2
    SOME_FAILED = 3
    AUTHENTICATION = 4
    LIMITS = 5
    DEADLINE = 6
    INTERRUPTED = 130
    TERMINATED = 143


def fail(message: str, status: Exit) -> click.ClickException:
    """Make the exception that prints `message` on stderr and ends with `status`."""
    error = click.ClickException(message)
    error.exit_code = status  # type: ignore[misc]  # click reads it from the instance
    return error


def status_of(error: LlamaClassifyError) -> Exit:
    """Give the exit status that belongs to an error that ends a command."""
    if isinstance(error, AuthenticationError | PermissionDeniedError):
        return Exit.AUTHENTICATION
    if isinstance(error, PaymentRequiredError | RateLimitError):
        return Exit.LIMITS
    if isinstance(error, JobError):
        return Exit.DEADLINE if isinstance(error, JobTimeoutError) else Exit.SOME_FAILED
    return Exit.USAGE if isinstance(error, ConfigurationError) else Exit.ERROR


@contextmanager
def writing() -> Iterator[None]:
    """Turn a failure to write into one line; a reader that has had enough (`| head`) ends it quietly."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise fail(f"cannot write: {error.strerror or error}", Exit.ERROR) from None


def run_async(command: Callable[[], Coroutine[Any, Any, Exit]]) -> None:
    """Run a command's coroutine and exit with its status; Ctrl-C and SIGTERM cancel it first."""
    try:
        status = asyncio.run(_until_terminated(command))
    except KeyboardInterrupt:
        status = Exit.INTERRUPTED
    except asyncio.CancelledError:
        status = Exit.TERMINATED
    except LlamaClassifyError as error:
        raise fail(" ".join(str(error).split()), status_of(error)) from error
    sys.exit(status)


async def _until_terminated(command: Callable[[], Coroutine[Any, Any, Exit]]) -> Exit:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  (a coroutine runs in a task)
    with suppress(NotImplementedError):  # Windows has no signal handlers in the loop
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await command()
