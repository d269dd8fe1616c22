"""HTML and mail to the text that a reader sees.

The standard library's parsers, because both kinds are about leaving things out: scripts, hidden
blocks and the machine data of ``<ix:header>`` in HTML; everything but the letter head and one body in mail.
"""

from __future__ import annotations

import re
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from html.parser import HTMLParser

_HIDDEN_TAGS = frozenset(
    "script style nav template noscript title svg object iframe select ix:header ix:hidden".split()
)
_VOID_TAGS = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_INLINE_TAGS = frozenset(
    "a abbr b bdi bdo big cite code data dfn em font i kbd label mark q s samp small span strong"
    " sub sup time tt u var ins del nobr".split()
)
_CELL_TAGS = frozenset({"td", "th"})
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\xa0\u200b\u200c\u00ad]+")
_BLANK_LINES = re.compile(r"\s*\n\s*\n\s*")
_HEADERS = ("Subject", "From", "To", "Cc", "Date")


class _VisibleText(HTMLParser):
    """Collects the text of an HTML document, without what a browser would not show."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden_tag = ""
        self._hidden_depth = 0
        self._preformatted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Enter an element: hidden ones are counted, blocks begin a new line."""
        if self._hidden_depth:
            self._hidden_depth += tag == self._hidden_tag
        elif tag not in _VOID_TAGS and _is_hidden(tag, attrs):
            self._hidden_tag, self._hidden_depth = tag, 1
        else:
            self._preformatted += tag == "pre"
            self._break(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An empty element hides nothing, it can only break the line."""
        del attrs
        if not self._hidden_depth:
            self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        if self._hidden_depth:
            self._hidden_depth -= tag == self._hidden_tag
        else:
            self._preformatted -= tag == "pre" and self._preformatted > 0
            self._break(tag)

    def handle_data(self, data: str) -> None:
        """Keep visible text; line ends mean nothing outside ``<pre>``."""
        if not self._hidden_depth:
            self.parts.append(data if self._preformatted else re.sub(r"\s", " ", data))

    def _break(self, tag: str) -> None:
        if tag in _CELL_TAGS:
            self.parts.append("  ")
        elif tag not in _INLINE_TAGS and not tag.startswith("ix:"):
            self.parts.append("\n" if tag in {"br", "tr", "li", "dt", "dd"} else "\n\n")


def _is_hidden(tag: str, attrs: list[tuple[str, str | None]]) -> bool:
    given = dict(attrs)
    return tag in _HIDDEN_TAGS or "hidden" in given or bool(_HIDDEN_STYLE.search(given.get("style") or ""))


def html_text(markup: str) -> str:
    """The visible text of an HTML document, one block a paragraph."""
    parser = _VisibleText()
    parser.feed(markup)
    parser.close()
    lines = (_SPACES.sub(" ", line).strip() for line in "".join(parser.parts).split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def mail_text(data: bytes) -> str:
    """The letter head and the body of a message, plain text preferred; attachments stay out."""
    message = BytesParser(EmailMessage, policy=policy.default).parsebytes(data)
    head = [f"{name}: {value}" for name in _HEADERS if (value := _header(message, name))]
    return "\n".join(head) + "\n\n" + _body(message)


def _header(message: EmailMessage, name: str) -> str:
    try:
        return str(message[name] or "")
    except (ValueError, IndexError, AttributeError, TypeError):
        # the library's header parser stumbles over some malformed addresses
        return ""


def _body(message: EmailMessage) -> str:
    part = message.get_body(("plain", "html"))
    if part is None:
        return ""
    try:
        text = str(part.get_content())
    except (LookupError, ValueError, AttributeError):
        payload = part.get_payload(decode=True)
        text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else str(payload)
    return html_text(text) if part.get_content_subtype() == "html" else text
