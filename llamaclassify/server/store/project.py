"""One project: what every part of the store needs to know of it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

from attrs import frozen

_DIGEST = 16


@frozen
class Project:
    """Whose data it is.

    Attributes:
        id: As the API names it.
        user_id: The owner of the API key.
        key: What the database knows it by.
    """

    id: str
    user_id: str
    key: bytes

    @classmethod
    def of(cls, api_key: str, project_id: str | None) -> Project:
        """Give the project that a key and an id name; a key without an id has one of its own."""
        owner = hashlib.sha256(api_key.encode(errors="surrogateescape")).hexdigest()
        named = project_id or str(uuid.uuid5(uuid.NAMESPACE_URL, owner))
        digest = hashlib.blake2b(f"{owner} {named}".encode(errors="surrogateescape"), digest_size=_DIGEST)
        return cls(named, f"usr-{owner[:12]}", digest.digest())

    @classmethod
    def as_stored(cls, key: bytes, body: Mapping[str, Any]) -> Project:
        """Give the project that something stored belongs to."""
        return cls(body["project_id"], body.get("user_id", ""), key)
