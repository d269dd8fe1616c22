"""The page of the documentation that the measurements are written to."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

_PACKAGES = (
    "llamaclassify aiohttp anyio attrs cattrs tenacity llama-cloud httpx httpx-aiohttp pydantic".split()
)


def page(sections: Iterable[str], command: Sequence[str]) -> str:
    """Give the page's text."""
    versions = ", ".join(f"{package} {version(package)}" for package in _PACKAGES)
    body = "\n".join(sections)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    machine = f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    return f"""<!-- Written by `nox -s bench`; never by hand. -->

# Benchmarks

`{" ".join(command)}` wrote this page on {datetime.now(UTC).date()}.

- **Machine:** {machine}. Clients and server share it: compare the figures, take none for absolute.
- **Software:** {python}; {versions}.
- **Server:** a stub in a process of its own, whose jobs only take their time (`tests/bench/stub.py`).
- **Clients** (`tests/bench/clients`), each run in a new process, with the same creates and each
  library's default connections (64 at once for ours, 100 for aiohttp):
  - `classify_many`, streamed;
  - a loop by hand, which looks at each job every second: aiohttp, no models, no retries;
  - the least that can be done by hand, a poller that asks for 100 jobs at a time every half second: likewise;
  - the vendor's `llama_cloud` on its aiohttp transport: `classify.run` with its defaults.
- **CPU** is the client's process, user and system, without its imports.
  **Peak memory** is that of the whole process.

{body}"""


def _processor() -> str:
    """Give the processor's name, where the system tells it."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
