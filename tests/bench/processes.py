"""The processes of a measurement: the stub, and a client in a new interpreter for each run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

_HERE = Path(__file__).parent


def _without_what_distorts(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out proxies, for the stub is on this machine, and what has every import compiled anew."""
    return {
        name: value
        for name, value in environment.items()
        if not name.lower().endswith("_proxy") and name != "PYTHONDONTWRITEBYTECODE"
    }


ENVIRONMENT = _without_what_distorts(os.environ)


@dataclass(frozen=True)
class Run:
    """What one run of a client came to.

    Attributes:
        cpu: Seconds of CPU of the client's process, user and system.
        wall: Seconds from the start to the last document.
        peak: The process's largest resident memory, in bytes.
        lag: Mean seconds from a job's end until the client knew.
        requests: Requests for each document.
    """

    cpu: float
    wall: float
    peak: float
    lag: float
    requests: float

    def __str__(self) -> str:
        return (
            f"CPU {self.cpu:.3f} s, wall {self.wall:.2f} s, peak {self.peak / 1e6:.1f} MB, "
            f"lag {self.lag:.3f} s, {self.requests:.2f} requests a document"
        )


@contextmanager
def stub() -> Iterator[str]:
    """Start the stub, give its URL, and end it."""
    command = [sys.executable, _HERE / "stub.py"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            ended = process.poll()
            process.stdin.close()
            if ended is not None:
                print(f"the stub had ended before, with status {ended}", file=sys.stderr)


def run_client(
    name: str, url: str, *, documents: int, seconds: Sequence[float], concurrency: int | None = None
) -> Run:
    """Run a client once, and check that it has classified every document, each with one job."""
    options = ["--documents", documents, "--seconds", *seconds]
    if concurrency is not None:
        options += ["--concurrency", concurrency]
    measured = run_script(f"clients/{name}.py", url, *options)
    stats = _stats(url)
    jobs = stats.pop("jobs")
    if measured["outcomes"] != {"COMPLETED": documents} or jobs != documents:
        raise SystemExit(f"{name}: of {documents} documents: {measured['outcomes']}, {jobs} jobs, {stats}")
    keys = ("cpu", "wall", "peak", "lag")
    return Run(**{key: measured[key] for key in keys}, requests=sum(stats.values()) / documents)


def run_script(path: str, *options: object) -> Any:
    """Run one of the programs here in an interpreter of its own, and give the JSON that it prints."""
    command = [sys.executable, str(_HERE / path), *map(str, options)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, env=ENVIRONMENT).stdout)


def _stats(url: str) -> dict[str, int]:
    with build_opener(ProxyHandler({})).open(f"{url}/stats") as answer:
        return json.load(answer)
