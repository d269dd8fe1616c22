"""Documents to pages of text.

Texts, HTML and mail are read here; PDF, office formats and images by kreuzberg, in one call, with
its cache off and nothing asked of the network. What cannot be read is a `DocumentError` that says
what to do: never a guess.
"""

from __future__ import annotations

from pathlib import Path

import kreuzberg
from attrs import frozen

from ..models import ParsingConfiguration
from ..wire.checks import page_ranges
from . import formats, markup, ocr

LARGEST_BYTES = 200_000_000
_UNREADABLE = (
    "UNSUPPORTED_FILE_TYPE: {name!r} is not a document that can be read: send PDF, DOCX, DOC, PPTX, XLSX, "
    "ODT, RTF, EPUB, HTML, EML, MSG, Markdown, CSV, plain text or an image"
)


class DocumentError(Exception):
    """A document that cannot be read; the text says why and what to do."""


@frozen
class Page:
    """The text of one page.

    Attributes:
        number: 1-based, as the document counts.
        text: What is written on it.
    """

    number: int
    text: str


def read_pages(path: Path, name: str, parsing: ParsingConfiguration | None) -> list[Page]:
    """Read a document's text, page by page.

    Args:
        path: Where the document lies.
        name: The document's own name, which the path need not resemble.
        parsing: Which pages to read, and the language for OCR.

    Returns:
        The pages asked for; at least one of them has text.

    Raises:
        DocumentError: It cannot be read, or nothing is written in it.
    """
    parsing = parsing or ParsingConfiguration()
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        message = f"DOCUMENT_TOO_LARGE: {size:,} bytes; at most {LARGEST_BYTES:,} are read"
        raise DocumentError(message)
    data = path.read_bytes()
    if not data.strip():
        message = "NO_DATA_FOUND_IN_FILE: the file is empty: upload it again"
        raise DocumentError(message)
    texts, missing_text = _read(data, path, name, parsing)
    pages = _selected(texts, parsing)
    if not any(page.text.strip() for page in pages):
        raise DocumentError(missing_text)
    return pages


def _read(data: bytes, path: Path, name: str, parsing: ParsingConfiguration) -> tuple[list[str], str]:
    """The text of every page, and what to say when there is none."""
    content = _recognised(data, name)
    if content.text is None:
        return _read_binary(data, content.mime, path, name, parsing)
    if content.mime == formats.HTML:
        texts = [markup.html_text(content.text)]
    elif content.mime == formats.MAIL:
        texts = [markup.mail_text(data)]
    else:
        texts = content.text.split("\f")
    return texts, "NO_DATA_FOUND_IN_FILE: there is no text in the document"


def _recognised(data: bytes, name: str) -> formats.Content:
    try:
        return formats.recognise(data, name)
    except formats.ProtectedFileError:
        message = f"{name!r} is protected with a password: save it without one and upload it again"
        raise DocumentError(message) from None
    except formats.BrokenFileError:
        raise DocumentError(_broken(name)) from None
    except formats.UnknownFormatError:
        raise DocumentError(_UNREADABLE.format(name=name)) from None


def _broken(name: str, mime: str = "") -> str:
    code = "PDF_IS_BROKEN: " if mime == formats.PDF or name.lower().endswith(".pdf") else ""
    return f"{code}{name!r} is damaged or not what its name says: open it, save it again and upload that"


def _read_binary(
    data: bytes, mime: str, path: Path, name: str, parsing: ParsingConfiguration
) -> tuple[list[str], str]:
    texts = [""] if mime.startswith("image/") else _extracted(data, mime, name)
    if any(text.strip() for text in texts):
        return texts, ""
    if mime != formats.PDF and not mime.startswith("image/"):
        return texts, "NO_DATA_FOUND_IN_FILE: there is no text in the document"
    language = ocr.tesseract_language(parsing.lang)
    if not ocr.is_available(language):
        return texts, ocr.what_to_install(language)
    wanted = [page.number for page in _selected(texts, parsing)]
    try:
        if mime == formats.PDF:
            texts = ocr.recognise_pdf(path, len(texts), wanted, language)
        else:
            texts = [ocr.recognise(data, mime, language)]
    except kreuzberg.KreuzbergError as error:
        raise DocumentError(_refusal(str(error), mime, name)) from error
    return texts, "NO_DATA_FOUND_IN_FILE: this looks like a scan, and no text was recognised in it"


def _extracted(data: bytes, mime: str, name: str) -> list[str]:
    config = kreuzberg.ExtractionConfig(use_cache=False, pages=kreuzberg.PageConfig(extract_pages=True))
    try:
        result = kreuzberg.extract_bytes_sync(data, mime, config=config)
    except kreuzberg.KreuzbergError as error:
        raise DocumentError(_refusal(str(error), mime, name)) from error
    texts = [page["content"] for page in result.pages or ()]
    # Formats without pages, and those whose pages come out empty, are one page.
    has_pages = any(text.strip() for text in texts) or not result.content.strip()
    return texts if texts and has_pages else [result.content]


def _refusal(reason: str, mime: str, name: str) -> str:
    if "password" in reason.lower() or "encrypted" in reason.lower():
        code = "PDF_IS_PROTECTED: " if mime == formats.PDF else ""
        return f"{code}{name!r} is protected with a password: save it without one and upload it again"
    if "limit exceeded" in reason.lower():
        return f"DOCUMENT_TOO_LARGE: {name!r} unpacks to more than is read: save it in a smaller form"
    return _broken(name, mime)


def _selected(texts: list[str], parsing: ParsingConfiguration) -> list[Page]:
    pages = [Page(number, text) for number, text in enumerate(texts, start=1)]
    if parsing.target_pages is not None:
        wanted = page_ranges(parsing.target_pages)
        chosen = [page for page in pages if any(page.number in part for part in wanted)]
        if pages and not chosen:
            message = (
                f"NO_DATA_FOUND_IN_FILE: target_pages {parsing.target_pages!r} names none of the "
                f"document's {len(pages)} pages"
            )
            raise DocumentError(message)
        pages = chosen
    return pages[: parsing.max_pages]
