"""What kind of file some bytes are: decided by content first, by the name only among texts.

Names lie (a PDF saved as ``.txt``, a download with no extension), signatures rarely do.
"""

from __future__ import annotations

import codecs
import io
import re
import zipfile
import zlib
from pathlib import PurePath

from attrs import frozen

PDF = "application/pdf"
HTML = "text/html"
MAIL = "message/rfc822"
TEXT = "text/plain"

_OFFICE = "application/vnd.openxmlformats-officedocument."
_ZIP_PARTS = {
    "word/": _OFFICE + "wordprocessingml.document",
    "ppt/": _OFFICE + "presentationml.presentation",
    "xl/": _OFFICE + "spreadsheetml.sheet",
}
_ZIP_MIMES = frozenset({"application/epub+zip"}) | {
    f"application/vnd.oasis.opendocument.{kind}" for kind in ("text", "spreadsheet", "presentation")
}
_OLE_STREAMS = {
    "__properties_version1.0": "application/vnd.ms-outlook",
    "WordDocument": "application/msword",
    "Workbook": "application/vnd.ms-excel",
    "PowerPoint Document": "application/vnd.ms-powerpoint",
}
_SIGNATURES = (
    (b"{\\rtf", "application/rtf"),
    (b"\x89PNG\r\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"BM", "image/bmp"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PDF_START = re.compile(rb"(?:\A|[\r\n])\s*%PDF-")
_CHARSET = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f\ufffd]")
_HTML_START = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)", re.IGNORECASE | re.DOTALL
)
_MAIL_START = re.compile(
    r"(?:(?:From|To|Subject|Date|Received|Return-Path|Message-ID|MIME-Version)"
    r":.*\n(?:[ \t].*\n)*){3}",
    re.IGNORECASE,
)
_EXTENSIONS = {".html": HTML, ".htm": HTML, ".xhtml": HTML, ".xml": HTML, ".eml": MAIL}
_BINARY_NAMES = frozenset(
    ".doc .docx .odp .ods .odt .epub .msg .ppt .pptx .rtf .xls .xlsx"
    " .png .jpg .jpeg .gif .tif .tiff .bmp .webp".split()
)
# A few stray control characters are a printer's or a mailer's; more of them is no text.
_MEMBER_READ = 1 << 20
_CONTROLS_TOLERATED = 0.01


class ProtectedFileError(Exception):
    """The file can only be read with a password."""


class BrokenFileError(Exception):
    """The file is damaged, or its content is not what its name says."""


class UnknownFormatError(Exception):
    """The bytes are of no kind that can be read."""


@frozen
class Content:
    """A document's bytes, told apart.

    Attributes:
        mime: What the bytes are.
        text: The decoded text when they are text of some kind, else None.
    """

    mime: str
    text: str | None = None


def recognise(data: bytes, name: str) -> Content:
    """Tell what a document is.

    Args:
        data: The whole document.
        name: Its own name; it decides between the kinds of text and words the errors.

    Raises:
        ProtectedFileError: It needs a password.
        BrokenFileError: It is damaged.
        UnknownFormatError: It is nothing that can be read.
    """
    if _PDF_START.search(data, 0, 1024):
        return Content(PDF)
    if data.startswith(b"PK\x03\x04"):
        return Content(_zip_mime(data))
    if data.startswith(_OLE):
        return Content(_ole_mime(data))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Content("image/webp")
    for signature, mime in _SIGNATURES:
        # "BM" also begins words; a bitmap's header goes on with binary numbers
        if data.startswith(signature) and (len(signature) > 2 or b"\x00" in data[:16]):
            return Content(mime)
    return _recognise_text(data, PurePath(name).suffix.lower())


def _recognise_text(data: bytes, extension: str) -> Content:
    text = decode(data)
    if text is None:
        if extension in _BINARY_NAMES or extension == ".pdf":
            raise BrokenFileError(extension)
        raise UnknownFormatError
    mime = _EXTENSIONS.get(extension)
    if mime is None:
        mime = HTML if _HTML_START.match(text) else TEXT
        if extension not in {".txt", ".md", ".csv"} and _MAIL_START.match(text):
            mime = MAIL
    return Content(mime, text)


def decode(data: bytes) -> str | None:
    """Decode text of unknown encoding; None when the bytes are no text."""
    encoding = next((name for bom, name in _BOMS if data.startswith(bom)), None)
    if encoding is None and data[1:64:2].count(0) > len(data[1:64:2]) * 0.8:
        encoding = "utf-16-le"
    text = data.decode(encoding, "replace") if encoding else _decode_8bit(data)
    return text if len(_CONTROL.findall(text)) <= len(text) * _CONTROLS_TOLERATED else None


def _decode_8bit(data: bytes) -> str:
    text = data.decode("utf-8", "replace")
    damaged = text.count("\ufffd")
    # Some broken bytes among many whole sequences are damage; otherwise it never was UTF-8.
    if damaged * 10 <= len(data) - len(text):
        return text
    if declared := _CHARSET.search(data, 0, 4096):
        try:
            return data.decode(declared[1].decode("ascii"), "replace")
        except (LookupError, UnicodeError):
            pass  # no such character set, or none for documents
    return data.decode("cp1252", "replace")


def _zip_mime(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if any(info.flag_bits & 1 for info in archive.infolist()):
                raise ProtectedFileError
            mime = _beginning(archive, "mimetype").decode("ascii", "replace").strip()
            if mime in _ZIP_MIMES and b"encryption-data" in _beginning(archive, "META-INF/manifest.xml"):
                raise ProtectedFileError
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError, RuntimeError) as error:
        raise BrokenFileError from error
    if mime in _ZIP_MIMES:
        return mime
    for part, office in _ZIP_PARTS.items():
        if any(name.startswith(part) for name in names):
            return office
    raise UnknownFormatError


def _beginning(archive: zipfile.ZipFile, name: str) -> bytes:
    """The first bytes of a member, b"" if there is none: a small archive may hold a member of gigabytes."""
    if name not in archive.namelist():
        return b""
    with archive.open(name) as member:
        return member.read(_MEMBER_READ)


def _ole_mime(data: bytes) -> str:
    def has(stream: str) -> bool:
        return stream.encode("utf-16-le") in data

    if has("EncryptedPackage") or has("EncryptionInfo"):
        raise ProtectedFileError
    for stream, mime in _OLE_STREAMS.items():
        if has(stream):
            return mime
    raise BrokenFileError
