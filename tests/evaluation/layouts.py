"""The written documents once more, as the files that people have: letterheads, pages, markup, scans.

Which layout a document gets, and every detail of it, follows from its name: the same files each time.
"""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable
from html import escape
from pathlib import Path

import reportlab
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from llamaclassify.server.text import read_pages

from .corpus import Example
from .noise import misread

_FONT = "Vera"
_LINE = 11
_COMPANIES = ("Orrin & Vale", "Teasel Works", "Northgate Partners", "Calder Lane Ltd", "Pellmore Group")


def laid_out(example: Example, folder: Path) -> Example:
    """A document as it is read from a file of some layout."""
    path = file_of(example, folder)
    return Example(
        example.kind, f"{example.name} as {path.suffix[1:]}", tuple(read_pages(path, path.name, None))
    )


def file_of(example: Example, folder: Path) -> Path:
    """Write a document to a file of some layout."""
    dice = random.Random(example.name)  # noqa: S311
    suffix, write = dice.choice(_LAYOUTS)
    path = folder / f"{example.name.replace('/', '-')}{suffix}"
    path.write_bytes(write("\n\n".join(page.text for page in example.pages), dice))
    return path


def long_pdf(path: Path) -> Path:
    """Write a PDF of three hundred pages."""
    text = "\n".join(
        f"{row}. The harbour and its boats, the tide and the weather of the day" for row in range(9000)
    )
    path.write_bytes(_as_pdf(text.splitlines(), "Harbour Books", 30))
    return path


def _pdf(text: str, dice: random.Random) -> bytes:
    return _as_pdf(text.expandtabs(4).splitlines(), dice.choice(_COMPANIES), dice.randint(30, 58))


def _as_pdf(lines: list[str], company: str, fitting: int) -> bytes:
    """Pages with a letterhead and a footer on each."""
    pdfmetrics.registerFont(TTFont(_FONT, str(Path(reportlab.__file__).parent / "fonts" / "Vera.ttf")))
    stream = io.BytesIO()
    # Without the date of making, so that the file is the same each time.
    canvas = Canvas(stream, pagesize=A4, invariant=True)
    starts = range(0, max(1, len(lines)), fitting)
    for number, start in enumerate(starts, start=1):
        canvas.setFont(_FONT, 7)
        canvas.drawString(50, 815, f"{company}    www.{company.lower().replace(' ', '-')}.example")
        canvas.drawString(280, 25, f"Page {number} of {len(starts)}")
        for row, line in enumerate(lines[start : start + fitting]):
            canvas.setFont(_FONT, 10 if start == row == 0 else 7)
            canvas.drawString(50, 790 - row * _LINE, line)
        canvas.showPage()
    canvas.save()
    return stream.getvalue()


def _docx(text: str, dice: random.Random) -> bytes:
    del dice
    names = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    paragraphs = "".join(
        f'<w:p><w:r><w:t xml:space="preserve">{escape(_printable(line))}</w:t></w:r></w:p>'
        for line in text.splitlines()
    )
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-'
        'officedocument.wordprocessingml.document.main+xml"/></Types>',
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
        'officeDocument" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f"<w:document {names}><w:body>{paragraphs}</w:body></w:document>",
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), '<?xml version="1.0" encoding="UTF-8"?>' + content)
    return stream.getvalue()


def _html(text: str, dice: random.Random) -> bytes:
    """A page of a site, with what no reader of the document sees."""
    company = escape(dice.choice(_COMPANIES))
    blocks = "\n".join(
        f"<p>{escape(block).replace(chr(10), '<br>')}</p>" for block in text.split("\n\n") if block.strip()
    )
    return (
        f"<!DOCTYPE html><html><head><title>{company}</title><style>p {{margin: 0}}</style>"
        '<script>var cart = {"invoice": null, "agreement": "accept"};</script></head><body>'
        f"<nav><a href='/'>Home</a> <a href='/shop'>Shop</a> <a href='/careers'>Careers</a></nav>"
        f"<div style='display:none'>Contract receipt statement subscribe</div><header>{company}</header>"
        f"<main>{blocks}</main><footer>&copy; {company}. All rights reserved.</footer></body></html>"
    ).encode()


def _scan(text: str, dice: random.Random) -> bytes:
    return misread(text, dice).encode()


def _printable(line: str) -> str:
    return "".join(char for char in line if char.isprintable() or char == "\t")


_LAYOUTS: tuple[tuple[str, Callable[[str, random.Random], bytes]], ...] = (
    (".pdf", _pdf),
    (".docx", _docx),
    (".html", _html),
    (".txt", _scan),
)
