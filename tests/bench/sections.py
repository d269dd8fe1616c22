"""What is measured: each section measures, and gives its text for the page."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from processes import ENVIRONMENT, Run, run_client, run_script, stub
from server_load import seconds_of_looks, seconds_of_pages
from tables import table

CLIENTS = {
    "ours": "`classify_many`",
    "loop": "loop by hand",
    "floor": "batched by hand",
    "vendor": "`llama_cloud`",
}
_IMPORTS = {
    "ours": "from llamaclassify import ClassifySession",
    "loop": "import aiohttp",
    "vendor": "from llama_cloud import AsyncLlamaCloud",
}
_LISTENERS = {
    "ours": "no listener",
    "listened": "a listener that does nothing",
    "telemetry": "`llamaclassify.otel`, OpenTelemetry not set up",
}
_PAGES = {"json": "`json.loads` alone", "ours": "`Page[Job]`", "vendor": "`llama_cloud`'s page"}
_RATIOS = {"cpu": "CPU", "wall": "wall", "requests": "requests", "peak": "peak memory"}
_JOBS_ON_A_PAGE = 100


@dataclass(frozen=True)
class Scale:
    """How much is measured.

    Attributes:
        clients: Who takes part.
        rounds: How often each measurement is made.
        documents: Documents of a fan-out.
        concurrency: Those under way at a time; None for all of them.
        streamed: Documents of the shorter and the longer stream.
        lag_documents: Documents whose jobs take random times.
        lag_seconds: The shortest and the longest of those times.
        interpreters: Fresh interpreters for each import.
        looks: Looks at a job of a busy embedded server.
        busy_jobs: Jobs that keep it busy.
        pages: Pages of jobs asked of it.
        stored: Jobs that it has, fewer and more.
    """

    clients: Sequence[str]
    rounds: int = 5
    documents: int = 2000
    concurrency: int | None = None
    streamed: tuple[int, int] = (2000, 20000)
    lag_documents: int = 300
    lag_seconds: tuple[float, float] = (2.0, 20.0)
    interpreters: int = 21
    looks: int = 1000
    busy_jobs: int = 400
    pages: int = 200
    stored: tuple[int, int] = (1000, 100_000)

    @property
    def long_rounds(self) -> int:
        """Rounds of the measurements that take long and vary little."""
        return min(self.rounds, 3)


def fan_out(scale: Scale) -> str:
    """What many documents at once cost."""
    runs = _runs_in_turn(
        scale.clients, scale.rounds, documents=scale.documents, seconds=[2], concurrency=scale.concurrency
    )
    medians = {name: _median_of(runs[name]) for name in runs}
    under_way = "all" if scale.concurrency is None else f"{scale.concurrency:,}"
    costs = [
        (
            CLIENTS[name],
            _with_range([one.cpu for one in runs[name]]),
            f"{run.cpu / scale.documents * 1e3:.2f}",
            _with_range([one.wall for one in runs[name]]),
            f"{run.requests:.2f}",
            f"{run.peak / 1e6:.0f}",
        )
        for name, run in medians.items()
    ]
    ratios = [
        (
            f"{CLIENTS['ours']} / {CLIENTS[name]}",
            *(f"{getattr(medians['ours'], key) / getattr(run, key):.2f}" for key in _RATIOS),
        )
        for name, run in medians.items()
        if name != "ours"
    ]
    heads = ("", "CPU, s", "CPU a document, ms", "wall, s", "requests a document", "peak memory, MB")
    return f"""## Fan-out

{scale.documents:,} documents, {under_way} of them in flight, six rules, jobs of 2 s. {_rounds(scale.rounds)},
in brackets the least and the most. Every document was completed, with one job each.

{table(heads, costs)}

Ours divided by each of the others:

{table(("", *_RATIOS.values()), ratios)}
"""


def events(scale: Scale) -> str:
    """What events cost, unused and used."""
    runs = _runs_in_turn(list(_LISTENERS), scale.rounds, documents=scale.documents, seconds=[2])
    rows = [
        (
            _LISTENERS[name],
            _with_range([one.cpu for one in measured]),
            f"{median(one.cpu for one in measured) / scale.documents * 1e3:.2f}",
        )
        for name, measured in runs.items()
    ]
    return f"""## Events

The fan-out of `classify_many` again, by what listens to the session's events. Without a listener none is
made; the package `opentelemetry` is installed all the while. {_rounds(scale.rounds)},
in brackets the least and the most.

{table(("on_event", "CPU, s", "CPU a document, ms"), rows)}
"""


def lag(scale: Scale) -> str:
    """How late the end of a job is noticed."""
    runs = _runs_in_turn(
        scale.clients, scale.long_rounds, documents=scale.lag_documents, seconds=scale.lag_seconds
    )
    rows = [
        (CLIENTS[name], f"{run.lag:.2f}", f"{run.requests:.2f}", f"{run.cpu / scale.lag_documents * 1e3:.2f}")
        for name, run in ((name, _median_of(runs[name])) for name in runs)
    ]
    shortest, longest = scale.lag_seconds
    return f"""## How late the end of a job is noticed

{scale.lag_documents:,} documents in flight, jobs of {shortest:g} to {longest:g} s, evenly spread.
The lag is the mean time from a job's end on the server until the caller has it. {_rounds(scale.long_rounds)}.

{table(("", "lag, s", "requests a document", "CPU a document, ms"), rows)}
"""


def memory(scale: Scale) -> str:
    """What a longer stream takes in memory."""
    peaks = [_peak_of_stream(documents, scale.long_rounds) for documents in scale.streamed]
    shorter, longer = (f"{documents:,}" for documents in scale.streamed)
    rows = [
        (f"{documents:,}", f"{peak / 1e6:.1f}") for documents, peak in zip(scale.streamed, peaks, strict=True)
    ]
    return f"""## Memory of a stream

`classify_many`, streamed from a generator, 256 documents in flight, jobs of 0.2 s.
{_rounds(scale.long_rounds)}.

{table(("documents", "peak memory, MB"), rows)}

{longer} documents took {(peaks[1] - peaks[0]) / 1e6:+.1f} MB compared with {shorter}.
"""


def models(scale: Scale) -> str:
    """What it takes to make models of a page of jobs."""
    contenders = [name for name in _PAGES if name != "vendor" or "vendor" in scale.clients]
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(scale.rounds):
        for name in contenders:
            seconds[name].append(run_script("pages.py", name, "--jobs", _JOBS_ON_A_PAGE))
    rows = [(_PAGES[name], f"{median(seconds[name]) * 1e6:.0f}") for name in contenders]
    return f"""## A page of jobs into models

From the bytes of a page of {_JOBS_ON_A_PAGE} completed jobs, `json.loads` included. {_rounds(scale.rounds)}.

{table(("", "CPU a page, µs"), rows)}
"""


def server(scale: Scale) -> str:
    """How the embedded server answers."""
    looks = sorted(seconds_of_looks(scale.looks, jobs=scale.busy_jobs))
    most, longest = looks[len(looks) * 99 // 100], looks[-1]
    pages = {jobs: seconds_of_pages(scale.pages, jobs=jobs) for jobs in scale.stored}
    rows = [(f"{jobs:,}", f"{seconds * 1e3:.2f}") for jobs, seconds in pages.items()]
    return f"""## The embedded server

{scale.looks:,} looks at a job, one after the other, while both workers classify other documents: median
{median(looks) * 1e3:.2f} ms, 99 % within {most * 1e3:.1f} ms, the longest {longest * 1e3:.1f} ms.

A page of 100 jobs, median of {scale.pages}:

{table(("jobs stored", "ms"), rows)}
"""


def imports(scale: Scale) -> str:
    """What it takes to import each package."""
    imports = [code for name, code in _IMPORTS.items() if name in scale.clients]
    seconds: dict[str, list[float]] = {code: [] for code in imports}
    for code in imports:
        _import_seconds(code)  # its files are in the system's cache from here on
    for _ in range(scale.interpreters):
        for code in imports:
            seconds[code].append(_import_seconds(code))
    rows = [(f"`{code}`", f"{median(seconds[code]) * 1e3:.0f}") for code in imports]
    return f"""## Import

Medians of {scale.interpreters} fresh interpreters.

{table(("", "CPU, ms"), rows)}
"""


SECTIONS: dict[str, Callable[[Scale], str]] = {
    "fan-out": fan_out,
    "events": events,
    "lag": lag,
    "memory": memory,
    "models": models,
    "imports": imports,
    "server": server,
}


def _runs_in_turn(
    clients: Sequence[str],
    rounds: int,
    *,
    documents: int,
    seconds: Sequence[float],
    concurrency: int | None = None,
) -> dict[str, list[Run]]:
    """Run the clients in turn, each round starting with another one."""
    runs: dict[str, list[Run]] = {name: [] for name in clients}
    with stub() as url:
        for number in range(rounds):
            first = number % len(clients)
            for name in (*clients[first:], *clients[:first]):
                run = run_client(name, url, documents=documents, seconds=seconds, concurrency=concurrency)
                print(f"round {number + 1}: {name:6} {run}", file=sys.stderr)
                runs[name].append(run)
    return runs


def _peak_of_stream(documents: int, rounds: int) -> float:
    runs = _runs_in_turn(["ours"], rounds, documents=documents, seconds=[0.2], concurrency=256)
    return _median_of(runs["ours"]).peak


def _import_seconds(statement: str) -> float:
    code = f"import time; start = time.process_time(); {statement}; print(time.process_time() - start)"
    command = [sys.executable, "-c", code]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, env=ENVIRONMENT).stdout)


def _median_of(runs: Sequence[Run]) -> Run:
    """Give the median of each measure."""
    return Run(**{key: median(getattr(run, key) for run in runs) for key in vars(runs[0])})


def _with_range(values: Sequence[float]) -> str:
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def _rounds(count: int) -> str:
    return "One round" if count == 1 else f"Medians of {count} rounds"
