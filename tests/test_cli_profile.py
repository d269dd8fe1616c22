"""The profile: what it sets, what goes before it, what it must not hold."""

import json

import pytest

from llamaclassify.cli.profile import profile_path

from .commands import invoke

RULES = "rules: [{type: invoice, description: contains an invoice number and a total amount}]"


@pytest.fixture
def profile(tmp_path, monkeypatch):
    path = tmp_path / "profile.toml"
    monkeypatch.setenv("LLAMACLASSIFY_PROFILE", str(path))
    return path


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "rules.yaml"
    path.write_text(RULES)
    return path


def test_a_flag_goes_before_the_environment_and_that_before_the_profile(
    classify_server, profile, rules, monkeypatch
):
    monkeypatch.setenv("LLAMA_CLOUD_API_KEY", classify_server.api_key)
    text = (
        f'base-url = "{classify_server.url}"\nformat = "jsonl"\n[run]\nrules = "{rules}"\nconcurrency = 2\n'
    )
    profile.write_text(text)
    assert json.loads(invoke("run", rules).stdout)["type"] is None
    assert isinstance(json.loads(invoke("run", rules, "--format", "json").stdout), list)
    monkeypatch.setenv("LLAMA_CLOUD_BASE_URL", "http://127.0.0.1:9")
    assert invoke("classify", "list").exit_code == 1
    assert invoke("classify", "list", "--base-url", classify_server.url).exit_code == 0


def test_what_is_said_of_one_command_of_a_group(classify_server, profile, monkeypatch):
    monkeypatch.setenv("LLAMA_CLOUD_API_KEY", classify_server.api_key)
    monkeypatch.setenv("LLAMA_CLOUD_BASE_URL", classify_server.url)
    profile.write_text('[files]\nformat = "yaml"\n[files.list]\nformat = "json"\n')
    assert json.loads(invoke("files", "list").stdout)["items"] == []
    assert json.loads(invoke("classify", "list").stdout)["items"] == []
    profile.write_text('[files]\nformat = "yaml"\n')
    assert "items: []" in invoke("files", "list").stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("=", "does not parse as TOML"),
        ('ruels = "r.yaml"', "ruels: is nothing that can be set; did you mean rules?"),
        ("concurrent = 3\nforce = true", "concurrent: is nothing that can be set; did you mean concurrency?"),
        ("[rum]\nconcurrency = 3", "rum: is nothing that can be set; did you mean run?"),
        ('[run]\nruels = "r.yaml"', "run.ruels: is nothing that can be set; did you mean rules?"),
        ("[classify.list]\npage-sise = 3", "classify.list.page-sise: is nothing that can be set"),
        ('api-key = "llx-1"', "the key belongs in LLAMA_CLOUD_API_KEY"),
        ('[classify.list]\napi-key = "llx-1"', "the key belongs in LLAMA_CLOUD_API_KEY"),
        ("run = 3\nclassify = 4", "run: is a command; its flags go into a table, [run]"),
        ("[run]\nconcurrency = 0\n[classify.list]\npage-size = 0", "concurrency"),
    ],
)
def test_a_profile_that_cannot_be_used_is_named(profile, rules, text, message):
    profile.write_text(text)
    results = [invoke("run", rules, "--rules", rules), invoke("classify", "list", "--api-key", "llx-2")]
    told = "".join(result.stderr for result in results if result.exit_code == 2)
    assert message in told
    assert str(profile) in told or "concurrency" in message
    assert "llx-1" not in told


def test_both_names_of_a_switch(profile, rules):
    profile.write_text("[run]\ncloud = true\n")
    assert "--cloud needs a key" in invoke("run", rules, "--rules", rules).stderr
    profile.write_text("[run]\nlocal = false\n")
    assert invoke("run", rules, "--rules", rules).exit_code == 4


def test_what_some_other_command_has_may_stand_at_the_top(profile):
    profile.write_text('worst = 3\nkeep = "7d"\n[serve]\nport = 8080\n')
    assert invoke("doctor", "--local").exit_code == 0


def test_a_profile_that_is_named_and_not_there(profile):
    result = invoke("doctor", "--local")
    assert (result.exit_code, "profile.toml: No such file" in result.stderr) == (2, True)


def test_a_doctor_says_which_one_is_read(profile):
    profile.touch()
    assert f"profile  {profile}" in " ".join(invoke("doctor", "--local").stdout.splitlines())


def test_without_one_nothing_changes(monkeypatch, tmp_path):
    monkeypatch.delenv("LLAMACLASSIFY_PROFILE")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert invoke("doctor", "--local").exit_code == 0
    assert profile_path().name == "profile.toml"
