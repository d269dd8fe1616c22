"""A window: ``GET /`` shows the jobs, newest first, on a page that looks again by itself.

Everything that a client sent, a file's name above all, is escaped; and should that ever fail, the page's
policy lets nothing run and nothing be fetched but what the page itself brings.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from string import Template

from aiohttp import web

from ..loopback import is_loopback
from .http import STORE, ApiError, project_by
from .store import Project
from .store.glance import Glance, Seen

routes: web.RouteTableDef = web.RouteTableDef()
_TEMPLATE = Template(files("llamaclassify.server").joinpath("window.html").read_text("utf-8"))
_ASK = {"WWW-Authenticate": 'Basic realm="llamaclassify (the API key is the password)", charset="UTF-8"'}
_FORWARDED = ("Forwarded", "Via", "X-Forwarded-For", "X-Real-IP")
_COLUMNS = ("document", "status", "type", "confidence", "reasoning")


@routes.get("/")
async def window(request: web.Request) -> web.Response:
    """Show the jobs: on this machine all of them, to others those of their key's project."""
    try:
        project = None if _is_of_this_machine(request) else _project_of(request)
    except ApiError as refusal:
        return web.json_response({"detail": refusal.detail}, status=refusal.status, headers=_ASK)
    nonce = secrets.token_urlsafe(16)
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return web.Response(
        text=page(await request.app[STORE].glances.at(project), nonce),
        content_type="text/html",
        headers={
            "Content-Security-Policy": policy,
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _is_of_this_machine(request: web.Request) -> bool:
    """Tell whether somebody on this machine asks for this machine.

    A page from elsewhere can make a browser here ask, but only under that page's own name; a proxy says that
    it is one.
    """
    return (
        is_loopback(request.remote or "")
        and is_loopback(request.url.host or "")
        and not any(header in request.headers for header in _FORWARDED)
    )


def _project_of(request: web.Request) -> Project:
    """Give the project of the key: a bearer's, or the password that a browser asked its user for."""
    given = request.headers.get("Authorization", "")
    scheme, _, credentials = given.partition(" ")
    if scheme.lower() == "basic":
        try:
            password = base64.b64decode(credentials).decode().partition(":")[2]
        except ValueError:
            password = ""
        given = f"Bearer {password}"
    return project_by(request, given)


def page(glance: Glance, nonce: str) -> str:
    """Write the page; its own script and style are known by the nonce."""
    return _TEMPLATE.substitute(nonce=nonce, main="\n".join(_main(glance)))


def _main(glance: Glance) -> Iterator[str]:
    if not glance.newest:
        yield '<p class="empty">No jobs yet. They appear here as they are created.</p>'
        return
    yield _counts("By status", [(status, count) for status, count in glance.by_status])
    if glance.by_type:
        yield _counts("By type", [(kind or "no rule fits", count) for kind, count in glance.by_type])
    heads = "".join(f'<th scope="col">{column}</th>' for column in _COLUMNS)
    yield f"<table><thead><tr>{heads}</tr></thead><tbody>"
    yield from map(_row, glance.newest)
    yield "</tbody></table>"
    total = sum(count for _, count in glance.by_status)
    if total > len(glance.newest):
        yield f'<p class="empty">The newest {len(glance.newest)} of {total} jobs.</p>'


def _counts(title: str, counts: list[tuple[str, int]]) -> str:
    items = "".join(f"<li>{escape(name)} <b>{count}</b></li>" for name, count in counts)
    return f'<ul aria-label="{title}">{items}</ul>'


def _row(seen: Seen) -> str:
    if seen.confidence is None:
        confidence = ""
    else:
        confidence = f"<meter value='{seen.confidence:.4f}'></meter> {seen.confidence:.0%}"
    kind = escape(seen.type) if seen.type else '<span class="soft">no rule fits</span>'
    cells = {
        "document": f"{escape(seen.document)}<small>{escape(seen.job_id)}</small>",
        "status": escape(seen.status),
        "type": kind if seen.confidence is not None else escape(seen.type or ""),
        "confidence": confidence,
        "reasoning": seen.reasoning and f"<div>{escape(seen.reasoning)}</div>",
    }
    row = "".join(f'<td class="{column}">{cells[column]}</td>' for column in _COLUMNS)
    return f'<tr class="{escape(seen.status.lower())}">{row}</tr>'
