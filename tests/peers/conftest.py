"""``llamaclassify serve`` as its users start it, and documents for the vendor's clients to bring."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

RULES = [
    {"type": "invoice", "description": "asks for payment: invoice number, line items and an amount due"},
    {"type": "resume", "description": "tells a person's career: work experience, education and skills"},
]
INVOICE = """INVOICE
Invoice number: 4711
Bill to: Ada Lovelace
Line items: 3 hours of consulting, 300.00 EUR
Amount due: 300.00 EUR
Payment terms: 30 days"""
RESUME = """Grace Hopper
Curriculum vitae
Work experience: 1943 to 1986, United States Navy
Education: Yale University, doctorate in mathematics
Skills: compilers, languages, teaching"""
BROKEN = b"%PDF-1.7 and then nothing that a PDF has"


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """The embedded server in a process of its own, with one worker so that jobs do queue."""
    command = [sys.executable, "-m", "llamaclassify", "serve", "--port", "0", "--workers", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            found = re.search(r"http://[^;\s]+", server.stdout.readline())
            assert found, "the server did not say where it listens"
            yield found[0]
        finally:
            server.terminate()


@pytest.fixture
def documents(tmp_path: Path) -> dict[str, Path]:
    """An invoice, a resume, and a file that is no document."""
    (tmp_path / "invoice.txt").write_text(INVOICE)
    (tmp_path / "resume.txt").write_text(RESUME)
    (tmp_path / "broken.pdf").write_bytes(BROKEN)
    return {path.stem: path for path in tmp_path.iterdir()}
