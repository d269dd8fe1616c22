"""``evaluate``, ``plan``, ``doctor`` and ``completion``."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas

from llamaclassify.cli import doctor
from llamaclassify.cli.comparing import Change, Comparison
from llamaclassify.cli.main import commands
from llamaclassify.cli.records import Record
from llamaclassify.cli.scores import Judged, Scores

from .commands import COMMAND, invoke, rest_of

EXAMPLES = Path(__file__).parent.parent / "docs" / "examples"
RULES = """
rules:
  - type: invoice
    description: contains an invoice number and a total amount
  - type: receipt
    description: shows a payment that has been made
"""


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    return path


@pytest.fixture
def cloud(classify_server, monkeypatch):
    """A server whose answers the test scripts, which the environment names."""
    monkeypatch.setenv("LLAMA_CLOUD_BASE_URL", classify_server.url)
    monkeypatch.setenv("LLAMA_CLOUD_API_KEY", classify_server.api_key)
    return classify_server


def answer(name, type, expected, confidence=0.9, error=None, rules="rules.yaml"):
    status = None if error else "COMPLETED"
    record = Record(name, status, type, None if error else confidence, f"it is {type}", None, error)
    return Judged.beside(record, expected, rules)


ANSWERS = [
    answer("a", "invoice", "invoice", 0.95),
    answer("b", "invoice", "invoice", 0.75),
    answer("c", "invoice", "receipt", 0.85),
    answer("d", None, "receipt", 0.55),
    answer("e", None, None, 0.55),
    answer("f", None, "invoice", error="broken"),
]


def test_scores():
    scores = Scores(tuple(ANSWERS))
    assert (scores.accuracy, scores.failed) == (0.5, 1)
    assert scores.names == ["invoice", "receipt", "(no rule fits)", "(error)"]
    assert [(s.name, s.count, s.precision, s.recall) for s in scores.by_type()] == [
        ("invoice", 3, 2 / 3, 2 / 3),
        ("receipt", 2, None, 0.0),
        ("(no rule fits)", 1, 0.5, 1.0),
    ]
    assert scores.confusion["receipt", "invoice"] == 1
    assert [(b.least, b.count, b.right) for b in scores.calibration()] == [
        (0.5, 2, 0.5),
        (0.7, 1, 1.0),
        (0.8, 1, 0.0),
        (0.9, 1, 1.0),
    ]
    assert scores.calibration_error == pytest.approx((2 * 0.05 + 0.25 + 0.85 + 0.05) / 5)
    assert [record.document for record in scores.worst()] == ["c", "d", "f"]


def by_other_rules():
    """Better at f, worse at e, wrong at d and c all the same."""
    others = [answer(a.document, a.expected, a.expected, rules="new/rules.yaml") for a in ANSWERS]
    others[2:5] = [answer(a.document, "invoice", a.expected, rules="new/rules.yaml") for a in ANSWERS[2:5]]
    return others


def test_a_comparison_tells_documents_by_what_changes():
    comparison = Comparison(Scores(tuple(ANSWERS)), Scores(tuple(by_other_rules())))
    pairs = {change: [pair.first.document for pair in some] for change, some in comparison.pairs.items()}
    assert pairs == {
        Change.WORSE: ["e"],
        Change.BETTER: ["f"],
        Change.BOTH_WRONG: ["c", "d"],
        Change.BOTH_RIGHT: ["a", "b"],
    }
    assert comparison.names == ("rules.yaml", "new/rules.yaml")
    assert [(name, first.recall, second.recall) for name, first, second in comparison.by_type()] == [
        ("invoice", 2 / 3, 1.0),
        ("receipt", 0.0, 0.0),
        ("(no rule fits)", 1.0, 0.0),
    ]


def test_an_evaluation_of_the_samples():
    labels = ("--labels", EXAMPLES / "expected.csv", "--documents", EXAMPLES / "documents")
    result = invoke("evaluate", *labels, "--rules", EXAMPLES / "rules.yaml", "--local", "--format", "json")
    assert result.exit_code == 0
    [scores] = json.loads(result.stdout).values()
    assert scores["documents"] == 17
    assert scores["accuracy"] >= 16 / 17
    assert {score["name"] for score in scores["types"]} >= {"invoice", "receipt", "(no rule fits)"}


@pytest.fixture
def labels(tmp_path, cloud):
    """Three labelled documents: one is answered rightly, one wrongly, one fails."""
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["type", "document"])
        for name, label in {"a.txt": "invoice", "b.txt": "receipt", "c.txt": ""}.items():
            (tmp_path / name).write_text(f"document {name}")
            rows.writerow([label, name])
    cloud.script("a.txt", type="invoice", confidence=0.8)
    cloud.script("b.txt", type="invoice", confidence=0.7, reasoning="it has an invoice number")
    cloud.script("c.txt", error="PDF_IS_BROKEN")
    return tmp_path / "labels.csv"


def test_an_evaluation_says_what_is_wrong_and_why(labels, rules, tmp_path):
    output = tmp_path / "evaluation.jsonl"
    result = invoke("evaluate", "--labels", labels, "--rules", rules, "--output", output)
    assert result.exit_code == 3
    assert "accuracy 33.3%: 1 of 3; 1 failed, and count as wrong" in result.stdout
    assert re.search(r"invoice +1 +50\.0% +100\.0%", result.stdout)
    assert "b.txt: invoice 0.70, is receipt" in result.stdout
    assert "it has an invoice number" in result.stdout
    records = [json.loads(line) for line in output.read_text().splitlines()]
    assert [(record["type"], record["expected"]) for record in records] == [
        ("invoice", "invoice"),
        ("invoice", "receipt"),
        (None, None),
    ]


def test_a_comparison_of_rules(labels, rules, tmp_path):
    other, output = tmp_path / "other.yaml", tmp_path / "both.jsonl"
    other.write_text(RULES.replace("total", "final"))
    command = ("evaluate", "--labels", labels, "--rules", rules, "--compare", other, "--output", output)
    result = invoke(*command)
    assert result.exit_code == 3
    assert re.search(r"accuracy +33\.3% +33\.3%", result.stdout)
    assert re.search(r"invoice +1 +50\.0% 100\.0% +50\.0% 100\.0%", result.stdout)
    assert re.search(r"b\.txt +receipt +invoice 0\.70 +invoice 0\.70 +wrong by both", result.stdout)
    assert "2 wrong by both, 1 right by both" in result.stdout
    assert "(2 of them not shown)" in invoke(*command, "--worst", 0).stdout
    records = [json.loads(line) for line in output.read_text().splitlines()]
    assert [(r["document"], r["rules"]) for r in records] == [
        (name, str(file)) for file in (rules, other) for name in ("a.txt", "b.txt", "c.txt")
    ]
    assert invoke("report", output, "--output", tmp_path / "report.html").exit_code == 0
    by_rules = json.loads(invoke(*command, "--format", "json").stdout)
    assert {file: scores["documents"] for file, scores in by_rules.items()} == {str(rules): 3, str(other): 3}


def test_an_output_that_is_an_input_is_refused(labels, rules, tmp_path):
    for output in (labels, rules, tmp_path / "a.txt"):
        result = invoke("evaluate", "--labels", labels, "--rules", rules, "--output", output)
        assert (result.exit_code, "is one of the files to read" in result.stderr) == (2, True)


def test_an_evaluation_that_is_interrupted_says_how_to_go_on(labels, rules, cloud, tmp_path):
    cloud.script("a.txt", type="invoice", seconds=3600)
    command = ("evaluate", "--labels", labels, "--rules", rules, "--journal", tmp_path / "journal")
    with subprocess.Popen(
        [*COMMAND, *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not cloud.requests["list"] + cloud.requests["get"]:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert "finishing" in process.stderr.readline()
        cloud.clock.advance(3600)
        shown, told = rest_of(process)
    assert (process.returncode, shown) == (130, "")
    assert "to resume: llamaclassify evaluate --labels" in told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("document,type\n", "there is no document in it"),
        ("document\na.txt\n", "there is no column type"),
        ("document,type\na.txt,invoice\nb.txt,invoce\n", "line 3: the type 'invoce' is in no rule of"),
        ("", "there is no column document or type"),
        ("document,type\na.txt,\n./a.txt,invoice\n", "line 3: ./a.txt has its label in line 2"),
    ],
)
def test_labels_that_cannot_be_used(tmp_path, rules, text, message):
    path = tmp_path / "labels.csv"
    path.write_text(text)
    result = invoke("evaluate", "--labels", path, "--rules", rules)
    assert (result.exit_code, message in result.stderr) == (2, True)
    assert invoke("evaluate", "--labels", tmp_path / "none", "--rules", rules).exit_code == 2


def pdf(path, pages):
    canvas = Canvas(str(path))
    for number in range(pages):
        canvas.drawString(100, 700, f"page {number}")
        canvas.showPage()
    canvas.save()


def test_a_plan_says_what_a_run_would_take_and_sends_nothing(cloud, rules, tmp_path):
    folder = tmp_path / "inbox"
    folder.mkdir()
    pdf(folder / "a.pdf", 3)
    (folder / "b.txt").write_text("INVOICE")
    (folder / "empty.txt").touch()
    command = (folder, "dfl-1", "--rules", rules)
    result = invoke("plan", *command, "--max-credits", 2)
    assert result.exit_code == 3
    assert re.search(r"documents +3: 2 files to upload, 1 id", result.stdout)
    assert re.search(r"unreadable +1 more", result.stdout)
    assert re.search(r"pages +3 counted, and at least 1 in each of 2 others", result.stdout)
    assert re.search(r"credits +at least 5, at 1 a page", result.stdout)
    assert "--max-credits 2 would end the run early" in result.stdout
    assert invoke("run", *command, "--dry-run", "--max-credits", 2).stdout == result.stdout
    assert not cloud.requests


def test_a_plan_reads_as_many_pages_as_the_rules_ask_for(cloud, tmp_path):
    pdf(tmp_path / "a.pdf", 9)
    rules = tmp_path / "rules.yaml"
    for parsing, pages in {"max_pages: 2": 2, "target_pages: '2-3,8-20'": 4}.items():
        rules.write_text(f"{RULES}\nparsing_configuration: {{{parsing}}}")
        result = invoke("plan", tmp_path / "a.pdf", "--rules", rules)
        assert re.search(rf"pages +{pages} counted", result.stdout)


def test_a_plan_needs_no_key(rules, tmp_path):
    command = ("plan", rules, "--rules", rules)
    assert "classified on this machine" in invoke(*command).stdout
    (tmp_path / "run.journal").touch()
    result = invoke(*command, "--cloud", "--journal", tmp_path / "run.journal")
    assert (result.exit_code, "at least 1, at 1 a page" in result.stdout) == (0, True)


def test_a_plan_knows_what_the_journal_has(cloud, rules, tmp_path):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(f"document {name}")
    rest = ("--rules", rules, "--journal", tmp_path / "run.journal")
    assert "0 more are done" in invoke("plan", tmp_path / "a.txt", *rest).stdout
    assert not (tmp_path / "run.journal").exists()
    cloud.script("a.txt", type="invoice")
    assert invoke("run", tmp_path / "a.txt", *rest).exit_code == 0
    result = invoke("plan", tmp_path / "a.txt", tmp_path / "b.txt", *rest)
    assert re.search(r"documents +1: 1 file", result.stdout)
    assert re.search(r"journal +1 more are done", result.stdout)


def test_a_doctor_with_a_key(cloud):
    result = invoke("doctor")
    assert result.exit_code == 0
    for finding in ("key +set", "region +a server of your own", "service +answers", "clock +right", "disk"):
        assert re.search(rf"ok +{finding}", result.stdout), result.stdout
    assert cloud.api_key not in result.output


@pytest.mark.parametrize(("hours", "said"), [(2, "behind the service's"), (-2, "ahead of the service's")])
def test_a_doctor_compares_the_clocks(cloud, monkeypatch, hours, said):
    date = format_datetime(datetime.now(UTC) + timedelta(hours=hours))
    monkeypatch.setattr(doctor, "parsedate_to_datetime", lambda _: parsedate_to_datetime(date))
    assert said in invoke("doctor").stdout


def test_a_doctor_without_one_looks_at_the_machine():
    result = invoke("doctor")
    assert (result.exit_code, "set LLAMA_CLOUD_API_KEY" in result.stdout) == (0, True)
    assert "engine" in result.stdout
    assert "LLAMA_CLOUD_API_KEY" not in invoke("doctor", "--local").stdout


@pytest.mark.parametrize(
    ("name", "value", "status", "advice"),
    [
        ("LLAMA_CLOUD_API_KEY", "wrong", 4, "make a key"),
        ("LLAMA_CLOUD_BASE_URL", "http://127.0.0.1:9", 1, "LLAMA_CLOUD_BASE_URL is right"),
        ("LLAMA_CLOUD_BASE_URL", "nonsense", 2, "correct it"),
    ],
)
def test_a_doctor_says_what_to_do(cloud, monkeypatch, name, value, status, advice):
    monkeypatch.setenv(name, value)
    result = invoke("doctor")
    assert (result.exit_code, advice in result.stdout) == (status, True), result.output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell):
    result = invoke("completion", shell)
    assert result.exit_code == 0
    assert "_LLAMACLASSIFY_COMPLETE" in result.stdout
    if shutil.which(shell):
        assert subprocess.run([shell, "-n"], input=result.stdout, text=True, check=False).returncode == 0


def told_by(shell, script):
    """What a shell prints when it runs a script below the completion's own."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    text = invoke("completion", shell).stdout + script
    return subprocess.run(
        [shell], input=text, text=True, check=True, stdout=subprocess.PIPE, env={**os.environ, "PATH": path}
    ).stdout.splitlines()


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (["ev"], ["evaluate"]),
        (["classifier", ":", "jo"], ["jobs"]),
        (["classifier", ":", "jobs", "get"], ["get", "get-results"]),
        (["run", "--format", ""], ["table", "json", "jsonl", "csv"]),
    ],
)
def test_bash_completes_also_behind_a_colon(words, completed):
    given = " ".join(f"'{word}'" for word in words)
    script = f"""
COMP_WORDS=(llamaclassify {given}) COMP_CWORD={len(words)}
_llamaclassify_completion llamaclassify
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    assert told_by("bash", script) == completed


def test_fish_shows_the_whole_help():
    assert "run\tClassify documents: files, folders, globs, lists and ids." in told_by(
        "fish", 'complete -C "llamaclassify ru"'
    )


def test_zsh_needs_no_completion_of_its_own_beforehand():
    assert told_by("zsh", "print $_comps[llamaclassify]") == ["_llamaclassify_completion"]


def test_every_command_is_what_its_line_says():
    with commands.make_context("llamaclassify", ["--version"], resilient_parsing=True) as context:
        for name in commands.list_commands(context):
            command = commands.get_command(context, name)
            assert command.name == name
            assert command.help
        assert commands.get_command(context, "none") is None
