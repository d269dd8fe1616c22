"""The endpoint groups of the command line, over the embedded server."""

import asyncio
import json
import re
import subprocess
import sys
import threading
from pathlib import Path

import aiohttp
import pytest
import yaml
from click.testing import CliRunner

from llamaclassify import APIStatusError, JobStatus
from llamaclassify.cli.classify import _STATUSES
from llamaclassify.cli.exits import status_of
from llamaclassify.cli.main import commands
from llamaclassify.server import LocalServer

from .conftest import scripted

KEY = "llx-very-secret-key"
RULES = """
rules:
  - type: invoice
    description: contains an invoice number and a total amount
  - type: receipt
    description: shows a payment that has been made
"""
RULE = {"type": "invoice", "description": "contains an invoice number and a total amount"}
GROUPS = {
    "classify": {"create", "list", "get", "cancel", "delete", "wait"},
    "classifier:jobs": {"create", "list", "get", "get-results"},
    "files": {"create", "list", "get", "retrieve", "delete", "content", "query"},
    "configurations": {"create", "get", "retrieve", "list", "update", "delete"},
}
EVERY = [(group, name) for group, names in GROUPS.items() for name in sorted(names)]


async def script(path, name, configuration):
    if name.startswith("slow"):
        await asyncio.sleep(60)
    return await scripted(path, name, configuration)


@pytest.fixture
def server(monkeypatch):
    """A server in a thread of its own, which the environment names."""
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    started = threading.Event()
    running = LocalServer(classify=script, workers=4)

    async def serve():
        async with running:
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=[serve()])
    thread.start()
    assert started.wait(10)
    monkeypatch.setenv("LLAMA_CLOUD_BASE_URL", running.url)
    monkeypatch.setenv("LLAMA_CLOUD_API_KEY", KEY)
    yield running
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    return path


def run(*arguments, stdin=None):
    result = CliRunner().invoke(commands, [str(argument) for argument in arguments], input=stdin)
    assert "Traceback" not in result.output
    return result


def ok(*arguments, stdin=None):
    """The JSON that a command prints."""
    result = run(*arguments, stdin=stdin)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refused(*arguments, status, stdin=None):
    """The one line that a command which ends with that status says."""
    result = run(*arguments, stdin=stdin)
    assert result.exit_code == status, result.output
    return result.stderr.rstrip("\n").rpartition("\n")[2]


@pytest.fixture
def upload(server, tmp_path):
    def upload(name="invoice-1.txt", *flags):
        path = tmp_path / name
        path.write_text(f"the text of {name}")
        return ok("files", "create", path, *flags)["id"]

    return upload


@pytest.fixture
def job(upload, rules):
    """A job that has completed."""
    made = ok("classify", "create", "--file-input", upload(), "--configuration", f"@{rules}")
    return ok("classify", "wait", made["id"])


# classify


def test_a_job_from_its_upload_to_its_removal(upload, rules):
    file_id = upload()
    made = ok(
        *("classify", "create", "--file-input", file_id),
        *("--configuration", f"@{rules}", "--transaction-id", "t-1"),
    )
    assert (made["file_input"], made["transaction_id"]) == (file_id, "t-1")
    waited = ok("classify", "wait", "--job-id", made["id"], "--timeout", 10)
    assert waited["result"] == {"type": "invoice", "confidence": 0.9, "reasoning": "invoice-1.txt: 25 bytes"}
    assert ok("classify", "get", made["id"]) == waited
    assert ok("classify", "get", "--classify-job-id", made["id"]) == waited
    assert "credits" in ok("classify", "get", "--job-id", made["id"], "--expand", "usage")["usage"]
    deleted = ok("classify", "delete", "--job-id", made["id"])
    assert deleted == {"id": made["id"], "project_id": made["project_id"]}
    assert "404 Classify job not found" in refused("classify", "get", made["id"], status=1)


async def saved_webhook(server):
    """The id of a webhook configuration that the server keeps."""
    body = {"webhook_url": "http://localhost:9/saved"}
    async with (
        aiohttp.ClientSession(server.url, headers={"Authorization": f"Bearer {KEY}"}) as http,
        http.post("/api/v1/beta/webhook-configs", json=body) as answer,
    ):
        return (await answer.json())["id"]


@pytest.mark.parametrize("deprecated", ["--file-id", "--file-input"])
def test_a_create_by_dotted_flags(server, upload, deprecated):
    saved = [asyncio.run(saved_webhook(server)) for _ in range(2)]
    second = {"type": "receipt", "description": "shows a payment that has been made"}
    result = run(
        *("classify", "create", deprecated, upload()),
        *("--configuration.rules", f"[{json.dumps(RULE)}]", "--configuration.rules", yaml.safe_dump(second)),
        *("--configuration.mode", "FAST"),
        *("--configuration.parsing-configuration", "{lang: de, target_pages: '1-2'}"),
        *(
            "--webhook-configuration",
            "{webhook_url: 'http://localhost:9/a', webhook_events: [classify.error]}",
        ),
        *("--webhook-configuration.webhook-output-format", "json"),
        *("--webhook-configuration.webhook-headers", "{X-A: b}"),
        *("--webhook-configuration-id", saved[0], "--webhook-configuration-id", saved[1]),
        "--debug",
    )
    assert result.exit_code == 0, result.output
    made = json.loads(result.stdout)
    assert made["configuration"] == {
        "rules": [RULE, second],
        "mode": "FAST",
        "parsing_configuration": {"lang": "de", "max_pages": None, "target_pages": "1-2"},
    }
    sent = json.loads(re.search(r"POST /api/v2/classify \[.*?\] (.*)", result.stderr)[1])
    assert sent["webhook_configurations"] == [
        {
            "webhook_url": "http://localhost:9/a",
            "webhook_events": ["classify.error"],
            "webhook_headers": "***",
            "webhook_output_format": "json",
        }
    ]
    assert sent["webhook_configuration_ids"] == saved
    assert "deprecated" not in result.stderr.lower()


def test_a_body_lies_under_the_flags(upload, tmp_path):
    body = {"file_input": upload(), "transaction_id": "body", "configuration": {"rules": [RULE]}}
    more = ("--transaction-id", "flag", "--configuration.parsing-configuration", "{lang: fr}")
    made = ok("classify", "create", "--body", "-", *more, stdin=yaml.safe_dump(body))
    assert (made["file_input"], made["transaction_id"]) == (body["file_input"], "flag")
    assert made["configuration"]["rules"] == [RULE]
    assert made["configuration"]["parsing_configuration"]["lang"] == "fr"
    path = tmp_path / "body.json"
    path.write_text(json.dumps(body, indent="\t"))
    assert ok("classify", "create", "--body", path)["transaction_id"] == "body"


def test_values_from_files(upload, tmp_path, rules):
    secret = tmp_path / "secret"
    secret.write_text("hush\n")
    (tmp_path / "rules.toml").write_text(
        '[[rules]]\ntype = "invoice"\ndescription = "contains an invoice number"\n'
    )
    for configuration in (f"@{rules}", f"@file://{rules}", f"@{tmp_path}/rules.toml"):
        made = ok(
            *("classify", "create", "--file-input", upload(), "--configuration", configuration),
            *("--transaction-id", f"@{secret}" if "toml" in configuration else r"\@" + configuration),
        )
        assert made["configuration"]["rules"][0]["type"] == "invoice"
    assert made["transaction_id"] == "hush"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--configuration", "[1]"], "expected an object"),
        (["--configuration", "{a: ["], "does not parse as YAML or JSON"),
        (["--configuration", "@none.yaml"], "none.yaml: No such file"),
        (["--configuration", "{rules: 2026-01-01}"], "Object of type date"),
        (["--configuration", "{}"], "configuration.rules: give at least one rule"),
        (["--configuration.rules", "{type: a, description: short}"], "rules[0].description: must have 10 to"),
        (
            ["--configuration.rules", "{type: a, description: long enough, b: 1}"],
            "rules[0].b: is no key here",
        ),
        (["--configuration.rules", json.dumps(RULE), "--configuration.mode", "SLOW"], 'must be "FAST"'),
        (["--configuration.rules", json.dumps(RULE), "--configuration-id", "cfg-1"], "not both"),
        (["--configuration-id", "c", "--webhook-configuration", "{a: 1}"], "a: is no key of a webhook"),
        (
            ["--configuration-id", "c", "--webhook-configuration", "{webhook_output_format: json}"],
            "webhook_configurations[0].webhook_url: required field missing",
        ),
        (["--configuration-id", "c", "--file-id", "dfl-2"], "file_input: give one input, got 2"),
        (["--body", "nothing.yaml"], "No such file"),
        (["--body", "-"], "--body: expected an object"),
    ],
)
def test_a_create_that_cannot_be_right(server, flags, message):
    assert message in refused("classify", "create", "--file-input", "dfl-1", *flags, status=2)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("file_inptu: a", "file_inptu: is no key here"),
        ("webhook_configuration_ids: a", "webhook_configuration_ids: expected a list"),
        ("[", "--body: does not parse"),
        ("configuration: 5", "configuration: expected an object"),
    ],
)
def test_a_body_that_cannot_be_right(server, body, message):
    assert message in refused("classify", "create", "--body", "-", status=2, stdin=body)


def test_a_long_description_is_warned_of_in_one_line(upload):
    rule = json.dumps(RULE | {"description": "x" * 600})
    result = run("classify", "create", "--file-input", upload(), "--configuration.rules", rule)
    assert result.exit_code == 0
    assert re.fullmatch(r"Warning: rules\[0\]\.description has 600 characters.*\n", result.stderr)


def test_jobs_that_do_not_complete(upload, rules):
    def made(name):
        flags = ("--file-input", upload(name), "--configuration", f"@{rules}")
        return ok("classify", "create", *flags)["id"]

    broken, slow = made("broken.pdf"), made("slow.txt")
    failed = run("classify", "wait", broken)
    assert (failed.exit_code, json.loads(failed.stdout)["status"]) == (3, "FAILED")
    assert "PDF_IS_BROKEN" in failed.stderr
    late = run("classify", "wait", slow, "--timeout", "0.1")
    assert (late.exit_code, json.loads(late.stdout)["id"]) == (6, slow)
    assert late.stderr.count("\n") == 1
    assert "409" in refused("classify", "delete", slow, status=1)
    assert ok("classify", "cancel", slow)["status"] == "CANCELLED"
    cancelled = run("classify", "wait", slow, "--format", "table")
    assert (cancelled.exit_code, "CANCELLED" in cancelled.stdout) == (3, True)
    assert "409" in refused("classify", "cancel", slow, status=1)


def test_listing_jobs(upload, rules):
    file_id = upload()
    saved = ok("configurations", "create", "--name", "n", "--parameters", f"@{rules}")["id"]
    inline = [
        ok("classify", "create", "--file-input", file_id, "--configuration", f"@{rules}")["id"]
        for _ in range(4)
    ]
    named = ok("classify", "create", "--file-input", file_id, "--configuration-id", saved)["id"]
    everything = [named, *reversed(inline)]

    def ids(*flags):
        return [job["id"] for job in ok("classify", "list", *flags)["items"]]

    assert ids() == ids("--page-size", 2) == ids("--max-items", -1) == everything
    assert ids("--configuration-id", saved) == [named]
    assert set(ids("--job-id", inline[0], "--job-id", named)) == {inline[0], named}
    assert ids("--created-at-on-or-after", "2020-01-01") == everything
    assert ids("--created-at-on-or-before", "2020-01-01T00:00:00+02:00") == []
    for job_id in everything:
        ok("classify", "wait", job_id)
    assert ids("--status", "completed") == everything
    assert ids("--status", "FAILED") == []


def test_a_listing_that_stops_goes_on_exactly_there(upload):
    files = [upload(f"invoice-{n}.txt") for n in range(7)][::-1]
    assert ok("files", "list")["next_page_token"] is None
    for size in ([], ["--page-size", 2], ["--page-size", 1000]):
        first = ok("files", "list", "--max-items", 3, *size)
        rest = ok("files", "list", "--page-token", first["next_page_token"], *size)
        assert [file["id"] for file in first["items"]] == files[:3]
        assert [file["id"] for file in rest["items"]] == files[3:]
        assert rest["next_page_token"] is None
    assert ok("files", "list", "--max-items", 7)["next_page_token"] is None
    assert "--max-items" in refused("files", "list", "--max-items", 0, status=2)


def test_a_listing_that_would_never_end(mocked, monkeypatch):
    monkeypatch.setenv("LLAMA_CLOUD_API_KEY", KEY)
    page = {"items": [], "next_page_token": "again"}
    mocked.get(re.compile(r"https://api\.cloud\.llamaindex\.ai/api/v2/classify.*"), payload=page, repeat=True)
    assert "came twice" in refused("classify", "list", status=1)


def test_formats(job):
    assert yaml.safe_load(run("classify", "get", job["id"], "--format", "yaml").stdout) == job
    assert json.loads(run("classify", "get", job["id"], "--format", "jsonl").stdout) == job
    assert run("classify", "get", job["id"]).stdout == json.dumps(job, indent=2) + "\n"
    lines = run("classify", "list", "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line) for line in lines] == [job]
    page = {"items": [job], "next_page_token": None, "total_size": None}
    assert yaml.safe_load(run("classify", "list", "--format", "yaml").stdout) == page
    header, row = run("classify", "list", "--format", "table").stdout.splitlines()
    assert header.split() == ["id", "status", "type", "conf.", "created"]
    date, _, moment = job["created_at"].partition("T")
    assert row.split() == [job["id"], "COMPLETED", "invoice", "0.90", date, moment[:8] + "Z"]
    nothing = run("classify", "list", "--status", "FAILED", "--format", "table")
    assert (nothing.exit_code, nothing.stdout, nothing.stderr) == (0, "", "nothing found\n")


def test_a_document_that_fits_no_rule_in_a_table(upload, rules):
    made = ok("classify", "create", "--file-input", upload("other.txt"), "--configuration", f"@{rules}")
    assert "(no rule fits)" in run("classify", "wait", made["id"], "--format", "table").stdout


def test_names_that_the_terminal_cannot_show(upload):
    upload("\N{SNOWMAN}.txt")
    result = CliRunner(charset="ascii").invoke(commands, ["files", "list", "--format", "jsonl"])
    assert json.loads(result.stdout)["name"] == "\N{SNOWMAN}.txt"


def test_a_job_is_named_once(server):
    assert "got none" in refused("classify", "get", status=2)
    assert "got two" in refused("classify", "get", "a", "--job-id", "b", status=2)


def test_every_status_can_be_asked_for():
    assert tuple(JobStatus) == _STATUSES


# The v1 jobs

PREFIX = "Note: classifier:jobs is deprecated; use classify\n"


def finished(job_id):
    """Wait for a v1 job: the command line does not."""
    for _ in range(200):
        job = ok("classifier:jobs", "get", job_id)
        if job["status"] != "PENDING":
            return job
    raise AssertionError(job)


def test_v1_jobs(upload):
    one, two = upload("invoice-1.txt"), upload("broken.pdf")
    result = run(
        *("classifier:jobs", "create", "--file-id", one, "--file-id", two),
        *("--rule", json.dumps(RULE)),
        *("--mode", "FAST", "--parsing-configuration.lang", "ch_sim"),
        *("--parsing-configuration.target-pages", "[0, 2]", "--parsing-configuration.target-pages", "4"),
    )
    assert (result.exit_code, result.stderr) == (0, PREFIX)
    made = json.loads(result.stdout)
    assert made["rules"] == [RULE]
    assert made["parsing_configuration"] == {"lang": "ch_sim", "max_pages": None, "target_pages": [0, 2, 4]}
    ended = finished(made["id"])
    assert ended["status"] == "PARTIAL_SUCCESS"
    assert ok("classifier:jobs", "list") == {"items": [ended], "next_page_token": None, "total_size": None}
    results = run("classifier:jobs", "get-results", "--classify-job-id", made["id"])
    assert (results.exit_code, results.stderr) == (0, PREFIX)
    page = json.loads(results.stdout)
    assert list(page) == ["items", "next_page_token", "total_size"]
    names = ["id", "classify_job_id", "created_at", "file_id", "result", "updated_at"]
    assert [list(item) for item in page["items"]] == [names] * 2
    found = {item["file_id"]: item["result"] for item in page["items"]}
    assert found[two] is None
    assert list(found[one].items()) == [
        ("confidence", 0.9),
        ("reasoning", "invoice-1.txt: 25 bytes"),
        ("type", "invoice"),
    ]
    lines = run("classifier:jobs", "get-results", made["id"], "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line) for line in lines] == page["items"]
    table = run("classifier:jobs", "get-results", "--job-id", made["id"], "--format", "table").stdout
    assert re.search(rf"{one}.*invoice.*0\.90", table)


def test_v1_rules_in_pairs(upload):
    made = ok(
        *("classifier:jobs", "create", "--file-id", upload()),
        *("--rule.type", "a", "--rule.description", "the first of two"),
        *("--rule.type", "b", "--rule.description", "the second of two"),
        *("--parsing-configuration", "{lang: de}", "--parsing-configuration.max-pages", 3),
    )
    assert made["rules"] == [
        {"type": "a", "description": "the first of two"},
        {"type": "b", "description": "the second of two"},
    ]
    assert made["parsing_configuration"] == {"lang": "de", "max_pages": 3, "target_pages": None}


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--rule", json.dumps(RULE)], "file_ids"),
        (["--file-id", "a"], "rules: give at least one rule"),
        (["--file-id", "a", "--rule.type", "b"], "rules[0].description: is missing"),
        (["--file-id", "a", "--rule", json.dumps(RULE), "--mode", "SLOW"], "mode: must be one of"),
        (
            ["--file-id", "a", "--rule", json.dumps(RULE), "--parsing-configuration.lang", "xx"],
            "parsing_configuration.lang: must be one of",
        ),
        (
            ["--file-id", "a", "--rule", json.dumps(RULE), "--parsing-configuration", "{pages: 1}"],
            "parsing_configuration.pages: is no key here",
        ),
    ],
)
def test_a_v1_create_that_cannot_be_right(server, flags, message):
    assert message in refused("classifier:jobs", "create", *flags, status=2)


# files


def test_files(server, tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(range(256)))
    made = ok("files", "create", "--file", path, "--purpose", "parse", "--external-file-id", "mine")
    assert (made["name"], made["purpose"], made["external_file_id"]) == ("a.bin", "parse", "mine")
    assert ok("files", "get", made["id"]) == ok("files", "retrieve", "--file-id", made["id"]) == made
    assert ok("files", "get", made["id"], "--expand", "download_url")["download_url"]["url"]
    content = run("files", "content", made["id"])
    assert (content.exit_code, content.stdout_bytes) == (0, path.read_bytes())
    output = tmp_path / "out.bin"
    assert run("files", "content", "--file-id", made["id"], "--output", output).stdout_bytes == b""
    assert output.read_bytes() == path.read_bytes()
    assert ok("files", "delete", made["id"]) == {"id": made["id"]}
    missing = tmp_path / "missing.bin"
    assert "404" in refused("files", "content", made["id"], "--output", missing, status=1)
    assert not missing.exists()


def test_an_output_that_cannot_be_written(upload, tmp_path):
    flags = ("--output", tmp_path / "no" / "folder")
    assert "No such file" in refused("files", "content", upload(), *flags, status=1)


def test_listing_files(upload):
    a, b = upload("a.txt", "--external-file-id", "mine"), upload("b.txt")

    def ids(*flags):
        return [file["id"] for file in ok("files", *flags)["items"]]

    assert ids("list") == [b, a]
    assert ids("list", "--order-by", "name") == [a, b]
    assert ids("list", "--file-name", "a.txt") == ids("list", "--external-file-id", "mine") == [a]
    assert ids("list", "--file-id", b) == [b]
    assert ids("query") == [b, a]
    assert ids("query", "--filter.file-ids", a, "--filter.file-ids", "dfl-none") == [a]
    assert ids("query", "--filter", "{file_name: b.txt}", "--order-by", "id", "--page-size", 1) == [b]
    assert run("files", "query").stderr == "Note: files query is deprecated; use files list\n"
    assert "filter: name" in refused("files", "query", "--filter", "{name: b}", status=2)
    assert "expected a list" in refused("files", "query", "--filter", "{file_ids: b}", status=2)
    assert "order_by" in refused("files", "list", "--order-by", "size", status=2)
    header, row = run("files", "list", "--file-id", a, "--format", "table").stdout.splitlines()
    assert "name" in header
    assert "a.txt" in row


def test_a_file_that_is_not_there(server):
    assert "no such file" in refused("files", "create", "no.pdf", status=2)


# configurations


def test_configurations(server, rules, tmp_path):
    made = ok("configurations", "create", "--name", "first", "--parameters", f"@{rules}")
    assert (made["name"], made["product_type"]) == ("first", "classify_v2")
    assert made["parameters"]["rules"][0] == RULE
    assert ok("configurations", "get", made["id"]) == made
    assert ok("configurations", "retrieve", "--config-id", made["id"]) == made
    renamed = ok("configurations", "update", made["id"], "--name", "second")
    assert (renamed["name"], renamed["parameters"]) == ("second", made["parameters"])
    parameters = {"product_type": "classify_v2", "rules": [RULE]}
    changed = ok("configurations", "update", made["id"], "--parameters", json.dumps(parameters))
    assert changed["parameters"]["rules"] == [RULE]
    other = ok(
        *("configurations", "create", "--body", "-", "--name", "other"),
        stdin="{name: body, parameters: {product_type: parse_v2, tier: fast}}",
    )
    assert (other["name"], other["parameters"]["tier"]) == ("other", "fast")

    def names(*flags):
        return [saved["name"] for saved in ok("configurations", "list", *flags)["items"]]

    assert names() == names("--name", "second") == names("--latest-only") == ["second"]
    products = ("--product-type", "parse_v2", "--product-type", "classify_v2")
    assert set(names(*products)) == {"second", "other"}
    assert len(names(*products, "--max-items", 1)) == 1
    assert "second" in run("configurations", "list", "--format", "table").stdout
    assert ok("configurations", "delete", made["id"]) == {"id": made["id"]}
    assert "404" in refused("configurations", "get", made["id"], status=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["create", "--name", "a"], "parameters.rules: give at least one rule"),
        (["create", "--parameters", json.dumps({"rules": [RULE]})], "name: must have 1 to 255"),
        (["create", "--name", "a", "--parameters", "{product_type: 5}"], "product_type: must be a text"),
        (
            ["create", "--name", "a", "--parameters", json.dumps({"rules": [RULE], "moed": "FAST"})],
            "parameters.moed: is no key here",
        ),
        (["update", "cfg-1"], "give a name or parameters to change"),
    ],
)
def test_a_configuration_that_cannot_be_right(server, arguments, message):
    assert message in refused("configurations", *arguments, status=2)


# What all have in common


@pytest.mark.parametrize(("group", "name"), EVERY)
def test_help(group, name):
    result = run(group, name, "--help")
    assert result.exit_code == 0
    for option in ("--api-key", "--base-url", "--organization-id", "--project-id", "--format", "--debug"):
        assert option in result.stdout
    assert "[env var: LLAMA_CLOUD_API_KEY]" in result.stdout
    assert name in run(group, "--help").stdout or name == "retrieve"


def test_no_key(monkeypatch):
    assert "LLAMA_CLOUD_API_KEY" in refused("classify", "list", status=4)


@pytest.mark.parametrize("group", ["classify", "classifier:jobs", "files", "configurations"])
def test_a_key_that_is_refused(server, group):
    line = refused(group, "list", "--api-key", "wrong", status=4)
    assert "401" in line
    assert "wrong" not in line


@pytest.mark.parametrize(("answer", "status"), [(402, 5), (403, 4), (404, 1), (422, 1)])
def test_exit_statuses(mocked, monkeypatch, answer, status):
    monkeypatch.setenv("LLAMA_CLOUD_API_KEY", KEY)
    url = "https://api.example.com/api/v2/classify/clj-1?organization_id=o&project_id=p"
    mocked.get(url, status=answer, payload={"detail": "over\ntwo lines"})
    flags = ("--base-url", "https://api.example.com", "--organization-id", "o", "--project-id", "p")
    result = run("classify", "get", "clj-1", *flags)
    assert result.exit_code == status
    assert result.stderr == f"Error: GET /api/v2/classify/clj-1: {answer} over two lines\n"
    assert result.stdout == ""


def test_the_status_of_a_rate_limit():
    assert status_of(APIStatusError.of("GET /", 429, {})) == 5


def test_a_server_that_is_none():
    line = refused("classify", "list", "--api-key", KEY, "--base-url", "nowhere", status=2)
    assert "base_url" in line


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is full")
@pytest.mark.parametrize("command", [("classify", "list"), ("files", "content")])
def test_an_answer_that_cannot_be_written(upload, command):
    file_id = [upload()] if command[0] == "files" else []
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "llamaclassify", *command, *file_id],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode != 0
    assert ended.stderr.startswith("Error: cannot write: No space left on device\n")
    assert "Traceback" not in ended.stderr


def test_projects_are_apart(upload):
    upload()
    assert len(ok("files", "list")["items"]) == 1
    assert ok("files", "list", "--project-id", "11111111-1111-1111-1111-111111111111")["items"] == []


def test_debug_shows_requests_and_answers_but_no_key(server, job):
    result = run("classify", "get", job["id"], "--debug")
    assert json.loads(result.stdout) == job
    assert f"GET /api/v2/classify/{job['id']}" in result.stderr
    assert '"status": "COMPLETED"' in result.stderr
    assert KEY not in result.output
    assert run("classify", "get", job["id"]).stderr == ""
