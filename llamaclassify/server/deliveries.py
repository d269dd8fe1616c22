"""Webhooks: tells whoever a job's creator named of each change of its status, off the job's own path.

A delivery is a task of its own and tried three times; whatever becomes of it, the job does not notice.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import uuid
from collections import defaultdict
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from attrs import frozen
from tenacity import AsyncRetrying, RetryError, stop_after_attempt, wait_exponential

from ..models import WebhookConfiguration
from .changes import Change
from .clock import Clock

ATTEMPTS = 3
TIMEOUT = 30.0
"""Seconds that a receiver may take to answer."""
_LONGEST_PAUSE = 60.0
_AT_ONCE = 8
"""Requests to one receiver: a slow one holds up nobody but itself."""
_MOST_WAITING = 10_000
_EVENTS = {"COMPLETED": "success", "FAILED": "error"}
"""The statuses that events have another name for; the others' are the same in small letters."""
_NOT_THEIRS = {"host", "content-length", "transfer-encoding", "connection"}
_log = logging.getLogger("llamaclassify.server")


@frozen
class _Delivery:
    """What is posted where, the same at every attempt."""

    url: str
    body: bytes
    headers: dict[str, str]

    @property
    def receiver(self) -> str:
        """The host and port: what of the URL holds no secret."""
        return urlsplit(self.url).netloc.rpartition("@")[2]


class Deliveries:
    """Posts the changes of jobs to the webhooks that their creators named."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_AT_ONCE))
        self._http: aiohttp.ClientSession | None = None

    def announce(self, change: Change) -> None:
        """Start to tell every webhook that wants to hear of such a change."""
        if not change.webhooks:
            return
        event = _event_of(change, self._clock)
        for webhook in change.webhooks:
            wanted = webhook.webhook_events
            if wanted is not None and event["event_type"] not in wanted:
                continue
            if len(self._tasks) >= _MOST_WAITING:
                _log.warning("webhook dropped, %d wait already: %s", _MOST_WAITING, event["event_type"])
                continue
            task = asyncio.create_task(self._deliver(_delivery(event, webhook)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Stop, whatever is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.close()

    async def _deliver(self, delivery: _Delivery) -> None:
        attempts = AsyncRetrying(
            sleep=self._clock.sleep,
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential(multiplier=1, max=_LONGEST_PAUSE),
        )
        try:
            await attempts(self._post, delivery)
        except RetryError as error:
            why = error.last_attempt.exception()
            _log.warning(
                "webhook not delivered to %s after %d attempts: %r", delivery.receiver, ATTEMPTS, why
            )

    async def _post(self, delivery: _Delivery) -> None:
        if self._http is None:
            self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT))
        async with (
            self._turns[delivery.receiver],
            # Another host that it might be sent on to has not been allowed.
            self._http.post(
                delivery.url, data=delivery.body, headers=delivery.headers, allow_redirects=False
            ) as answer,
        ):
            if not 200 <= answer.status < 300:
                raise aiohttp.ClientResponseError(answer.request_info, (), status=answer.status)


def _event_of(change: Change, clock: Clock) -> dict[str, Any]:
    job = change.job
    return {
        "event_id": str(uuid.uuid4()),
        "event_type": f"classify.{_EVENTS.get(job.status, job.status.lower())}",
        "timestamp": clock.now().timestamp(),
        "data": {"id": job.id, "job_id": job.id, "project_id": job.project_id, "status": job.status},
    }


def _delivery(event: dict[str, Any], webhook: WebhookConfiguration) -> _Delivery:
    text = json.dumps(event)
    body = (text if webhook.webhook_output_format == "json" else json.dumps(text)).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "llamaindex-webhook-service/1.0",
        "X-Webhook-Event-ID": event["event_id"],
        "X-Webhook-Event-Type": event["event_type"],
    }
    if webhook.webhook_signing_secret:
        secret = webhook.webhook_signing_secret.encode()
        headers["LC-Signature"] = f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}"
    ours = _NOT_THEIRS | {name.lower() for name in headers}
    theirs = (webhook.webhook_headers or {}).items()
    return _Delivery(
        webhook.webhook_url,
        body,
        headers | {name: value for name, value in theirs if name.lower() not in ours},
    )
