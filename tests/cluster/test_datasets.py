"""`classify` on a cluster: every row once, every document one job, whatever becomes of the workers."""

import asyncio
import os
import re
import signal
import threading
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import ray

from llamaclassify import ConfigurationError, PollPolicy, Rate, RateLimit, Rule
from llamaclassify.ray import classify

ROWS = 5000
RULES = [
    Rule(type="invoice", description="contains an invoice number and a total amount"),
    Rule(type="receipt", description="shows a payment that has been made"),
]
POLL = PollPolicy(initial=0.05, maximum=0.2, timeout=60.0)

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.usefixtures("cluster"),
    # Ray's own.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    """Parquet files of documents: a number, a name, and the bytes."""
    folder = tmp_path_factory.mktemp("documents")
    for first in range(0, ROWS, ROWS // 10):
        numbers = range(first, first + ROWS // 10)
        columns = {
            "number": list(numbers),
            "name": [f"{'receipt' if number % 5 == 0 else 'invoice'}-{number}.txt" for number in numbers],
            "bytes": [f"Document {number}".encode() for number in numbers],
        }
        pq.write_table(pa.table(columns), folder / f"{first}.parquet")
    return str(folder)


def classified(server, documents, folder, **options):
    ds = ray.data.read_parquet(documents, override_num_blocks=20)
    connected = {"api_key": server.api_key, "base_url": server.url, "poll": POLL}
    given = {"rules": RULES, "workers": 2} | connected | options
    classify(ds, **given).write_parquet(str(folder))
    return pq.read_table(folder)


def is_every_row_once(table):
    numbers = table["number"].to_pylist()
    types = table["type"].to_pylist()
    return sorted(numbers) == list(range(ROWS)) and all(
        found == ("receipt" if number % 5 == 0 else "invoice")
        for number, found in zip(numbers, types, strict=True)
    )


def jobs_on(server):
    async def listed():
        async with server.session() as session:
            return [job.id async for job in session.list(page_size=100)]

    return asyncio.run(listed())


def test_every_row_once_and_the_next_job_asks_for_nothing(server, documents, tmp_path):
    first = classified(server, documents, tmp_path / "first")
    assert is_every_row_once(first)
    assert server.requests["create"] == ROWS == len(set(first["job_id"].to_pylist()))
    before = server.requests
    second = classified(server, documents, tmp_path / "second", done=str(tmp_path / "first"))
    assert is_every_row_once(second)
    assert server.requests == before
    columns = ["number", "job_id", "reasoning", "confidence", "status", "transaction_id", "error"]
    assert second.select(columns).sort_by("number") == first.select(columns).sort_by("number")


def workers():
    """The processes of this cluster that classify."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"MapBatches(Classifier)" in (process / "cmdline").read_bytes() and is_ours(process):
                found.append(int(process.name))
        except OSError:  # it has ended
            continue
    return found


def is_ours(process):
    while process.name not in {"0", "1"}:
        if int(process.name) == os.getpid():
            return True
        status = (process / "status").read_text()
        process = Path("/proc", status.partition("PPid:")[2].split()[0])
    return False


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="workers are found in /proc")
def test_a_worker_that_is_killed(server, documents, tmp_path):
    killed = []

    def kill():
        while server.requests["create"] < ROWS // 5:
            time.sleep(0.02)
        killed.append(workers()[0])
        os.kill(killed[0], signal.SIGKILL)

    killing = threading.Thread(target=kill)
    killing.start()
    table = classified(server, documents, tmp_path / "out")
    killing.join()
    assert killed
    assert is_every_row_once(table)
    jobs = jobs_on(server)
    assert len(jobs) == ROWS
    assert set(jobs) == set(table["job_id"].to_pylist())
    assert server.requests["create"] > ROWS  # rows were done again


def test_what_cannot_be_right_is_said_before_anything_is_sent(server, documents, tmp_path):
    for options, field in [
        ({"rules": []}, "rules: give at least one"),
        ({"rate_limit": 40}, "rate_limit"),
        ({"base_url": "nowhere"}, "base_url"),
        ({"column": "scan"}, "kind"),
        ({"done": str(tmp_path / "nothing")}, "done"),
    ]:
        with pytest.raises(ConfigurationError, match=field):
            classified(server, documents, tmp_path / "out", **options)
    assert not server.requests


def test_workers_share_a_rate(server, tmp_path):
    rows = [{"id": f"dfl-{number}"} for number in range(60)]
    ds = ray.data.from_items(rows, override_num_blocks=6)
    connected = {"api_key": server.api_key, "base_url": server.url, "poll": POLL}
    limit = RateLimit(creates=Rate(1000, 1.0), uploads=None)
    out = classify(ds, rules=RULES, workers=2, rate_limit=limit, **connected).take_all()
    assert {row["id"] for row in out} == {row["id"] for row in rows}
    keeper = ray.get_actor("llamaclassify 127.0.0.1", namespace="llamaclassify")
    given = ray.get(keeper.reserve.remote("other", limit))
    assert given.is_taken
    with pytest.raises(ConfigurationError, match="in use with another one"):
        ray.get(keeper.reserve.remote("create", RateLimit(creates=Rate(1, 60.0), uploads=None)))


def test_the_blocks_of_the_page(server, tmp_path, monkeypatch):
    monkeypatch.setenv("LLAMA_CLOUD_API_KEY", server.api_key)
    monkeypatch.setenv("LLAMA_CLOUD_BASE_URL", server.url)
    (tmp_path / "inbox").mkdir()
    for name in ("invoice.pdf", "letter.pdf"):
        (tmp_path / "inbox" / name).write_text(name)
    page = Path(__file__).parents[2] / "docs" / "ray.md"
    names = {}
    for block in re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
        exec(block.replace('"/data', f'"{tmp_path}'), names)  # noqa: S102
    first, again = (pq.read_table(tmp_path / name) for name in ("classified", "classified-again"))
    assert sorted(first["type"].to_pylist(), key=str) == [None, "invoice"]
    assert again.sort_by("path") == first.sort_by("path")
    assert server.requests["create"] == 2
