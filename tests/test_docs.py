"""The Python blocks of the README, the documentation and the docstrings run as they stand, file by file."""

import ast
import asyncio
import hmac
import inspect
import re
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent

import pytest

import llamaclassify
from llamaclassify import ClassifySession

from .conftest import RULES

ROOT = Path(__file__).parent.parent
MARKDOWN = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
DOCSTRING = re.compile(r"^( *)(?:\S.*[^.: ])?::\n\n((?:\1 +\S.*\n|\n)+)", re.MULTILINE)
FILES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted(ROOT.glob("llamaclassify/**/*.py")),
]
# Not run here, and why.
ELSEWHERE = {"docs/testing.md": "it is made of tests: test_testing.py runs them"}
NEEDED = {"llama_cloud": "the vendor's client, which `nox -s peers` has"}
# What they take for granted, besides a session and the ids of files.
BODY = b'{"event_id": "evt-1", "event_type": "classify.success", "data": {"job_id": "clj-1"}}'
NAMES = {
    "Path": Path,
    "RULES": RULES,
    "body": BODY,
    "secret": "whsec-1",
    "signature": "sha256=" + hmac.new(b"whsec-1", BODY, sha256).hexdigest(),
}


def blocks(file):
    """Give each block, after so many empty lines that an error names the file's own."""
    text = file.read_text()
    for found in (DOCSTRING if file.suffix == ".py" else MARKDOWN).finditer(text):
        *_, (start, _) = found.regs
        yield "\n" * text[:start].count("\n") + dedent(found[found.lastindex])


def run(code, names):
    """Run a block; one that awaits has a session and ids of files."""
    if not code.co_flags & inspect.CO_COROUTINE:
        exec(code, names)  # noqa: S102
        return

    async def awaited():
        async with ClassifySession() as session:
            file = await session.files.upload(("invoice.pdf", b"x"))
            names.update(session=session, file_id=file.id, file_ids=[file.id])
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
    "file",
    [
        pytest.param(file, id=str(file.relative_to(ROOT)))
        for file in FILES
        if any(blocks(file)) and str(file.relative_to(ROOT)) not in ELSEWHERE
    ],
)
def test_its_blocks_run(file):
    names = {"__name__": "__main__"} | NAMES
    if file.suffix == ".py":  # the reader knows where it is from
        names |= {name: getattr(llamaclassify, name) for name in llamaclassify.__all__}
    for block in blocks(file):
        if any(name in block and find_spec(name) is None for name in NEEDED):
            continue
        run(compile(block, file, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
