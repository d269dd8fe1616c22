"""Documents to pages: every format, and an honest error for what cannot be read."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest
from reportlab.lib import pdfencrypt
from reportlab.pdfgen import canvas

from llamaclassify.models import ParsingConfiguration
from llamaclassify.server.text import DocumentError, Page, read_pages

LETTER = "Dear Ms Vale,\nthank you for your letter of 3 May.\nYours sincerely\nTom Reed\n"


def pdf(*pages: str, password: str | None = None) -> bytes:
    buffer = io.BytesIO()
    encryption = password and pdfencrypt.StandardEncryption(password, "owner")
    drawing = canvas.Canvas(buffer, encrypt=encryption or None)
    for page in pages:
        for line, text in enumerate(page.splitlines()):
            drawing.drawString(72, 780 - 16 * line, text)
        drawing.showPage()
    drawing.save()
    return buffer.getvalue()


@pytest.fixture
def read(tmp_path):
    def reader(data: bytes | str, name: str, **parsing) -> list[Page]:
        path = tmp_path / "stored"
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return read_pages(path, name, ParsingConfiguration(**parsing) if parsing else None)

    return reader


@pytest.fixture
def no_tesseract(monkeypatch, tmp_path):
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path / "nothing"))


def refusal(read, data: bytes | str, name: str, **parsing) -> str:
    with pytest.raises(DocumentError) as caught:
        read(data, name, **parsing)
    return str(caught.value)


def test_every_page_of_a_pdf_has_its_number(read):
    pages = read(pdf("First page", "Second page", "Third page"), "a.pdf")
    assert [(page.number, page.text.strip()) for page in pages] == [
        (1, "First page"),
        (2, "Second page"),
        (3, "Third page"),
    ]


@pytest.mark.parametrize("name", ["letter.txt", "letter.md", "letter.csv", "letter", "letter.pdf"])
def test_text_is_text_whatever_its_name(read, name):
    assert read(LETTER, name) == [Page(1, LETTER)]


@pytest.mark.parametrize("name", ["a.pdf", "a.txt", "a", "a.docx"])
def test_content_tells_a_pdf(read, name):
    assert "Invoice 12" in read(pdf("Invoice 12"), name)[0].text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(read, encoding):
    text = "Straße und Größe, Überweisung für März. " * 3
    assert read(text.encode(encoding), "a.txt")[0].text == text


def test_form_feeds_separate_pages(read):
    pages = read("one\ftwo\fthree", "a.txt")
    assert [page.text for page in pages] == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("parsing", "numbers"),
    [
        ({"max_pages": 2}, [1, 2]),
        ({"target_pages": "2,4-9"}, [2, 4, 5]),
        ({"target_pages": "2,4-9", "max_pages": 2}, [2, 4]),
        ({"target_pages": "5,1"}, [1, 5]),
    ],
)
def test_only_the_pages_asked_for(read, parsing, numbers):
    data = pdf(*(f"Page {number} of five" for number in range(1, 6)))
    assert [page.number for page in read(data, "a.pdf", **parsing)] == numbers


def test_target_pages_outside_the_document(read):
    assert "none of the document's 2 pages" in refusal(read, pdf("one", "two"), "a.pdf", target_pages="7")


HTML = """<html xmlns:ix="x"><head><title>tab</title><style>p {color: red}</style>
<script>var tracker = "junk"</script></head><body>
<div style="display: none"><ix:header><ix:hidden>0001234 machine</ix:hidden></ix:header></div>
<ix:header><ix:resources>context-junk</ix:resources></ix:header>
<p hidden>secret</p><div style="visibility:hidden">gone<div>gone too</div></div>
<h1>Annual <b>report</b></h1>bare text<p>One <a href="http://x.example">link</a>
<p>Unclosed<table><tr><td>Bill to</td><td>Bob &amp; Sons</td></tr></table></body></html>"""


@pytest.mark.parametrize("name", ["a.html", "a.htm", "a", "a.txt"])
def test_html_begins_with_what_is_visible(read, name):
    text = read(HTML, name)[0].text
    assert text.startswith("Annual report")
    for seen in ("bare text", "One link", "Unclosed", "Bill to Bob & Sons"):
        assert seen in text
    for hidden in ("junk", "machine", "secret", "gone", "color", "tab"):
        assert hidden not in text


MAIL = """From: "Zoë" <zoe@shop.example>
To: tom@home.example
Subject: =?utf-8?q?Your_order_caf=C3=A9?=
Date: Thu, 26 Feb 2026 16:22:08 +0000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="x"

--x
Content-Type: text/html; charset=utf-8

<style>p{}</style><div style="display:none">preheader</div><p>It is on its way.</p>
--x
Content-Type: text/plain
Content-Disposition: attachment; filename="log.txt"

attached junk
--x--
"""


@pytest.mark.parametrize("name", ["a.eml", "a"])
def test_mail_keeps_its_letter_head(read, name):
    text = read(MAIL, name)[0].text
    head, body = text.split("\n\n", 1)
    assert "From: Zoë <zoe@shop.example>" in head
    assert "To: tom@home.example" in head
    assert "Subject: Your order café" in head
    assert body == "It is on its way."


def test_word_documents(read):
    docx = zipped({"[Content_Types].xml": CONTENT_TYPES, "word/document.xml": DOCUMENT})
    for name in ("a.docx", "a.bin"):
        assert "Minutes of the meeting" in read(docx, name)[0].text


def test_rtf(read):
    assert "This agreement" in read(r"{\rtf1\ansi This agreement is made today.\par}", "a.rtf")[0].text


def test_errors_say_what_is_wrong(read, no_tesseract):
    junk = bytes(range(256)) * 8
    whole = pdf("Invoice 12")
    assert refusal(read, pdf("x", password="pw"), "a.pdf").startswith("PDF_IS_PROTECTED: ")
    assert refusal(read, b"%PDF-1.4\nnonsense", "a.pdf").startswith("PDF_IS_BROKEN: ")
    assert refusal(read, whole[: len(whole) // 2], "a.pdf").startswith("PDF_IS_BROKEN: ")
    assert refusal(read, junk, "a.pdf").startswith("PDF_IS_BROKEN: ")
    assert refusal(read, b"", "a.txt").startswith("NO_DATA_FOUND_IN_FILE: ")
    assert refusal(read, " \n\n ", "a.txt").startswith("NO_DATA_FOUND_IN_FILE: ")
    assert refusal(read, "<html><script>x</script></html>", "a.html").startswith("NO_DATA_FOUND")
    assert refusal(read, zipped({"a.txt": "x"}), "a.zip").startswith("UNSUPPORTED_FILE_TYPE: ")
    assert "damaged" in refusal(read, b"PK\x03\x04" + junk, "a.docx")
    assert "damaged" in refusal(read, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + junk, "a.doc")


@pytest.mark.parametrize("name", ["junk.txt", "junk.md", "junk.bin", "junk"])
def test_binary_junk_is_never_text(read, name):
    assert refusal(read, bytes(range(256)) * 8, name).startswith("UNSUPPORTED_FILE_TYPE: ")


def test_protected_office_files(read):
    marker = "EncryptedPackage".encode("utf-16-le")
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512) + marker + bytes(512)
    assert "password" in refusal(read, ole, "a.docx")
    manifest = "<manifest><encryption-data/></manifest>"
    odt = zipped({"mimetype": "application/vnd.oasis.opendocument.text", "META-INF/manifest.xml": manifest})
    assert "password" in refusal(read, odt, "a.odt")


def test_scans_without_ocr_data_say_what_to_install(read, no_tesseract):
    for data, name in ((pdf("", ""), "scan.pdf"), (PNG, "scan.png")):
        message = refusal(read, data, name, lang="de")
        assert message.startswith("NO_DATA_FOUND_IN_FILE: ")
        assert "tesseract-ocr-deu" in message


def test_too_large(read, tmp_path):
    path = tmp_path / "large"
    path.touch()
    os.truncate(path, 300_000_000)
    with pytest.raises(DocumentError, match="DOCUMENT_TOO_LARGE"):
        read_pages(path, "a.txt", None)


def test_nothing_is_cached_on_disk(read, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    read(pdf("Invoice 12"), "a.pdf")
    assert {path.name for path in Path(tmp_path).iterdir()} == {"stored"}


def zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


CONTENT_TYPES = """<?xml version="1.0"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml"
ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>
</Types>"""
DOCUMENT = """<?xml version="1.0"?>
<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>
<w:p><w:r><w:t>Minutes of the meeting</w:t></w:r></w:p></w:body></w:document>"""
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c4944415408d763f8ffff3f0005fe02fe0def46b80000000049454e44ae426082"
)
