"""How long to wait and how often to try: values, in seconds.

`PollPolicy` is the wait for one job; `RetryPolicy` is the retries of one request; `RateLimit` is how many
requests a session makes in what time.

::

    session = ClassifySession(
        poll=PollPolicy(initial=1, maximum=10, timeout=120),
        retry=RetryPolicy(attempts=8),
        rate_limit=RateLimit(creates=Rate(10), uploads=Rate(12, seconds=5)),  # for one of four processes
    )
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from .errors import ConfigurationError

if TYPE_CHECKING:
    from attrs import Attribute


class _AtLeast:
    """An attrs validator that speaks our error and names the field."""

    def __init__(self, minimum: float, *, whole: bool = False) -> None:
        self.minimum = minimum
        self.whole = whole

    def __call__(self, policy: object, attribute: Attribute[Any], value: object) -> None:
        where = f"{type(policy).__name__}.{attribute.name}"
        if isinstance(value, bool) or not isinstance(value, int if self.whole else (int, float)):
            kind = "whole number" if self.whole else "number"
            message = f"{where}: expected a {kind} of at least {self.minimum}, got {value!r}"
            raise ConfigurationError(message)
        if not value >= self.minimum:
            message = f"{where}: must be at least {self.minimum}, got {value}"
            raise ConfigurationError(message)


@frozen(kw_only=True)
class PollPolicy:
    """How the wait for one job goes: when to look, and when to give up.

    Attributes:
        initial: Seconds between the first look and the second.
        maximum: The longest pause between two looks, in seconds.
        multiplier: What each pause grows by.
        jitter: Each pause is stretched or shrunk by up to this fraction, so that waits spread out.
        timeout: Seconds until the wait ends in `JobTimeoutError`; ``math.inf`` waits for ever. An upload
            before it is not counted: it has the session's own time-out, by its size.
    """

    initial: float = field(default=0.5, validator=_AtLeast(0.001))
    maximum: float = field(default=5.0, validator=_AtLeast(0.001))
    multiplier: float = field(default=1.5, validator=_AtLeast(1))
    jitter: float = field(default=0.1, validator=_AtLeast(0))
    timeout: float = field(default=600.0, validator=_AtLeast(0))


@frozen(kw_only=True)
class RetryPolicy:
    """How often one request is tried, and how long the pauses are.

    The pause before attempt n+1 is drawn between 0 and ``initial * 2 ** (n - 1)`` seconds, at most `maximum`;
    a server's ``Retry-After`` is honoured where it asks for longer.

    Attributes:
        attempts: Attempts in all; 1 never retries.
        initial: The first pause's upper bound, in seconds.
        maximum: Every pause's upper bound, in seconds, where the server does not ask for a longer one.
    """

    attempts: int = field(default=5, validator=_AtLeast(1, whole=True))
    initial: float = field(default=0.5, validator=_AtLeast(0))
    maximum: float = field(default=8.0, validator=_AtLeast(0))


@frozen
class Rate:
    """At most `count` requests in any `seconds` seconds."""

    count: int = field(validator=_AtLeast(1, whole=True))
    seconds: float = field(default=1.0, validator=_AtLeast(0.001))


@frozen(kw_only=True)
class RateLimit:
    """How fast a session asks; None leaves that kind unlimited. The defaults are the hosted service's.

    Attributes:
        creates: Creates of classify jobs.
        uploads: Uploads of documents.
        requests: Requests of every kind.
    """

    creates: Rate | None = Rate(40, 1.0)
    uploads: Rate | None = Rate(50, 5.0)
    requests: Rate | None = None

    @classmethod
    def free_tier(cls) -> RateLimit:
        """Give the hosted service's limit for free accounts: 20 requests a minute."""
        return cls(creates=None, uploads=None, requests=Rate(20, 60.0))

    @classmethod
    def unlimited(cls) -> RateLimit:
        """Give no limit of ours; the session still slows down when the server pushes back."""
        return cls(creates=None, uploads=None)


class FollowServer(Enum):
    """The default of a session's `rate_limit`: the hosted service's limits there, none elsewhere."""

    FOLLOW_SERVER = "follow the server"
