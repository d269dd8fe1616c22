"""Links to documents that need no key: signed by this server, for a while."""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
from datetime import UTC, datetime
from urllib.parse import quote

import attrs
from aiohttp import web

from ..models import File, PresignedUrl
from .clock import Clock
from .http import CLOCK, STORE, ApiError

routes: web.RouteTableDef = web.RouteTableDef()
VALIDITY = 3600
"""Seconds that a link is good for, where nobody says."""
LONGEST_VALIDITY = 7 * 24 * 3600


class Links:
    """Signs links and checks them, with a secret that ends with the server."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._secret = secrets.token_bytes(32)

    def sign(self, file_id: str, expires: str) -> str:
        """Sign a link to a file."""
        return hmac.new(self._secret, f"{file_id} {expires}".encode(), hashlib.sha256).hexdigest()

    def check(self, file_id: str, expires: str, signature: str) -> None:
        """Check a link.

        Raises:
            ApiError: 403, it is not ours or has expired.
        """
        expected = self.sign(file_id, expires)
        if not hmac.compare_digest(expected.encode(), signature.encode(errors="replace")):
            raise ApiError(403, "The signature of this link is wrong")
        if int(expires) < self._clock.now().timestamp():
            raise ApiError(403, "This link has expired")


LINKS = web.AppKey("LINKS", Links)


@routes.get("/api/v1/beta/files/{file_id}/download")
async def download(request: web.Request) -> web.StreamResponse:
    """Stream a document to whoever has its link."""
    file_id = request.match_info["file_id"]
    request.app[LINKS].check(file_id, request.query.get("expires", ""), request.query.get("signature", ""))
    stored = await request.app[STORE].files.get_of_any(file_id)
    if stored is None:
        raise ApiError(404, "File not found")
    return web.FileResponse(stored.path, headers={"Content-Disposition": _disposition(stored.file.name)})


def link_to(request: web.Request, file: File, seconds: int) -> PresignedUrl:
    """Make a link to a file's document, on the address that the request came to.

    Raises:
        ApiError: 400, the request's Host header is no address.
    """
    try:
        origin = request.url.origin()
    except ValueError:
        raise ApiError(400, "Invalid Host header") from None
    expires = math.ceil(request.app[CLOCK].now().timestamp()) + seconds
    signature = request.app[LINKS].sign(file.id, str(expires))
    url = origin.with_path(f"/api/v1/beta/files/{file.id}/download").with_query(
        expires=str(expires), signature=signature
    )
    return PresignedUrl(url=str(url), expires_at=datetime.fromtimestamp(expires, UTC))


def expanded(request: web.Request, file: File) -> File:
    """Add a link to the document where the request asks for it."""
    if "download_url" not in request.query.getall("expand", []):
        return file
    return attrs.evolve(file, download_url=link_to(request, file, VALIDITY))


def _disposition(name: str) -> str:
    """Name the document: in full, and in ASCII for those who read no more."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
