"""Text from scans, where Tesseract's data is installed.

kreuzberg brings Tesseract itself, but no data; other engines of its would download theirs, so they are
switched off. Pages are rendered and recognised one by one: that keeps their numbers.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

import kreuzberg

# A page takes a second or two, and what a document is shows early.
MOST_PAGES = 10
_DOTS_PER_INCH = 150
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
_LANGUAGE_NAMES = (
    "ar:ara bg:bul ca:cat cs:ces da:dan de:deu el:ell en:eng es:spa et:est fi:fin fr:fra he:heb"
    " hi:hin hr:hrv hu:hun id:ind is:isl it:ita ja:jpn ko:kor lt:lit lv:lav ms:msa nb:nor nl:nld"
    " no:nor pl:pol pt:por ro:ron ru:rus sk:slk sl:slv sr:srp sv:swe th:tha tr:tur uk:ukr vi:vie"
    " zh:chi_sim"
)
_LANGUAGES = {pair[:2]: pair[3:] for pair in _LANGUAGE_NAMES.split()}


def tesseract_language(lang: str) -> str:
    """Tesseract's name for an ISO 639-1 language; its own names pass as they are."""
    return _LANGUAGES.get(lang.lower(), lang)


def what_to_install(language: str) -> str:
    """What to tell the user of a scan when the data for it is missing."""
    package = f"tesseract-ocr-{language.replace('_', '-')}"
    return (
        "NO_DATA_FOUND_IN_FILE: no text could be extracted: this looks like a scan; install "
        f"tesseract-ocr and its data for {language!r} (Debian: {package}) on the machine that "
        "classifies, or set TESSDATA_PREFIX to the folder that holds it"
    )


def is_available(language: str) -> bool:
    """Whether Tesseract's data for a language is here; points Tesseract to it.

    Without data kreuzberg prints to stderr and fails, so it is never asked to try.
    """
    prefix = os.environ.get("TESSDATA_PREFIX")
    given = (Path(prefix), Path(prefix, "tessdata")) if prefix else ()
    for folder in given or _data_folders():
        if all((folder / f"{part}.traineddata").is_file() for part in language.split("+")):
            os.environ["TESSDATA_PREFIX"] = str(folder)
            return True
    return False


def _data_folders() -> Iterator[Path]:
    for pattern in _TESSDATA_FOLDERS:
        root = Path(pattern.partition("*")[0])
        yield from sorted(root.glob("*/tessdata")) if "*" in pattern else (root,)


def recognise_pdf(path: Path, count: int, wanted: Collection[int], language: str) -> list[str]:
    """The texts of all pages; only those wanted are recognised, and no more than `MOST_PAGES`."""
    texts = [""] * count
    for number in sorted(wanted)[:MOST_PAGES]:
        image = kreuzberg.render_pdf_page(path, number - 1, dpi=_DOTS_PER_INCH)
        texts[number - 1] = recognise(image, "image/png", language)
    return texts


def recognise(image: bytes, mime: str, language: str) -> str:
    """The text in an image."""
    _use_tesseract_alone()
    tesseract = kreuzberg.TesseractConfig(
        language=language, use_cache=False, enable_table_detection=False, output_format="text"
    )
    config = kreuzberg.ExtractionConfig(
        use_cache=False,
        ocr=kreuzberg.OcrConfig(backend="tesseract", language=language, tesseract_config=tesseract),
    )
    return kreuzberg.extract_bytes_sync(image, mime, config=config).content


@cache
def _use_tesseract_alone() -> None:
    """Keep kreuzberg from falling back to engines that download their models."""
    for backend in kreuzberg.list_ocr_backends():
        if backend != "tesseract":
            kreuzberg.unregister_ocr_backend(backend)
