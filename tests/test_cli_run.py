"""``llamaclassify run`` in pipes, under a cap, with a journal and interrupted."""

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import anyio
import pytest
from rich.console import Console

from llamaclassify import Job, Progress, Result, Usage
from llamaclassify.cli import budget as budget_module, progress
from llamaclassify.cli.budget import Budget
from llamaclassify.cli.documents import Named, NamedFile, document_of
from llamaclassify.cli.output import WRITERS, JsonLines, Printer
from llamaclassify.cli.records import Record
from llamaclassify.waiting.batch import each

from .commands import COMMAND, invoke, rest_of
from .conftest import serving
from .service import Service

RULES = "rules: [{type: invoice, description: contains an invoice number and a total amount}]"


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    return path


@pytest.fixture
def service(monkeypatch):
    """A service in a thread of its own, which the environment names."""
    running, started, loop, stop = Service(), threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def serve():
        async with serving(*running.routes()) as url:
            monkeypatch.setenv("LLAMA_CLOUD_BASE_URL", url)
            monkeypatch.setenv("LLAMA_CLOUD_API_KEY", "llx-test")
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=[serve()])
    thread.start()
    assert started.wait(10)
    yield running
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


def records_of(text):
    return [json.loads(line) for line in text.splitlines()]


def ids(count):
    return [f"dfl-{number:05}" for number in range(count)]


def record(name, type="invoice", error=None):
    return Record(name, "COMPLETED", type, 0.9, "why", "clj-1", error)


def test_a_list_of_ids_and_files_on_stdin(service, rules, tmp_path):
    (tmp_path / "a.txt").write_text("a")
    listed = f"dfl-1\n\n{tmp_path}/a.txt\r\npjb-2\n{tmp_path}/none.txt"
    result = invoke("run", "-", "--rules", rules, "--format", "jsonl", "--order", "input", stdin=listed)
    assert result.exit_code == 3
    records = records_of(result.stdout)
    names = ["dfl-1", f"{tmp_path}/a.txt", "pjb-2", f"{tmp_path}/none.txt"]
    assert [record["document"] for record in records] == names
    assert [record["type"] for record in records] == ["invoice"] * 3 + [None]
    assert "no such file" in records[3]["error"]
    assert service.uploads == 1


def test_what_is_named_twice_is_classified_once(service, rules, tmp_path):
    (tmp_path / "a.txt").write_text("a")
    listed = f"dfl-1\n{tmp_path}/a.txt\n{tmp_path}/./a.txt\ndfl-1\ndfl-2"
    result = invoke("run", "-", tmp_path / "a.txt", "--rules", rules, "--format", "jsonl", stdin=listed)
    names = sorted(record["document"] for record in records_of(result.stdout))
    assert names == sorted(["dfl-1", f"{tmp_path}/a.txt", "dfl-2"])
    assert service.creates == 3
    assert "left out: 3 repeated names" in result.stderr


def test_an_empty_list_is_no_mistake(service, rules):
    result = invoke("run", "-", "--rules", rules, "--format", "csv", stdin="")
    assert (result.exit_code, result.stdout.count("\n")) == (0, 1)


def test_what_looks_like_an_id_is_a_file_where_there_is_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert document_of("dfl-1") == "dfl-1"
    (tmp_path / "dfl-1").touch()
    assert document_of("dfl-1") == NamedFile("dfl-1")
    assert document_of("dfl-1.pdf") == NamedFile("dfl-1.pdf")


def test_a_server_of_its_own_knows_no_ids(rules):
    result = invoke("run", "dfl-1", "--local", "--rules", rules, "--format", "jsonl")
    assert json.loads(result.stdout)["error"] == "document: dfl-1: no such file"


async def test_stdin_is_read_as_it_comes(monkeypatch):
    reading, writing = os.pipe()
    with os.fdopen(reading) as stdin, os.fdopen(writing, "w") as pipe:
        monkeypatch.setattr(sys, "stdin", stdin)
        documents = Named(("-",)).documents()
        pipe.write("dfl-1\ndfl-2\ndfl-")
        pipe.flush()
        assert [await anext(documents), await anext(documents)] == ["dfl-1", "dfl-2"]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await anext(documents)
        await documents.aclose()


def test_a_record_a_line_even_where_the_order_is_that_of_the_input():
    text = io.StringIO()
    printer = Printer(JsonLines(text), is_in_order=True)
    for index in (2, 0):
        printer.add(index, record(str(index)))
    assert [line["document"] for line in records_of(text.getvalue())] == ["0"]
    printer.add(1, record("1"))
    printer.add(4, record("4"))
    assert [line["document"] for line in records_of(text.getvalue())] == ["0", "1", "2"]
    printer.close()
    assert [line["document"] for line in records_of(text.getvalue())] == ["0", "1", "2", "4"]


async def test_no_more_is_read_while_records_wait_for_one_before_them():
    async def endless():
        while True:
            yield "dfl-1"

    printer = Printer(JsonLines(io.StringIO()), is_in_order=True, most=2)
    documents = printer.paced(endless())
    await anext(documents)
    await anext(documents)
    third = asyncio.ensure_future(anext(documents))
    printer.add(1, record("1"))
    await anyio.wait_all_tasks_blocked()
    assert not third.done()
    printer.add(0, record("0"))
    assert await third == "dfl-1"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_is_one_list(count):
    text = io.StringIO()
    writer = WRITERS["json"](text)
    for number in range(count):
        writer.add(record(str(number)))
    writer.close()
    assert [line["document"] for line in json.loads(text.getvalue())] == [str(n) for n in range(count)]


def start(*arguments, **options):
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def test_a_reader_that_has_had_enough_ends_it_quietly(service, rules, tmp_path):
    listed = tmp_path / "list"
    listed.write_text("\n".join(ids(3000)))
    with listed.open() as stdin, start("run", "-", "--rules", rules, "--format", "jsonl", stdin=stdin) as run:
        assert json.loads(run.stdout.readline())["type"] == "invoice"
        run.stdout.close()
        assert run.wait(20) == 1
        told = run.stderr.read()
    assert "Traceback" not in told
    assert "rror" not in told
    assert service.creates < 3000


def test_interrupted_twice_and_resumed_every_document_has_one_line(service, rules, tmp_path):
    listed = tmp_path / "list"
    listed.write_text("\n".join(ids(150)))
    command = ("run", "-", "--rules", rules, "--format", "jsonl", "--concurrency", "25")
    command = (*command, "--journal", tmp_path / "run.journal")
    for _ in range(2):
        with listed.open() as stdin, start(*command, stdin=stdin) as run:
            first = run.stdout.readline()
            run.send_signal(signal.SIGINT)
            rest, told = rest_of(run)
        assert run.returncode == 130
        assert "finishing" in told
        assert f"to resume, with the same list: llamaclassify run - --rules {rules}" in told
        interrupted = records_of(first + rest)
        assert 0 < len(interrupted) < 150
        assert all(record["status"] == "COMPLETED" for record in interrupted)
    with listed.open() as stdin, start(*command, stdin=stdin) as run:
        records = records_of(run.communicate(timeout=30)[0])
    assert run.returncode == 0
    assert sorted(record["document"] for record in records) == ids(150)
    assert service.creates == len(service.jobs) == 150


def test_the_second_interrupt_stops_at_once(service, rules):
    service.status = "RUNNING"
    with start("run", "dfl-1", "--rules", rules) as run:
        while not service.looks:
            time.sleep(0.01)
        run.send_signal(signal.SIGINT)
        lines = iter(run.stderr.readline, "")
        assert next(line for line in lines if "finishing 1 document" in line)
        assert run.poll() is None
        run.send_signal(signal.SIGINT)
        assert run.wait(10) == 130
        assert "Traceback" not in run.stderr.read()


@pytest.fixture
def inbox(classify_server, tmp_path, monkeypatch):
    """Twelve documents of a page each, and the embedded server, which tells what they cost."""
    monkeypatch.setenv("LLAMA_CLOUD_BASE_URL", classify_server.url)
    monkeypatch.setenv("LLAMA_CLOUD_API_KEY", classify_server.api_key)
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number}.txt").write_text(f"INVOICE number {number}")
    return folder


def test_a_cap_on_credits_is_never_passed(inbox, rules, classify_server):
    result = invoke("run", inbox, "--rules", rules, "--format", "jsonl", "--max-credits", 7)
    assert result.exit_code == 5
    assert len(records_of(result.stdout)) == 7
    assert "7 credits of 7, as far as jobs report them" in result.stderr
    assert "with --journal FILE" in result.stderr


def test_the_flags_say_which_service_and_project(inbox, rules, classify_server, monkeypatch):
    monkeypatch.delenv("LLAMA_CLOUD_BASE_URL")
    here = ("--base-url", classify_server.url, "--project-id", "11111111-1111-1111-1111-111111111111")
    assert invoke("run", inbox / "1.txt", "--rules", rules, *here).exit_code == 0
    labels = inbox / "labels.csv"
    labels.write_text("document,type\n2.txt,invoice\n")
    assert invoke("evaluate", "--labels", labels, "--rules", rules, *here).exit_code == 0
    assert f"a server of your own, {classify_server.url}" in invoke("doctor", *here).stdout
    for flags, count in {here: 2, here[:2]: 0}.items():
        listed = json.loads(invoke("classify", "list", *flags).stdout)
        assert len(listed["items"]) == count


def test_a_cap_that_is_enough_cuts_nothing_short(inbox, rules):
    command = ("run", inbox / "none.txt", inbox, "--rules", rules, "--format", "jsonl")
    result = invoke(*command, "--max-credits", 12)
    assert result.exit_code == 3
    assert len(records_of(result.stdout)) == 13


def test_a_cap_counts_what_earlier_runs_cost(inbox, rules, tmp_path):
    command = ("run", inbox, "--rules", rules, "--format", "jsonl", "--journal", tmp_path / "journal")
    assert invoke(*command, "--max-credits", 5).exit_code == 5
    assert len(records_of(invoke(*command, "--max-credits", 5).stdout)) == 5
    assert len(records_of(invoke(*command, "--max-credits", 8).stdout)) == 8


def test_a_cap_below_the_least_cost_begins_nothing(inbox, rules):
    result = invoke("run", inbox, "--rules", rules, "--format", "jsonl", "--max-credits", 0.5)
    assert (result.exit_code, result.stdout) == (5, "")


class Bills:
    """Jobs by their names, each of which costs what the test says once it has been asked for so often."""

    def __init__(self, costs, looks=1):
        self.costs, self.looks, self.asked = costs, looks, Counter()

    async def get(self, job_id):
        self.asked[job_id] += 1
        billed = self.asked[job_id] >= self.looks
        usage = Usage(credits=self.costs[job_id] if billed else None)
        return Job(id=job_id, status="COMPLETED", usage=usage)

    async def run(self, most):
        """Begin each document when there is room, end it at once; give those begun, and the budget."""
        budget, begun = Budget(most, self.get), []
        async with budget.watching():
            async for document in budget.within(each(list(self.costs))):
                begun.append(document)
                budget.add(
                    Job(
                        id=document,
                        status="COMPLETED",
                        result=Result(type=None, confidence=0.5, reasoning=""),
                    )
                )
        return begun, budget


async def test_room_is_kept_for_what_is_under_way_by_what_the_others_cost():
    begun, budget = await Bills({str(number): 10.0 for number in range(100)}).run(405)
    assert (len(begun), budget.spent, budget.has_ended) == (40, 400.0, True)


async def test_only_a_few_are_begun_before_any_has_told_its_cost():
    begun, budget = await Bills({str(number): 50.0 for number in range(100)}).run(60)
    assert (len(begun), budget.has_ended) == (4, True)


async def test_a_cost_that_is_never_told_is_taken_to_be_as_expected(monkeypatch):
    monkeypatch.setattr(budget_module, "_SECONDS_UNTIL_BILLED", 0.0)
    bills = Bills({str(number): 1.0 for number in range(9)}, looks=99)
    begun, budget = await bills.run(5)
    assert (len(begun), budget.spent) == (5, 5.0)


def test_quiet_and_verbose(service, rules):
    command = ("run", "dfl-1", "none.txt", "--rules", rules, "--format", "jsonl")
    assert invoke(*command, "--quiet").stderr == ""
    assert "none.txt: document: none.txt: no such file" in invoke(*command, "-v").stderr
    told = invoke(*command, "-vv").stderr
    assert "POST /api/v2/classify" in told
    assert "llx-test" not in told


def standing(done, total=None, seconds=10.0, rate=4.0):
    tally = progress.Tally(Counter({"invoice": done - 1, None: 1}), failed=2)
    return progress.Standing(
        Progress(done=done, failed=2, in_flight=8, seconds=seconds, total=None), tally, rate, total
    )


def test_a_line_of_progress_says_it_all():
    assert standing(1200, 2000).line() == (
        "1,200 of 2,000 done, 2 failed, 8 in flight, 4.0/s, 0:03:20 left; 1,199 invoice · 1 (no rule fits)"
    )
    assert standing(1200).left is None
    assert standing(1200, 2000, rate=0.0).left is None
    assert standing(2000, 2000).left is None


def test_off_a_terminal_there_is_a_line_every_few_seconds(service, rules, monkeypatch):
    seen = Service.seen

    def slowly(service, job):
        service.status = "RUNNING" if service.looks < 1 else "COMPLETED"
        return seen(service, job)

    monkeypatch.setattr(Service, "seen", slowly)
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0.01)
    result = invoke("run", "dfl-1", "--rules", rules, "--format", "jsonl")
    assert "0 of 1 done, 0 failed, 1 in flight" in result.stderr


def test_many_types_are_not_all_named():
    tally = progress.Tally()
    for number in range(20):
        tally.add(record("a", type=f"type {number}"))
    assert tally.by_type().count("1 type") == 12
    assert tally.by_type().endswith("8 types more")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_bar_has_it_all_in_two_lines(width):
    text = io.StringIO()
    Console(file=text, width=width).print(progress._bar(standing(1200, 2000), width))
    bar, types = text.getvalue().splitlines()
    assert ("━" in bar) == (width > 60)
    assert "1,200/2,000  2 failed  8 in flight  4.0/s  0:03:20 left" in bar
    assert "1,199 invoice" in types


def test_a_bar_of_an_unknown_length():
    text = io.StringIO()
    Console(file=text, width=80).print(progress._bar(standing(1), 80))
    assert "1  2 failed" in text.getvalue()
