"""The one place of the client that speaks HTTP (aiohttp): the key, the connections, time-outs, errors.

Nothing is opened before the first request. A session of the caller's is used and never closed; one of
our own is opened in the running event loop and closed by `aclose`.
"""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import os
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, get_args
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from ..errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    ConfigurationError,
    LlamaClassifyError,
    NotFoundError,
    ResponseDecodeError,
)
from ..events import Listener, RequestDone
from ..loopback import is_loopback
from ..version import __version__
from .lifetime import Lifetime
from .limits import Kind
from .retries import RETRIED_STATUSES, Retries, acted_before, is_passing, retry_after
from .secret import Secret, without_secrets
from .upload import Upload

_IN_FLIGHT = 64
"""Requests of one kind at once: more connections would cost more than they bring, and run into limits."""

_CLEAN_UP_WITHIN = 2.5
"""Seconds that closing waits for cancels to reach the server, where a wait is to cancel its job."""
_forks = 0
"""Forks between our import and this process: to ask for its id at each request would cost more."""
_log = logging.getLogger("llamaclassify.http")

Query = Mapping[str, str | int | Sequence[str] | None]


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
        retries: Retries,
        lifetime: Lifetime,
        on_event: Listener | None = None,
    ) -> None:
        self._key = key
        self.base_url: str = base_url.rstrip("/")
        self._scope = scope
        self._scope_parameters = _parameters(scope, {})
        self._http = http
        self._owned = http is None
        # Not by aiohttp's trust_env: that would also take a login from ~/.netrc, in place of the key.
        self._proxy = _proxy(self.base_url) if self._owned else None
        self._timeout = timeout
        self._retries = retries
        self._lifetime = lifetime
        self.on_event: Listener | None = on_event
        # Chosen once: who hears nothing pays nothing.
        self._exchange = self._send if on_event is None else self._send_and_tell
        # Waited for outside of a request's time-out, unlike a connection of aiohttp's pool.
        self._places = {kind: asyncio.Semaphore(_IN_FLIGHT) for kind in get_args(Kind)}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._forks = _forks

    @property
    def identity(self) -> str:
        """Where the calls go: the server and, where one is named, the project.

        A server on this machine is the same one whatever its port: an embedded one has another each time.
        """
        url = URL(self.base_url)
        if is_loopback(url.host or ""):
            url = url.with_port(None)
        return str(url.with_query({key: str(value) for key, value in self._scope.items() if value}))

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        upload: Upload | None = None,
        kind: Kind = "other",
        retried: Collection[int] = RETRIED_STATUSES,
        repeatable: bool = True,
    ) -> Any:
        """Send one request and give its answer's JSON; None where a DELETE is answered without a body.

        Args:
            method: The HTTP method.
            path: The path below the base URL, percent-encoded.
            query: Query parameters over the session's own; None is left out, a list repeats its key.
            body: What to send as JSON; bytes are JSON already.
            upload: What to send as a form instead.
            kind: Which of the session's rate limits it counts for.
            retried: The statuses that are tried again.
            repeatable: Whether it may be sent again when it is not known if the server has acted on it: after
                a lost connection, a time-out, a 5xx, or an answer that is cut or not JSON. If not, it is
                tried again only where it surely was not acted on: never sent, or refused with 429.

        Raises:
            APIStatusError: The last attempt was answered with 400 or more, or with a redirect of a request
                that is no GET.
            APIConnectionError: The last attempt got no complete answer; `APITimeoutError` if not in time.
            ResponseDecodeError: The last attempt's answer was not JSON.
            ConfigurationError: The session is closed, or of another loop or process.
        """
        name = f"{method} {path}"
        may_be_empty = method == "DELETE"
        parameters = _parameters(self._scope, query) if query else self._scope_parameters
        payload = body if body is None or isinstance(body, bytes) else json_bytes(body)

        async def attempt() -> Any:
            exchange = functools.partial(self._exchange, name, method, self.base_url + path, parameters)
            async with self._places[kind]:
                if upload is None:
                    content = await exchange(payload, self._timeout)
                else:
                    async with upload.form() as form:
                        content = await exchange(form, self._timeout + upload.seconds)
            return None if may_be_empty and not content else _json(name, content)

        def is_retried(error: BaseException) -> bool:
            if upload is not None and upload.once:
                return False
            if isinstance(error, APIStatusError):
                return error.status in retried and (repeatable or error.status == 429)
            if isinstance(error, APIConnectionError):
                return repeatable or not error.sent
            return repeatable and isinstance(error, ResponseDecodeError)

        with self._lifetime.bounds():
            return await self._retries.run(attempt, is_retried, kind)

    async def fetch(self, url: str) -> bytes:
        """Give what a presigned URL leads to; the key is not sent along.

        Raises:
            APIStatusError, APIConnectionError: As for `request`.
        """
        # What comes after the path is a secret of its own.
        name = f"GET {url.partition('?')[0]}"

        async def attempt() -> bytes:
            return await self._exchange(name, "GET", url, (), None, self._timeout, keyed=False)

        with self._lifetime.bounds():
            return await self._retries.run(attempt, is_passing, "other")

    async def delete(self, path: str, *, query: Query | None = None) -> Any:
        """Send a DELETE; one that is gone at a later attempt was deleted by an earlier one.

        Raises:
            NotFoundError: It was not there at the first attempt.
        """
        try:
            return await self.request("DELETE", path, query=query)
        except NotFoundError as error:
            if not acted_before(error):
                raise
            return None

    async def aclose(self) -> None:
        """Close what is owned; a second call does nothing."""
        await self._lifetime.end(_CLEAN_UP_WITHIN)
        http, self._http = self._http, None
        if http is not None and self._owned:
            # What has just been ended lets go of its connections first.
            await asyncio.sleep(0)
            await http.close()

    async def _send_and_tell(self, name: str, *request: Any, **options: Any) -> bytes:
        """Send one attempt and tell how it went."""
        error: LlamaClassifyError | None = None
        started = time.monotonic()
        try:
            return await self._send(name, *request, **options)
        except LlamaClassifyError as failure:
            error = failure
            raise
        finally:
            if self.on_event is not None:
                seconds = time.monotonic() - started
                self.on_event(RequestDone(name=name, seconds=seconds, error=error))

    async def _send(
        self,
        name: str,
        method: str,
        url: str,
        parameters: Sequence[tuple[str, str]],
        data: bytes | aiohttp.FormData | None,
        seconds: float,
        *,
        keyed: bool = True,
    ) -> bytes:
        """Send one attempt and give the body of its answer."""
        headers = {"Content-Type": "application/json"} if isinstance(data, bytes) else {}
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("%s %s %s", name, parameters, without_secrets(data))
        try:
            async with self._session().request(
                method,
                _url(url),
                params=parameters,
                data=data,
                # Made in place: a name bound to it would show the key in a traceback with locals.
                headers=headers | (self._key.header() if keyed else {}),
                timeout=_time_out(seconds),
                # A POST that is redirected would become a GET: it is an error of the base URL instead.
                allow_redirects=method == "GET",
                proxy=self._proxy if keyed or not self._owned else _proxy(url),
                raise_for_status=False,
            ) as response:
                status, content = response.status, await response.read()
                after = retry_after(response.headers.get("Retry-After"))
        except TimeoutError:
            raise APITimeoutError(f"{name}: no complete answer within {seconds:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            failure = APIConnectionError(f"{name}: {str(error) or type(error).__name__}")
            failure.sent = not isinstance(error, aiohttp.ClientConnectorError)
            raise failure from error
        if keyed:
            # A server may echo the key: it must not get into a log or an error.
            content = self._key.masked(content)
        if keyed and _log.isEnabledFor(logging.DEBUG):
            _log.debug("%s: %d %s", name, status, without_secrets(content))
        if status >= 300:
            raise APIStatusError.of(name, status, _json_or_text(content), after)
        return content

    def _session(self) -> aiohttp.ClientSession:
        """Give the HTTP session, opening our own at the first request."""
        if self._forks != _forks:
            message = "the session was made before a fork; make one in each process"
            raise ConfigurationError(message)
        if self._http is not None and self._http.closed:
            raise ConfigurationError("http: the aiohttp session that was given is closed")
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            message = "the session belongs to another event loop; make one in each loop"
            raise ConfigurationError(message)
        if self._http is None:
            # Bounded by our places: a bound here would count waiting for a connection as part of a
            # request's time-out.
            self._http = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={
                    "User-Agent": f"llamaclassify/{__version__}",
                    "Accept": "application/json",
                },
            )
        return self._http


@functools.lru_cache(maxsize=128)
def _url(text: str) -> URL:
    return URL(text, encoded=True)


@functools.lru_cache(maxsize=128)
def _time_out(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=seconds)


def _count_fork() -> None:
    global _forks  # noqa: PLW0603
    _forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count_fork)


def _proxy(url: str) -> str | None:
    """Give the proxy that the environment names for a URL; none for this machine itself."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host) or proxy_bypass(host):
        return None
    return getproxies().get(parts.scheme)


def _parameters(scope: Query, query: Query) -> list[tuple[str, str]]:
    """Lay a call's own parameters over the session's; a list repeats its key."""
    given = {key: value for key, value in query.items() if value is not None}
    pairs: list[tuple[str, str]] = []
    for key, value in {**scope, **given}.items():
        if isinstance(value, list | tuple):
            pairs.extend((key, str(item)) for item in value)
        elif value is not None:
            pairs.append((key, str(value)))
    return pairs


def json_bytes(value: Any) -> bytes:
    """Write JSON as a request's body has it."""
    return json.dumps(value, separators=(",", ":")).encode()


def _json(name: str, content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ResponseDecodeError(name, "$", f"not JSON ({error})") from None


def _json_or_text(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return content.decode(errors="replace")
