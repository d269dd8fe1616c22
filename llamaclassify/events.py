"""What a session tells of its work, as it happens: one source for logs, metrics and progress.

A session made with ``on_event=listener`` calls the listener with each event, in its event loop: it must be
quick. One that raises is logged and told of the next event all the same.

::

    from llamaclassify import events

    def listener(event: events.Event) -> None:
        if isinstance(event, events.RequestRetried):
            print(f"trying again in {event.pause:.1f} s: {event.error}")

    async with ClassifySession(on_event=listener) as session:
        await session.create_and_wait(Path("a.pdf"), rules=RULES)
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from attrs import frozen

from .errors import ConfigurationError, LlamaClassifyError

_log = logging.getLogger("llamaclassify")


@frozen(kw_only=True)
class RequestDone:
    """One attempt at one request was answered, or failed.

    Attributes:
        name: Its method and path.
        seconds: How long it took.
        error: What it failed with, a refusal by the server included; None where it did not.
    """

    name: str
    seconds: float
    error: LlamaClassifyError | None


@frozen(kw_only=True)
class RequestRetried:
    """A request has failed and will be tried again.

    Attributes:
        attempt: The attempt that failed, from 1.
        pause: Seconds until the next one.
        error: What it failed with; the text names the request.
    """

    attempt: int
    pause: float
    error: LlamaClassifyError


@frozen(kw_only=True)
class RequestHeld:
    """A request was held back, by the session's rate limit or since the server pushed back.

    Attributes:
        kind: ``"create"``, ``"upload"`` or ``"other"``.
        seconds: For how long.
    """

    kind: str
    seconds: float


@frozen(kw_only=True)
class JobCreated:
    """A create was answered.

    Attributes:
        job_id: The job; one that an earlier create with the same key made is created here too.
        status: How it stood.
        transaction_id: The idempotency key.
    """

    job_id: str
    status: str
    transaction_id: str


@frozen(kw_only=True)
class JobSeen:
    """A wait saw a job in a status for the first time.

    Attributes:
        job_id: The job.
        status: How it stands.
    """

    job_id: str
    status: str


@frozen(kw_only=True)
class JobFinished:
    """A wait saw that its job has ended.

    Attributes:
        job_id: The job.
        status: How it ended.
        seconds: Since the create's answer; None where the wait began later.
        lag: Seconds since the job was last seen running: so much at most the end was noticed late.
    """

    job_id: str
    status: str
    seconds: float | None
    lag: float


Event = RequestDone | RequestRetried | RequestHeld | JobCreated | JobSeen | JobFinished
"""What a listener may be told."""
Listener = Callable[[Event], None]
"""Hears of each event."""


def careful(listener: Listener | None) -> Listener | None:
    """Make a listener that never raises.

    Raises:
        ConfigurationError: It cannot be called.
    """
    if listener is None:
        return None
    if not callable(listener):
        raise ConfigurationError(f"on_event: expected a function, got {type(listener).__name__}")

    def tell(event: Event) -> None:
        try:
            listener(event)
        except Exception:
            _log.exception("on_event failed at a %s", type(event).__name__)

    return tell
