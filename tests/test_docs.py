"""The Python blocks of the README and of the documentation run as they stand, page by page."""

import ast
import asyncio
import inspect
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from llamaclassify import ClassifySession

from .conftest import RULES

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Not run here, and why.
ELSEWHERE = {
    "ray": "it needs a cluster: cluster/test_datasets.py runs them",
    "testing": "it is made of tests: test_testing.py runs them",
}
NEEDED = {
    "llama_cloud": "the vendor's client, which `nox -s peers` has",
    "temporalio": "its server is a program of its own",
}


def blocks(page):
    """Give each block, after so many empty lines that an error names the page's own."""
    text = page.read_text()
    for found in re.finditer(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        yield "\n" * text[: found.start(1)].count("\n") + found[1]


def run(code, names):
    """Run a block; one that awaits finds what it takes for granted: a session, and ids of files."""
    if not code.co_flags & inspect.CO_COROUTINE:
        exec(code, names)  # noqa: S102
        return

    async def awaited():
        async with ClassifySession() as session:
            names["session"] = session
            names["file_ids"] = [(await session.files.upload(("invoice.pdf", b"x"))).id]
            await eval(code, names)  # noqa: S307

    asyncio.run(awaited())


@pytest.fixture
def _folder(tmp_path, monkeypatch):
    """What the blocks find where they run."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    (tmp_path / "inbox").mkdir()
    for name in ("a.pdf", "inbox/invoice.pdf", "inbox/letter.pdf"):
        (tmp_path / name).write_bytes(b"anything")


@pytest.mark.usefixtures("_folder", "classify_server")
@pytest.mark.filterwarnings("ignore:the v1 classifier jobs are deprecated")
@pytest.mark.parametrize(
    "page",
    [pytest.param(page, id=page.stem) for page in PAGES if page.stem not in ELSEWHERE and any(blocks(page))],
)
def test_its_blocks_run(page):
    names = {"__name__": "__main__", "Path": Path, "RULES": RULES}
    for block in blocks(page):
        if any(name in block and find_spec(name) is None for name in NEEDED):
            continue
        run(compile(block, page, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
