"""Documents to pages of text.

Texts, HTML and mail are read here; PDF, office formats and images by kreuzberg, in one call, with
its cache off and nothing asked of the network. What cannot be read is a `DocumentError` that says
what to do: never a guess.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import kreuzberg
from attrs import frozen

from ..models import ParsingConfiguration
from ..wire.checks import page_ranges
from . import formats, markup

LARGEST_BYTES = 200_000_000
_TESSDATA_FOLDERS = (
    "/usr/share/tesseract-ocr/*/tessdata",
    "/usr/share/tesseract-ocr/tessdata",
    "/usr/share/tessdata",
    "/usr/share/tesseract/tessdata",
    "/usr/local/share/tessdata",
    "/opt/homebrew/share/tessdata",
    "/opt/local/share/tessdata",
    "C:/Program Files/Tesseract-OCR/tessdata",
)
_TESSERACT_LANGUAGES = dict(
    pair.split(":")
    for pair in (
        "ar:ara bg:bul ca:cat cs:ces da:dan de:deu el:ell en:eng es:spa et:est fi:fin fr:fra he:heb"
        " hi:hin hr:hrv hu:hun id:ind is:isl it:ita ja:jpn ko:kor lt:lit lv:lav ms:msa nb:nor nl:nld"
        " no:nor pl:pol pt:por ro:ron ru:rus sk:slk sl:slv sr:srp sv:swe th:tha tr:tur uk:ukr vi:vie"
        " zh:chi_sim"
    ).split()
)
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
    texts, missing_text = _read(data, name, parsing)
    pages = _selected(texts, parsing)
    if not any(page.text.strip() for page in pages):
        raise DocumentError(missing_text)
    return pages


def _read(data: bytes, name: str, parsing: ParsingConfiguration) -> tuple[list[str], str]:
    """The text of every page, and what to say when there is none."""
    content = _recognised(data, name)
    if content.text is None:
        return _read_binary(data, content.mime, name, parsing)
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


def _read_binary(data: bytes, mime: str, name: str, parsing: ParsingConfiguration) -> tuple[list[str], str]:
    language = _TESSERACT_LANGUAGES.get(parsing.lang.lower(), parsing.lang)
    ocr = _ocr_available(language)
    is_image = mime.startswith("image/")
    missing = _missing_text(language, ocr=ocr, scan=is_image or mime == formats.PDF)
    if is_image and not ocr:
        return [], missing
    config = kreuzberg.ExtractionConfig(
        use_cache=False,
        pages=kreuzberg.PageConfig(extract_pages=True),
        ocr=kreuzberg.OcrConfig(backend="tesseract", language=language) if ocr else None,
    )
    try:
        result = kreuzberg.extract_bytes_sync(data, mime, config=config)
    except kreuzberg.OCRError:
        return [], missing
    except kreuzberg.KreuzbergError as error:
        raise DocumentError(_refusal(str(error), mime, name)) from error
    return _page_texts(result), missing


def _page_texts(result: kreuzberg.ExtractionResult) -> list[str]:
    """One text a page; for formats without pages (or with empty ones) the whole text is page 1."""
    texts = [page["content"] for page in result.pages or ()]
    return texts if any(text.strip() for text in texts) else [result.content]


def _refusal(reason: str, mime: str, name: str) -> str:
    if "password" in reason.lower() or "encrypted" in reason.lower():
        code = "PDF_IS_PROTECTED: " if mime == formats.PDF else ""
        return f"{code}{name!r} is protected with a password: save it without one and upload it again"
    return _broken(name, mime)


def _missing_text(language: str, *, ocr: bool, scan: bool) -> str:
    if not scan or ocr:
        return "NO_DATA_FOUND_IN_FILE: no text could be extracted from the document"
    package = f"tesseract-ocr-{language.replace('_', '-')}"
    return (
        "NO_DATA_FOUND_IN_FILE: no text could be extracted: this looks like a scan; install "
        f"tesseract-ocr and its data for {language!r} (Debian: {package}) on the machine that "
        "classifies, or set TESSDATA_PREFIX to the folder that holds it"
    )


def _ocr_available(language: str) -> bool:
    """Whether Tesseract's data for a language is here; points Tesseract to it.

    Without data kreuzberg prints to stderr and fails, so it is never asked to try.
    """
    prefix = os.environ.get("TESSDATA_PREFIX")
    folders: Iterable[Path] = (Path(prefix), Path(prefix, "tessdata")) if prefix else _data_folders()
    for folder in folders:
        if all((folder / f"{part}.traineddata").is_file() for part in language.split("+")):
            os.environ["TESSDATA_PREFIX"] = str(folder)
            return True
    return False


def _data_folders() -> Iterable[Path]:
    for pattern in _TESSDATA_FOLDERS:
        root = Path(pattern.partition("*")[0])
        yield from sorted(root.glob("*/tessdata")) if "*" in pattern else (root,)


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
