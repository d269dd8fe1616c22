"""PDF files as scans of their first pages: turned a little, grainy, as JPEG."""

from __future__ import annotations

import io
import random
from pathlib import Path

import kreuzberg
import numpy as np
from PIL import Image, ImageFilter

from .as_files import Labelled

_DOTS_PER_INCH = 150
_GRAIN = 18
_QUALITY = 60


def pdfs_and_scans(labelled: Labelled, folder: Path) -> tuple[Labelled, Labelled]:
    """The PDF files among labelled ones, and the same as scans."""
    folder.mkdir()
    pdfs = tuple((path, label) for path, label in labelled.files if path.suffix == ".pdf")
    scans = tuple((_scan(path, folder / f"{path.stem}.jpg"), label) for path, label in pdfs)
    return Labelled(labelled.rules, pdfs), Labelled(labelled.rules, scans)


def _scan(pdf: Path, path: Path) -> Path:
    dice = random.Random(pdf.name)  # noqa: S311
    page = Image.open(io.BytesIO(kreuzberg.render_pdf_page(pdf, 0, dpi=_DOTS_PER_INCH))).convert("L")
    turned = page.rotate(dice.uniform(-1, 1), fillcolor=255, expand=True)
    grain = np.random.default_rng(len(pdf.name)).normal(0, _GRAIN, (turned.height, turned.width))
    grainy = np.clip(np.asarray(turned) + grain, 0, 255).astype(np.uint8)
    Image.fromarray(grainy).filter(ImageFilter.GaussianBlur(0.5)).save(path, quality=_QUALITY)
    return path
