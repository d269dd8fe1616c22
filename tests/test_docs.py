"""The blocks of the README, the documentation and the docstrings run as they stand, file by file."""

import ast
import asyncio
import hmac
import inspect
import os
import re
import subprocess
import sys
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent

import pytest

import llamaclassify
from llamaclassify import ClassifySession
from llamaclassify.cli.rules_file import read_rules

from .conftest import RULES

ROOT = Path(__file__).parent.parent
PYTHON, SHELL, YAML = (
    re.compile(rf"^```{language}\n(.*?)^```", re.DOTALL | re.MULTILINE)
    for language in ("python", "sh", "yaml")
)
DOCSTRING = re.compile(r"^( *)(?:\S.*[^.: ])?::\n\n((?:\1 +\S.*\n|\n)+)", re.MULTILINE)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FILES = [*PAGES, *sorted(ROOT.glob("llamaclassify/**/*.py"))]
# Not run here, and why.
ELSEWHERE = {
    "docs/ray.md": "it needs a cluster: cluster/test_datasets.py runs them",
    "llamaclassify/ray/__init__.py": "likewise: the first block of docs/ray.md is as much",
    "docs/testing.md": "it is made of tests: test_testing.py runs them",
}
NEEDED = {
    "llama_cloud": "the vendor's client, which `nox -s peers` has",
    "temporalio": "its server is a program of its own",
}
LANGUAGES_ELSEWHERE = {
    "text": "it is what programs print",
    "toml": "it is a profile, with paths of a user: test_cli_profile.py reads others",
}
LINES_ELSEWHERE = {
    "-m venv": "CI installs by the README's own command",
    "pip install": "likewise",
    " serve": "it runs until it is ended: test_cli.py does",
    "export ": "it is for what `serve` has started",
    "fastapi_service.py": "likewise: test_examples.py runs it",
    "curl ": "likewise",
    "completion ": "its output is for the shell of a user: test_cli_evaluate.py looks at it",
    " jq ": "another program",
    "duckdb ": "another program",
    "pandas": "another library",
}
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
    for found in (DOCSTRING if file.suffix == ".py" else PYTHON).finditer(text):
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
    (tmp_path / "rules.yaml").symlink_to(ROOT / "docs/examples/rules.yaml")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    for name in ("a.pdf", "inbox/invoice.pdf", "inbox/letter.pdf", "Downloads/invoice.pdf"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"anything")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / ".venv/bin"), prepend=os.pathsep)


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


def commands(page):
    lines = [line for block in SHELL.findall(page.read_text()) for line in block.splitlines()]
    return [line for line in lines if not any(part in line for part in LINES_ELSEWHERE)]


@pytest.mark.usefixtures("_folder", "classify_server")
@pytest.mark.parametrize("page", [pytest.param(page, id=page.stem) for page in PAGES if commands(page)])
def test_its_commands_run(page):
    for line in commands(page):
        subprocess.run(line, shell=True, check=True)  # noqa: S602


@pytest.mark.parametrize(
    "page", [pytest.param(page, id=page.stem) for page in PAGES if YAML.search(page.read_text())]
)
def test_its_rules_can_be_read(page, tmp_path):
    for block in YAML.findall(page.read_text()):
        (tmp_path / "rules.yaml").write_text(block)
        assert read_rules(tmp_path / "rules.yaml").rules


@pytest.mark.parametrize("page", [pytest.param(page, id=page.stem) for page in PAGES])
def test_every_block_is_run_or_says_why(page):
    languages = set(re.findall(r"^```(\w+)$", page.read_text(), re.MULTILINE))
    assert languages <= {"python", "sh", "yaml", *LANGUAGES_ELSEWHERE}


def test_the_readme_links_to_what_is_there():
    links = re.findall(r"\]\(([^):]+)\)", (ROOT / "README.md").read_text())
    assert len(links) > 10
    assert [link for link in links if not (ROOT / link).exists()] == []
