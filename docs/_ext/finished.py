"""What is done with the built site: every link inside it is checked, and llms.txt is made plain."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sphinx.application import Sphinx
from sphinx.util import logging

_AFTER_THE_MARKDOWN_TWINS = 900
_CODE = re.compile(r"(`+).+?\1", re.DOTALL)
_MARKDOWN_LINK = re.compile(r"\]\(([^)\s]+)\)")
_log = logging.getLogger(__name__)


class _Page(HTMLParser):
    """A page's anchors, and what it links to and shows."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.anchors = {"", "top"}
        self.links: set[str] = set()
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        for name, value in attrs:
            if value and name in {"id", "name"}:
                self.anchors.add(value)
            elif value and name in {"href", "src"}:
                self.links.add(value)


def _check_links(outdir: Path) -> None:
    pages = {file: _Page(file) for file in outdir.rglob("*.html")}
    for file, page in pages.items():
        _check(file, page.links, pages)
    for twin in outdir.rglob("*.md"):
        text = _CODE.sub("", twin.read_text(encoding="utf-8"))
        _check(twin, set(_MARKDOWN_LINK.findall(text)), pages)


def _check(file: Path, links: set[str], pages: dict[Path, _Page]) -> None:
    for link in sorted(links):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
        if not target.exists():
            _log.warning("%s: links to %s, which is not there", file.name, link)
        elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
            _log.warning("%s: links to %s, but there is no such place", file.name, link)


def _finish(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.name != "html":
        return
    # sphinx-llm escapes as if the file were shown as a page; it is read as it is.
    index = app.outdir / "llms.txt"
    index.write_text(html.unescape(index.read_text(encoding="utf-8")), encoding="utf-8")
    _check_links(Path(app.outdir).resolve())


def setup(app: Sphinx) -> dict[str, bool]:
    """Come after everything has been written."""
    app.connect("build-finished", _finish, priority=_AFTER_THE_MARKDOWN_TWINS)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
