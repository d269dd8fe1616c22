"""Takes the pictures of README and documentation: ``nox -s pictures``, where Chromium is installed.

What they show is what happens: a run on a terminal, the report of that run, and the local server at work.
"""

from __future__ import annotations

import asyncio
import io
import itertools
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

from llamaclassify import ClassifySession
from llamaclassify.cli.rules_file import read_rules
from llamaclassify.server import LocalServer

HERE = Path(__file__).parent
EXAMPLES, PICTURES = HERE / "examples", HERE / "_static"
RUN = ["run", "documents", "--rules", "rules.yaml"]
COLUMNS = 110
_NOT_A_COLOUR = re.compile(r"\x1b\[[0-9?;]*[A-HJKhl]")
_DONE = re.compile(r"(\d+)/(\d+)")
_WEB_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # a picture asks the network for nothing
_CHROMIUM = """--headless --no-sandbox --disable-gpu --hide-scrollbars --no-first-run --disable-sync
    --disable-component-update --disable-background-networking""".split()


def main() -> None:
    """Take them all."""
    said = on_a_terminal(*RUN)
    parts = _NOT_A_COLOUR.sub("\0", said).replace("\r", "").split("\0")
    draw("progress.svg", min(parts, key=far_from_half))
    draw("run.svg", parts[-1])
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.html"
        records = command(*RUN, "--format", "jsonl", "--quiet", stdout=subprocess.PIPE)
        command("report", "-", "--output", str(report), input=records.stdout)
        photograph("report.png", report.as_uri())
    asyncio.run(server_at_work())


def command(*arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run llamaclassify beside the examples, with no key."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LLAMA")}
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", "llamaclassify", *arguments],
        check=True, cwd=EXAMPLES, env=environment | {"COLUMNS": str(COLUMNS)}, **options,
    )  # fmt: skip


def on_a_terminal(*arguments: str) -> str:
    """Give what llamaclassify says on a terminal."""
    ours, theirs = os.openpty()
    with ThreadPoolExecutor() as threads:
        ending = threads.submit(command, *arguments, stdout=theirs, stderr=theirs)
        ending.add_done_callback(lambda _: os.close(theirs))
        said = b""
        with suppress(OSError):  # how Linux tells that the other side is closed
            while chunk := os.read(ours, 1 << 16):
                said += chunk
        ending.result()
    os.close(ours)
    return said.decode()


def far_from_half(frame: str) -> float:
    """Tell how far a frame of the bar is from half of the documents."""
    found = _DONE.search(frame)
    return abs(int(found[1]) / int(found[2]) - 0.5) if found else 1


def draw(name: str, said: str) -> None:
    """Draw a terminal with the command and what was said."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.assemble(("$ ", "dim"), "llamaclassify ", " ".join(RUN)))
    console.print(Text.from_ansi(said.strip("\n")))
    svg = _WEB_FONT.sub("", console.export_svg(title="llamaclassify"))
    (PICTURES / name).write_text(svg, encoding="utf-8")


def photograph(name: str, url: str, *, width: int = 1000) -> None:
    """Take a picture of the top of a page."""
    chromium = (
        shutil.which("chromium") or shutil.which("google-chrome") or sys.exit("pictures: install Chromium")
    )
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = [
            f"--user-data-dir={profile}",
            f"--window-size={width},700",
            f"--screenshot={PICTURES / name}",
        ]
        subprocess.run([chromium, *_CHROMIUM, *options, url], check=True, stderr=subprocess.DEVNULL)  # noqa: S603


async def server_at_work() -> None:
    """Take a picture of the local server's page while documents come in about as fast as it is."""
    rules = read_rules(EXAMPLES / "rules.yaml")
    documents = sorted((EXAMPLES / "documents").iterdir())

    async def create() -> None:
        for document in itertools.cycle(documents):
            file = await session.files.upload(document)
            await session.create(file.id, configuration=rules)
            await asyncio.sleep(0.05)

    async with LocalServer(workers=2) as server, ClassifySession("llx-local", base_url=server.url) as session:
        await session.classify_many(documents, configuration=rules)
        creating = asyncio.create_task(create())
        await asyncio.to_thread(photograph, "server.png", server.url, width=1100)
        creating.cancel()
        with suppress(asyncio.CancelledError):
            await creating


if __name__ == "__main__":
    main()
