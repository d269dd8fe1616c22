"""What a job's creator asked to be told, as text in the database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ...models import WebhookConfiguration
from ...wire.converter import decode, encode


def as_text(webhooks: Sequence[WebhookConfiguration]) -> str:
    """Write webhook configurations."""
    return json.dumps(encode(list(webhooks)))


def from_text(text: str) -> tuple[WebhookConfiguration, ...]:
    """Read webhook configurations."""
    return read(json.loads(text))


def read(given: Sequence[Any] | None) -> tuple[WebhookConfiguration, ...]:
    """Read webhook configurations; one without a URL has nobody to tell."""
    wanted = [webhook for webhook in given or () if webhook.get("webhook_url")]
    return tuple(
        decode(WebhookConfiguration, webhook, request="webhook_configurations") for webhook in wanted
    )
