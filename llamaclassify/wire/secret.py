"""What must not be shown: the API key, and in the log also the secrets that bodies carry."""

from __future__ import annotations

import json
from typing import Any

_SECRETS = frozenset({"webhook_signing_secret", "webhook_headers", "url", "form_fields"})


class Secret:
    """The API key, kept out of every repr, log and traceback."""

    __slots__ = ("_bytes", "_value")

    def __init__(self, value: str) -> None:
        self._value = value
        self._bytes = value.encode()

    def header(self) -> dict[str, str]:
        """The one form in which the key leaves: as a header."""
        return {"Authorization": f"Bearer {self._value}"}

    def masked(self, content: bytes) -> bytes:
        """Give the content without the key."""
        return content.replace(self._bytes, b"***")

    def __repr__(self) -> str:
        return "Secret('***')"


def without_secrets(body: object) -> str:
    """Give a body as the log may have it: webhooks' secrets and presigned URLs are the caller's alone."""
    if not isinstance(body, bytes):
        return "" if body is None else "(a form)"
    try:
        return json.dumps(_masked(json.loads(body)), ensure_ascii=False)
    except (ValueError, RecursionError):
        return f"({len(body)} bytes that are not JSON)" if body else ""


def _masked(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: "***" if key in _SECRETS and value else _masked(value) for key, value in data.items()}
    return [_masked(item) for item in data] if isinstance(data, list) else data
