"""What the embedded server answers while its workers are busy, and what a page of many jobs takes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from processes import ENVIRONMENT

_KEY = "llx-bench"
_PROGRAM = Path(__file__).with_name("local_server.py")
_TEXT = "INVOICE\nInvoice number 4711\nAmount due: 12.50 EUR\n" + "Delivery of goods as agreed upon. " * 500
_CREATE = {
    "configuration": {"rules": [{"type": "invoice", "description": "has an invoice number and a total"}]}
}


def seconds_of_looks(looks: int, *, jobs: int) -> list[float]:
    """Time looks at a job while both workers are busy with others."""
    with TemporaryDirectory() as folder, _serving(Path(folder)) as server:
        file_id = _upload(server)
        ids = [
            _ask(server, "POST", "/api/v2/classify", _CREATE | {"file_input": file_id})["id"]
            for _ in range(jobs)
        ]
        while not _ended(server, ids[1]):  # then both workers have loaded their engine
            time.sleep(0.05)
        seconds = [_seconds(server, f"/api/v2/classify/{ids[-1]}") for _ in range(looks)]
        if _ended(server, ids[-2]):
            raise SystemExit("the workers were not busy all the time: more jobs are needed")
    return seconds


def seconds_of_pages(pages: int, *, jobs: int) -> float:
    """Give the median time of a page of 100 jobs where so many are stored."""
    with TemporaryDirectory() as folder:
        command = [sys.executable, str(_PROGRAM), folder, "--fill", str(jobs)]
        subprocess.run(command, check=True, env=ENVIRONMENT)
        with _serving(Path(folder)) as server:
            return median(_seconds(server, "/api/v2/classify?page_size=100") for _ in range(pages))


@contextmanager
def _serving(folder: Path) -> Iterator[HTTPConnection]:
    with subprocess.Popen(
        [sys.executable, _PROGRAM, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    ) as process:
        try:
            with closing(HTTPConnection(urlsplit(process.stdout.readline().strip()).netloc)) as connection:
                yield connection
        finally:
            process.stdin.close()


def _seconds(server: HTTPConnection, path: str) -> float:
    started = time.perf_counter()
    _ask(server, "GET", path)
    return time.perf_counter() - started


def _ended(server: HTTPConnection, job_id: str) -> bool:
    return _ask(server, "GET", f"/api/v2/classify/{job_id}")["status"] == "COMPLETED"


def _upload(server: HTTPConnection) -> str:
    parts = {"purpose": ("", "classify"), "file": ('; filename="a.txt"', _TEXT)}
    form = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'
        for name, (more, value) in parts.items()
    )
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    return _ask(server, "POST", "/api/v1/beta/files", f"{form}--x--\r\n", kind)["id"]


def _ask(server: HTTPConnection, method: str, path: str, body: Any = None, headers: Any = None) -> Any:
    content = body if isinstance(body, str | None) else json.dumps(body)
    server.request(method, path, content, {"Authorization": f"Bearer {_KEY}", **(headers or {})})
    answer = server.getresponse()
    content = answer.read()
    if answer.status >= 300:
        raise SystemExit(f"{method} {path}: {answer.status} {content[:300]!r}")
    return json.loads(content)
