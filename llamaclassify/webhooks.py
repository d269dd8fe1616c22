"""Deliveries of the service's webhooks: is it genuine, and what does it say.

::

    # The body as it came, byte for byte, and the header LC-Signature.
    if not webhooks.verify(body, signature, secret):
        raise ValueError("not from the service")
    event = webhooks.parse(body)
    print(event.event_id, event.event_type, event.job_id, event.status)

The signature covers the body alone, not its time: to ignore a replay, remember each `event_id`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from attrs import frozen

from .errors import ResponseDecodeError
from .models import JobStatus

_STATUS_OF_EVENT = {
    "classify.pending": JobStatus.PENDING,
    "classify.running": JobStatus.RUNNING,
    "classify.success": JobStatus.COMPLETED,
    "classify.partial_success": JobStatus.COMPLETED,
    "classify.error": JobStatus.FAILED,
    "classify.cancelled": JobStatus.CANCELLED,
}
_PREFIX = "sha256="


@frozen(kw_only=True)
class WebhookEvent:
    """One delivery.

    Attributes:
        event_id: Unique; deliveries may come twice and in any order.
        event_type: Such as ``"classify.success"``; kept as it came where it is not known.
        timestamp: When it happened.
        data: What came with it; its keys are the service's and not documented for classify jobs.
    """

    event_id: str | None
    event_type: str
    timestamp: datetime | None
    data: Mapping[str, Any]

    @property
    def job_id(self) -> str | None:
        """The job that it is about, where the data names one."""
        found = self.data.get("job_id") or self.data.get("id")
        return found if isinstance(found, str) else None

    @property
    def status(self) -> JobStatus | None:
        """Where the event says that the job stands; None for other products and unknown events."""
        return _STATUS_OF_EVENT.get(self.event_type)


def verify(body: bytes, signature: str | None, secret: str) -> bool:
    """Tell whether a delivery was signed with the webhook's secret, comparing in constant time.

    Args:
        body: The raw body, byte for byte as it came.
        signature: The ``LC-Signature`` header, ``sha256=`` and hexadecimal digits; None is never genuine.
        secret: The webhook's signing secret.
    """
    if not secret or not signature or not signature.startswith(_PREFIX):
        return False
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    given = signature.removeprefix(_PREFIX).strip().lower()
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape"))


def parse(body: bytes | str, headers: Mapping[str, str] | None = None) -> WebhookEvent:
    """Read a delivery in either of its formats: a JSON object, or one inside a JSON string.

    Args:
        body: The body.
        headers: The request's headers: they name the event where the body does not.

    Raises:
        ResponseDecodeError: The body is neither.
    """
    event = _decoded(body)
    if isinstance(event, str):
        event = _decoded(event)
    if not isinstance(event, dict):
        raise ResponseDecodeError("webhook", "$", f"expected an object, got {type(event).__name__}")
    named = {key.lower(): value for key, value in (headers or {}).items()}
    event_type = event.get("event_type") or named.get("x-webhook-event-type")
    if not isinstance(event_type, str):
        raise ResponseDecodeError("webhook", "$.event_type", "is missing")
    event_id = event.get("event_id") or named.get("x-webhook-event-id")
    data = event.get("data")
    return WebhookEvent(
        event_id=event_id if isinstance(event_id, str) else None,
        event_type=event_type,
        timestamp=_moment(event.get("timestamp")),
        data=data if isinstance(data, dict) else {},
    )


def _decoded(text: bytes | str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ResponseDecodeError("webhook", "$", f"not JSON ({error})") from None


def _moment(value: Any) -> datetime | None:
    """Read the time as the webhooks give it, seconds since 1970, or as the rest of the API does."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None
