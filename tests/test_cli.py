"""The command line as people run it."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from llamaclassify.cli.documents import expand
from llamaclassify.cli.rules_file import RulesFileError, read_rules

from .commands import COMMAND, invoke, rest_of

EXAMPLES = Path(__file__).parent.parent / "docs" / "examples"
RULES_YAML = """
rules:
  - type: invoice
    description: contains an invoice number and an amount due
  - type: resume
    description: the education and work experience of a person
"""


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(RULES_YAML)
    return path


@pytest.fixture
def inbox(tmp_path):
    """Three documents: two that can be classified, one that is empty."""
    folder = tmp_path / "inbox"
    (folder / "deeper").mkdir(parents=True)
    (folder / "a.txt").write_text("INVOICE\nInvoice number 7\nBill to: Ada\nAmount due: 3 EUR")
    (folder / "deeper" / "b.md").write_text(
        "# Ada Example\n\n## Work experience\n\n## Education\n\nReferences"
    )
    (folder / "empty.txt").touch()
    (folder / ".hidden").write_text("not a document")
    return folder


def test_json_holds_a_record_a_document_in_order(inbox, rules):
    result = invoke("run", inbox, "--rules", rules, "--format", "json")
    assert result.exit_code == 3
    records = json.loads(result.stdout)
    names = ["document", "status", "type", "confidence", "reasoning", "job_id", "error"]
    assert [list(record) for record in records] == [names] * 3
    a, b, empty = sorted(records, key=lambda record: record["document"])
    assert (a["document"], a["status"], a["type"], a["error"]) == (
        f"{inbox}/a.txt",
        "COMPLETED",
        "invoice",
        None,
    )
    assert (b["document"], b["type"]) == (f"{inbox}/deeper/b.md", "resume")
    assert empty["error"] == "document: empty.txt is empty"
    assert (empty["status"], empty["job_id"]) == (None, None)
    assert "no LLAMA_CLOUD_API_KEY: classifying on this machine" in result.stderr


def test_lines_csv_and_table_say_the_same(inbox, rules, tmp_path):
    lines = invoke("run", inbox, "--rules", rules, "--format", "jsonl")
    records = {r["document"]: r["type"] for r in map(json.loads, lines.stdout.splitlines())}
    output = tmp_path / "out.csv"
    assert invoke("run", inbox, "--rules", rules, "--format", "csv", "--output", output).stdout == ""
    rows = list(csv.DictReader(io.StringIO(output.read_text())))
    assert {row["document"]: row["type"] or None for row in rows} == records
    table = invoke("run", inbox, "--rules", rules).stdout
    assert re.search(r"a\.txt.*invoice.*(0\.\d\d|1\.00)", table)
    assert re.search(r"empty\.txt.*error.*is empty", table)


def test_a_missing_path_is_that_documents_error(inbox, rules):
    result = invoke("run", inbox / "a.txt", inbox / "no.pdf", "--rules", rules, "--format", "jsonl")
    assert result.exit_code == 3
    errors = [json.loads(line)["error"] for line in result.stdout.splitlines()]
    assert sorted(errors, key=str) == [None, f"document: {inbox}/no.pdf: no such file"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("r.yaml", "rules: [", "does not parse as YAML"),
        ("r.json", "{", "does not parse as JSON"),
        ("r.toml", "=", "does not parse as TOML"),
        ("r.txt", "", "expected a file ending in"),
        ("r.yaml", "", "expected an object with rules"),
        ("r.yaml", "rules: []", "rules: give at least one rule"),
        ("r.yaml", "rules: [{type: a, description: short}]", "rules[0].description: must have 10 to 2000"),
        (
            "r.yaml",
            f"rules: [{{type: {'x' * 51}, description: long enough}}]",
            "rules[0].type: must have 1 to 50",
        ),
        ("r.yaml", "rules: [{type: 10, description: long enough}]", "rules[0].type: must be a text"),
        ("r.yaml", RULES_YAML.replace("resume", "invoice"), "2 rules have the type 'invoice'"),
        ("r.yaml", "rules: [{type: a, descripton: long enough}]", "rules[0].descripton: is no key here"),
        ("r.yaml", RULES_YAML + "parsing: {}", "parsing: is no key here"),
    ],
)
def test_rules_that_cannot_be_right_are_named_with_file_rule_and_field(inbox, tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)
    result = invoke("run", inbox, "--rules", path)
    assert result.exit_code == 2
    assert str(path) in result.stderr
    assert message in result.stderr
    assert result.stdout == ""


def test_rules_that_are_not_there(inbox, tmp_path):
    result = invoke("run", inbox, "--rules", tmp_path / "none.yaml")
    assert (result.exit_code, "No such file" in result.stderr) == (2, True)


def test_rules_read_the_same_from_yaml_json_and_toml(tmp_path):
    configuration = read_rules(EXAMPLES / "rules.yaml")
    rules = [{"type": rule.type, "description": rule.description} for rule in configuration.rules]
    as_json = tmp_path / "r.json"
    as_json.write_text(json.dumps({"rules": rules, "parsing_configuration": {"lang": "en"}}))
    as_toml = tmp_path / "r.toml"
    tables = "".join(
        f"[[rules]]\ntype = {json.dumps(r['type'])}\ndescription = {json.dumps(r['description'])}\n"
        for r in rules
    )
    as_toml.write_text(f"{tables}[parsing_configuration]\nlang = 'en'\n")
    assert read_rules(as_json) == read_rules(as_toml) == configuration
    with pytest.raises(RulesFileError):
        read_rules(tmp_path)


def test_the_cloud_needs_a_key(inbox, rules):
    result = invoke("run", inbox, "--rules", rules, "--cloud")
    assert (result.exit_code, "LLAMA_CLOUD_API_KEY" in result.stderr) == (4, True)


def test_no_document_at_all(tmp_path, rules):
    (tmp_path / "nothing").mkdir()
    result = invoke("run", tmp_path / "nothing", "--rules", rules)
    assert (result.exit_code, "no file" in result.stderr) == (2, True)


def test_an_output_that_cannot_be_written(inbox, rules, tmp_path):
    result = invoke("run", inbox, "--rules", rules, "--output", tmp_path / "no" / "folder.txt")
    assert (result.exit_code, "--output" in result.stderr) == (2, True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_said_in_one_line(inbox, rules):
    for form in ("csv", "json"):
        result = invoke("run", inbox / "a.txt", "--rules", rules, "--format", form, "--output", "/dev/full")
        assert (result.exit_code, "cannot write" in result.stderr) == (1, True)


def test_an_output_that_is_an_input_is_refused(inbox, rules):
    for output in (inbox / "a.txt", rules):
        result = invoke("run", inbox, "--rules", rules, "--output", output)
        assert (result.exit_code, "is one of the files to read" in result.stderr) == (2, True)
    assert (inbox / "a.txt").stat().st_size


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv"])
def test_the_output_of_an_earlier_run_is_no_input(inbox, rules, form):
    command = ("run", inbox, "--rules", rules, "--format", form, "--output", inbox / "out")
    for _ in range(2):
        assert invoke(*command, "--journal", inbox / "journal").exit_code == 3
    assert "/out" not in (inbox / "out").read_text()
    assert "a.txt" in (inbox / "out").read_text()


def test_a_file_name_that_is_no_text(tmp_path, rules):
    path = os.fsencode(tmp_path) + b"/bad\xff.txt"
    with open(path, "w") as file:
        file.write("INVOICE number 7\nBill to: Ada\nAmount due: 3 EUR")
    result = invoke("run", os.fsdecode(path), "--rules", rules, "--format", "jsonl")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["type"] == "invoice"


def test_folders_globs_and_repetitions_are_expanded_once(inbox, monkeypatch):
    monkeypatch.chdir(inbox.parent)
    everything = ["inbox/a.txt", "inbox/empty.txt", "inbox/deeper/b.md"]
    assert expand(["inbox"]) == everything
    assert expand(["inbox/a.txt", "inbox", str(inbox / "a.txt")]) == everything
    assert expand(["inbox/**/*.md"]) == ["inbox/deeper/b.md"]
    assert expand(["inbox/*"]) == ["inbox/a.txt", "inbox/deeper/b.md", "inbox/empty.txt"]
    assert expand(["none.txt", "*.pdf"]) == ["none.txt", "*.pdf"]


def test_a_file_whose_name_looks_like_a_glob(tmp_path):
    path = tmp_path / "scan[1].txt"
    path.touch()
    assert expand([str(path)]) == [str(path)]


def environment(**extra):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LLAMA_")}
    return kept | extra


@pytest.fixture
def served():
    """``llamaclassify serve`` on a free port; gives the process and its URL."""
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", "0"], stdout=subprocess.PIPE, text=True, env=environment()
    ) as process:
        url = re.search(r"http://\S+?(?=;)", process.stdout.readline())[0]
        yield process, url
        if process.poll() is None:
            process.terminate()


@pytest.mark.parametrize(("key", "status"), [("llx-any", 3), ("wrong", 4)])
def test_the_cloud_is_whatever_server_the_environment_names(served, inbox, rules, monkeypatch, key, status):
    _, url = served
    monkeypatch.setenv("LLAMA_CLOUD_BASE_URL", url)
    monkeypatch.setenv("LLAMA_CLOUD_API_KEY", key)
    result = invoke("run", inbox, "--rules", rules, "--cloud", "--format", "jsonl")
    assert result.exit_code == status
    assert "classifying on this machine" not in result.stderr


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_serve_ends_cleanly(served, end):
    process, _ = served
    process.send_signal(end)
    assert process.wait(10) == 0


def test_a_port_that_is_taken(served):
    _, url = served
    result = invoke("serve", "--port", url.rpartition(":")[2])
    assert (result.exit_code, "cannot listen" in result.stderr) == (1, True)


def test_a_data_folder_that_is_in_use_is_one_line(tmp_path):
    command = [*COMMAND, "serve", "--port", "0", "--data", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        process.stdout.readline()
        result = invoke("serve", "--port", "0", "--data", tmp_path, "--keep", "7d")
        process.terminate()
    assert (result.exit_code, result.stderr) == (1, f"Error: {tmp_path} is in use by another server\n")


@pytest.mark.parametrize("keep", ["7", "d", "0d", "7 days", "-1d"])
def test_a_time_to_keep_that_is_none(keep):
    result = invoke("serve", "--keep", keep)
    assert (result.exit_code, "give one such as 7d" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "warned"),
    [
        (["--host", "192.0.2.7"], True),
        (["--host", "192.0.2.7", "--api-key", "secret"], False),
        (["--host", "localhost"], False),
        (["--host", "127.0.0.2"], False),
    ],
)
def test_a_server_that_others_can_reach_is_warned_of(tmp_path, arguments, warned):
    (tmp_path / "file").touch()  # no folder to keep data in, so that nothing is served
    result = invoke("serve", "--data", tmp_path / "file" / "data", *arguments)
    assert result.exit_code == 1
    assert ("Warning: whoever can reach 192.0.2.7" in result.stderr) == warned
    assert "secret" not in result.output


def children_of(pid):
    pids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in pids]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes through /proc")
@pytest.mark.parametrize(("end", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_prints_what_is_finished_and_leaves_nothing(tmp_path, rules, end, status):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(3000):
        (folder / f"{number:04}.txt").write_text(f"INVOICE number {number}\nBill to: Ada\nAmount due: 3 EUR")
    command = [*COMMAND, "run", str(folder), "--rules", str(rules), "--format", "jsonl", "--local"]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(TMPDIR=str(scratch)),
    ) as process:
        first = process.stdout.readline()
        workers = children_of(process.pid)
        assert workers
        process.send_signal(end)
        rest, told = rest_of(process)
        assert process.returncode == status
    records = [json.loads(line) for line in [first, *rest.splitlines()]]
    assert 0 < len(records) < 3000
    assert all(record["status"] == "COMPLETED" for record in records)
    assert "Traceback" not in told
    deadline = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    assert not list(scratch.iterdir())


def test_the_sample_documents_are_classified_as_the_readme_says():
    result = invoke("run", EXAMPLES / "documents", "--rules", EXAMPLES / "rules.yaml", "--format", "jsonl")
    assert result.exit_code == 0
    with (EXAMPLES / "expected.csv").open() as file:
        expected = {row["document"]: row["type"] or None for row in csv.DictReader(file)}
    found = {Path(r["document"]).name: r["type"] for r in map(json.loads, result.stdout.splitlines())}
    wrong = {name: found[name] for name in expected if found[name] != expected[name]}
    assert len(expected) == 17
    assert len(wrong) <= 1, wrong


def test_help_and_version():
    assert "run" in invoke("--help").stdout
    assert re.fullmatch(r"llamaclassify, version \d+\.\d+\.\d+\n", invoke("--version").stdout)


def test_a_second_run_with_a_journal_says_the_same_and_classifies_nothing(inbox, rules, monkeypatch):
    journal = inbox / "run.journal"
    command = ("run", inbox, "--rules", rules, "--format", "jsonl", "--journal", journal)
    first = invoke(*command)
    (inbox / "deeper" / "b.md").rename(inbox / "deeper" / "renamed.md")
    second = invoke(*command)
    lines = [
        sorted(json.loads(line)["job_id"] or "" for line in run.stdout.splitlines())
        for run in (first, second)
    ]
    assert lines[0] == lines[1]
    assert len(lines[0]) == 3
    # The journal lies in the folder, and is no document.
    assert "3 documents" in second.stderr


def test_a_journal_that_cannot_be_used_is_bad_usage(inbox, rules):
    result = invoke("run", inbox, "--rules", rules, "--journal", rules)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "is no journal; give another file" in result.stderr
    result = invoke("run", inbox, "--rules", rules, "--retry-failed")
    assert result.exit_code == 2
    assert "--journal" in result.stderr
