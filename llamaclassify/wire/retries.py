"""Trying one request again: when, how often, and how fast the session may ask at all.

tenacity runs the loop, a fresh `AsyncRetrying` each time: one that is shared miscounts under concurrency. The
loop is entered when the first attempt has failed, since it costs as much as a request's own bookkeeping.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import anyio
from attrs import frozen
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from ..errors import APIConnectionError, APIStatusError, LlamaClassifyError, RateLimitError
from ..events import Listener, RequestHeld, RequestRetried
from ..policies import RetryPolicy
from .limits import Kind, RateBudget

T = TypeVar("T")
_log = logging.getLogger("llamaclassify.http")

RETRIED_STATUSES = frozenset({408, 429, *range(500, 600)})
_WORTH_TELLING = 0.01
"""Seconds: what takes less was not held back."""
LONGEST_RETRY_AFTER = 60.0
"""Seconds: a server that asks for a longer pause is not waited for longer than this."""


@frozen
class Retries:
    """How the requests of one session are tried again.

    Attributes:
        policy: How often, and how long the pauses are.
        limiter: Admits every attempt; None admits them at once.
        sleep: Waits so many seconds.
        on_event: Hears of retries, and of what the limiter holds back.
    """

    policy: RetryPolicy
    limiter: RateBudget | None = None
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    on_event: Listener | None = None

    async def run(
        self, attempt: Callable[[], Awaitable[T]], is_retried: Callable[[BaseException], bool], kind: Kind
    ) -> T:
        """Run an attempt until it succeeds or fails for good; the earlier errors are on the last one."""
        try:
            return await self._paced(attempt, kind)
        except LlamaClassifyError as error:
            if self.policy.attempts == 1 or not is_retried(error):
                raise
            first = error
        return await self._again(attempt, is_retried, kind, first)

    async def _again(
        self,
        attempt: Callable[[], Awaitable[T]],
        is_retried: Callable[[BaseException], bool],
        kind: Kind,
        first: LlamaClassifyError,
    ) -> T:
        """Go on after the first attempt, which is the loop's first too."""
        earlier: list[LlamaClassifyError] = []

        async def next_attempt() -> T:
            if not earlier:
                raise first
            return await self._paced(attempt, kind)

        def remember(state: RetryCallState) -> None:
            error = _error_of(state)
            if isinstance(error, LlamaClassifyError):
                _log.debug("attempt %d failed, trying again: %s", state.attempt_number, error)
                earlier.append(error)
                if self.on_event is not None:
                    pause = state.upcoming_sleep
                    self.on_event(RequestRetried(attempt=state.attempt_number, pause=pause, error=error))

        retrying = AsyncRetrying(
            sleep=self.sleep,
            stop=stop_after_attempt(int(self.policy.attempts)),
            wait=self._pause,
            retry=retry_if_exception(is_retried),
            before_sleep=remember,
            reraise=True,
        )
        try:
            return await retrying(next_attempt)
        except LlamaClassifyError as error:
            error.attempts = tuple(earlier)
            raise

    async def _paced(self, attempt: Callable[[], Awaitable[T]], kind: Kind) -> T:
        """Run one attempt when the session's limiter admits it, and let the limiter learn from it."""
        if self.limiter is None:
            return await attempt()
        if self.on_event is None:
            await self.limiter.admit(kind)
        else:
            started = time.monotonic()
            await self.limiter.admit(kind)
            if (held := time.monotonic() - started) >= _WORTH_TELLING:
                self.on_event(RequestHeld(kind=kind, seconds=held))
        try:
            answer = await attempt()
        except APIStatusError as error:
            self.limiter.answered(error.status, error.retry_after)
            raise
        except APIConnectionError:
            self.limiter.answered(None)
            raise
        self.limiter.answered(200)
        return answer

    def _pause(self, state: RetryCallState) -> float:
        """Draw the pause after a failed attempt: full jitter, and never less than the server asks for."""
        asked = getattr(_error_of(state), "retry_after", None) or 0.0
        longest = min(self.policy.maximum, self.policy.initial * 2 ** (state.attempt_number - 1))
        return max(random.uniform(0, longest), min(asked, LONGEST_RETRY_AFTER))  # noqa: S311


def acted_before(error: LlamaClassifyError) -> bool:
    """Tell whether the server may have acted on an earlier attempt of the request that ended in `error`."""
    return any(
        earlier.sent if isinstance(earlier, APIConnectionError) else not isinstance(earlier, RateLimitError)
        for earlier in error.attempts
    )


def is_passing(error: BaseException) -> bool:
    """Tell whether an error may be gone at the next attempt."""
    if isinstance(error, APIStatusError):
        return error.status in RETRIED_STATUSES
    return isinstance(error, APIConnectionError)


def retry_after(value: str | None) -> float | None:
    """Read ``Retry-After`` as seconds from now: a number, whole or not, or a date."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _error_of(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
