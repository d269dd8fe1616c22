"""The one place of the client that speaks HTTP (aiohttp): the key, time-outs, retries, errors.

Nothing is opened before the first request. A session of the caller's is used and never closed; one of
our own is opened in the running event loop and closed by `aclose`.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import anyio
from attrs import field, frozen
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from ..errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    ConfigurationError,
    LlamaClassifyError,
    NotFoundError,
    ResponseDecodeError,
)
from ..version import __version__

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ..policies import RetryPolicy

RETRIED_STATUSES = frozenset({408, 429, *range(500, 600)})
LONGEST_RETRY_AFTER = 60.0
"""Seconds: a server that asks for a longer pause is not waited for longer than this."""
SLOWEST_UPLOAD = 256 * 1024
"""Bytes a second: an upload may take this much longer than another request."""

Query = Mapping[str, str | int | Sequence[str] | None]


class Secret:
    """The API key, kept out of every repr, log and traceback."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def header(self) -> dict[str, str]:
        """The one form in which the key leaves: as a header."""
        return {"Authorization": f"Bearer {self._value}"}

    def __repr__(self) -> str:
        return "Secret('***')"


@frozen
class Upload:
    """A multipart body that can be sent again: the document is re-opened for each attempt.

    Attributes:
        name: The file name that the server is told.
        document: Where the bytes are: a path, streamed from disk, or the bytes themselves.
        size: The document's length in bytes.
        fields: The form's other fields.
    """

    name: str
    document: Path | bytes = field(repr=False)
    size: int
    fields: Mapping[str, str]

    @asynccontextmanager
    async def form(self) -> AsyncGenerator[aiohttp.FormData]:
        """Open the document and give the form that streams it."""
        # Percent-encoding would reach the server as part of the name; only what breaks a header is replaced.
        form = aiohttp.FormData(quote_fields=False)
        for key, value in self.fields.items():
            form.add_field(key, value)
        name = "".join(c if c.isprintable() else "_" for c in self.name)
        form_name = name.encode("utf-8", "replace").decode()
        octets = "application/octet-stream"
        if isinstance(self.document, bytes):
            form.add_field("file", self.document, filename=form_name, content_type=octets)
            yield form
            return
        async with await anyio.open_file(self.document, "rb") as file:
            form.add_field("file", file.wrapped, filename=form_name, content_type=octets)
            yield form


class Transport:
    """Sends one request, with its retries, and gives the decoded JSON."""

    def __init__(
        self,
        key: Secret,
        *,
        base_url: str,
        scope: Query,
        http: aiohttp.ClientSession | None,
        timeout: float,
        retry: RetryPolicy,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._key = key
        self.base_url = base_url.rstrip("/")
        self._scope = scope
        self._http = http
        self._owned = http is None
        self._timeout = timeout
        self._retry = retry
        self._sleep = sleep
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pid = os.getpid()
        self._closed = False

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        upload: Upload | None = None,
        retried: Iterable[int] = RETRIED_STATUSES,
    ) -> Any:
        """Send one request and give its answer's JSON, or None where the answer has no body.

        Args:
            method: The HTTP method.
            path: The path below the base URL, percent-encoded.
            query: Query parameters over the session's own; None is left out, a list repeats its key.
            body: What to send as JSON.
            upload: What to send as a form instead.
            retried: The statuses that are tried again. Lost connections, time-outs and bodies that
                are cut or not JSON always are: a request that must not be repeated has no place here.

        Raises:
            APIStatusError: The last attempt was answered with 400 or more.
            APIConnectionError: The last attempt got no complete answer; `APITimeoutError` if not in time.
            ResponseDecodeError: The last attempt's answer was not JSON.
        """
        name = f"{method} {path}"
        parameters = _parameters(self._scope, query or {})
        statuses = frozenset(retried)
        earlier: list[LlamaClassifyError] = []

        def is_retried(error: BaseException) -> bool:
            if isinstance(error, APIStatusError):
                return error.status in statuses
            return isinstance(error, APIConnectionError | ResponseDecodeError)

        def remember(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            if isinstance(error, LlamaClassifyError):
                earlier.append(error)

        retrying = AsyncRetrying(
            sleep=self._sleep,
            stop=stop_after_attempt(int(self._retry.attempts)),
            wait=self._pause,
            retry=retry_if_exception(is_retried),
            before_sleep=remember,
            reraise=True,
        )
        payload = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        try:
            return await retrying(self._send, name, method, path, parameters, payload, upload)
        except LlamaClassifyError as error:
            error.attempts = tuple(earlier)
            raise

    async def delete(self, path: str, *, query: Query | None = None) -> Any:
        """Send a DELETE; one that is gone at a later attempt was deleted by an earlier one.

        Raises:
            NotFoundError: It was not there at the first attempt.
        """
        try:
            return await self.request("DELETE", path, query=query)
        except NotFoundError as error:
            if not error.attempts:
                raise
            return None

    async def aclose(self) -> None:
        """Close what is owned; a second call does nothing."""
        self._closed = True
        http, self._http = self._http, None
        if http is not None and self._owned:
            await http.close()

    async def _send(
        self,
        name: str,
        method: str,
        path: str,
        parameters: Sequence[tuple[str, str]],
        payload: bytes | None,
        upload: Upload | None,
    ) -> Any:
        if upload is not None:
            async with upload.form() as form:
                seconds = self._timeout + upload.size / SLOWEST_UPLOAD
                return await self._exchange(name, method, path, parameters, form, seconds)
        return await self._exchange(name, method, path, parameters, payload, self._timeout)

    async def _exchange(
        self,
        name: str,
        method: str,
        path: str,
        parameters: Sequence[tuple[str, str]],
        data: bytes | aiohttp.FormData | None,
        seconds: float,
    ) -> Any:
        headers = {"Content-Type": "application/json"} if isinstance(data, bytes) else {}
        try:
            async with self._session().request(
                method,
                self.base_url + path,
                params=parameters,
                data=data,
                # Made in place: a name bound to it would show the key in a traceback with locals.
                headers=headers | self._key.header(),
                timeout=aiohttp.ClientTimeout(total=seconds),
            ) as response:
                status, text = response.status, await response.text(errors="replace")
                after = _retry_after(response.headers.get("Retry-After"))
        except TimeoutError:
            message = f"{name}: no complete answer within {seconds:g} s"
            raise APITimeoutError(message) from None
        except (aiohttp.ClientError, OSError) as error:
            message = f"{name}: {str(error) or type(error).__name__}"
            raise APIConnectionError(message) from error
        if status >= 400:
            raise APIStatusError.of(name, status, _json_or_text(text), after)
        if not text:
            return None
        try:
            return json.loads(text)
        except ValueError as error:
            raise ResponseDecodeError(name, "$", f"not JSON ({error})") from None

    def _session(self) -> aiohttp.ClientSession:
        """Give the HTTP session, opening our own at the first request."""
        loop = asyncio.get_running_loop()
        if self._closed:
            message = "the session is closed; open another one"
            raise ConfigurationError(message)
        if self._pid != os.getpid():
            message = "the session was made before a fork; make one in each process"
            raise ConfigurationError(message)
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            message = "the session belongs to another event loop; make one in each loop"
            raise ConfigurationError(message)
        if self._http is None:
            # Concurrency is bounded where documents are handed out: a second bound here would only
            # count waiting for a connection as part of a request's time-out.
            self._http = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={
                    "User-Agent": f"llamaclassify/{__version__}",
                    "Accept": "application/json",
                },
                trust_env=True,
            )
        return self._http

    def _pause(self, state: RetryCallState) -> float:
        """Draw the pause after a failed attempt: full jitter, and never less than the server asks for."""
        error = state.outcome.exception() if state.outcome else None
        asked = getattr(error, "retry_after", None) or 0.0
        longest = min(self._retry.maximum, self._retry.initial * 2 ** (state.attempt_number - 1))
        return max(random.uniform(0, longest), min(asked, LONGEST_RETRY_AFTER))  # noqa: S311


def _parameters(scope: Query, query: Query) -> list[tuple[str, str]]:
    """Lay a call's own parameters over the session's; a list repeats its key."""
    given = {key: value for key, value in query.items() if value is not None}
    pairs: list[tuple[str, str]] = []
    for key, value in {**scope, **given}.items():
        if isinstance(value, str | int):
            pairs.append((key, str(value)))
        elif value is not None:
            pairs.extend((key, item) for item in value)
    return pairs


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _retry_after(value: str | None) -> float | None:
    """Read ``Retry-After``: seconds, whole or not, or a date."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
