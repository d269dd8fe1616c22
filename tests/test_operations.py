"""Every operation of the API's schema, through the client: its path, query, body and decoded answer."""

import json
import re
from collections.abc import Mapping, Set as AbstractSet
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import pytest
from attrs import frozen
from jsonschema import Draft202012Validator

from llamaclassify import (
    ClassifierParsingConfiguration,
    ClassifySession,
    Configuration,
    DeletedJob,
    ParsingConfiguration,
    RetryPolicy,
    WebhookConfiguration,
)

from .conftest import KEY, RULES

URL = "https://api.example"
SCHEMA = json.loads((Path(__file__).parent / "openapi.json").read_text())
SCOPE = {("organization_id", "org-1"), ("project_id", "prj-1")}
RULES_JSON = [{"type": rule.type, "description": rule.description} for rule in RULES]
CONFIGURATION = Configuration(RULES, parsing_configuration=ParsingConfiguration(target_pages="1,3-4"))
CONFIGURATION_JSON = {
    "rules": RULES_JSON,
    "mode": "FAST",
    "parsing_configuration": {"lang": "en", "target_pages": "1,3-4"},
}
WEBHOOK = WebhookConfiguration(
    webhook_url="https://example.com/hook",
    webhook_events=["classify.success"],
    webhook_headers={"X-Mine": "1"},
    webhook_output_format="json",
    webhook_signing_secret="whsec_1",
)
WEBHOOK_JSON = {
    "webhook_url": "https://example.com/hook",
    "webhook_events": ["classify.success"],
    "webhook_headers": {"X-Mine": "1"},
    "webhook_output_format": "json",
    "webhook_signing_secret": "whsec_1",
}
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
V1_PARSING = ClassifierParsingConfiguration(lang="ch_sim", target_pages=[0, 2])
SAVED_JSON = {"product_type": "classify_v2", **CONFIGURATION_JSON}


@frozen
class Operation:
    """One operation: how the client is asked for it, and what it is to send."""

    id: str
    call: object
    parameters: Mapping = MappingProxyType({})
    query: AbstractSet = frozenset()
    body: object = None


def items(pager):
    async def gather():
        return [item async for item in pager]

    return gather()


OPERATIONS = [
    Operation(
        "createClassifyJob",
        lambda s: s.create(
            "dfl-1",
            configuration=CONFIGURATION,
            transaction_id="t-1",
            webhook_configurations=[WEBHOOK],
            webhook_configuration_ids=["whc-1"],
        ),
        body={
            "file_input": "dfl-1",
            "configuration": CONFIGURATION_JSON,
            "transaction_id": "t-1",
            "webhook_configurations": [WEBHOOK_JSON],
            "webhook_configuration_ids": ["whc-1"],
        },
    ),
    Operation(
        "listClassifyJobs",
        lambda s: items(
            s.list(
                status="RUNNING",
                job_ids=["a", "b"],
                configuration_id="cfg-1",
                created_at_on_or_after=MOMENT,
                created_at_on_or_before=MOMENT,
                page_size=10,
                page_token="p-1",
            )
        ),
        query={
            ("status", "RUNNING"),
            ("job_ids", "a"),
            ("job_ids", "b"),
            ("configuration_id", "cfg-1"),
            ("created_at_on_or_after", "2026-01-02T03:04:05Z"),
            ("created_at_on_or_before", "2026-01-02T03:04:05Z"),
            ("page_size", "10"),
            ("page_token", "p-1"),
        },
    ),
    Operation(
        "getClassifyJob",
        lambda s: s.get("clj/1", expand=["usage"]),
        {"job_id": "clj%2F1"},
        {("expand", "usage")},
    ),
    Operation("deleteClassifyJob", lambda s: s.delete("clj-1"), {"job_id": "clj-1"}),
    Operation("cancelClassifyJob", lambda s: s.cancel("clj-1"), {"job_id": "clj-1"}),
    Operation(
        "createClassifierJobV1",
        lambda s: s.classifier_jobs.create(
            ["f-1", "f-2"],
            rules=RULES,
            mode="MULTIMODAL",
            parsing_configuration=V1_PARSING,
            webhook_configurations=[WEBHOOK],
        ),
        body={
            "file_ids": ["f-1", "f-2"],
            "rules": RULES_JSON,
            "mode": "MULTIMODAL",
            "parsing_configuration": {"lang": "ch_sim", "target_pages": [0, 2]},
            "webhook_configurations": [WEBHOOK_JSON],
        },
    ),
    Operation(
        "listClassifierJobsV1",
        lambda s: items(s.classifier_jobs.list(page_size=5, page_token="p-1")),
        query={("page_size", "5"), ("page_token", "p-1")},
    ),
    Operation("getClassifierJobV1", lambda s: s.classifier_jobs.get("j-1"), {"classify_job_id": "j-1"}),
    Operation(
        "getClassifierResultsV1",
        lambda s: s.classifier_jobs.get_results("j-1"),
        {"classify_job_id": "j-1"},
    ),
    Operation("uploadFile", lambda s: s.files.upload(("a.txt", b"x"), external_file_id="mine")),
    Operation(
        "listFiles",
        lambda s: items(
            s.files.list(
                file_ids=["a", "b"],
                file_name="a.pdf",
                external_file_id="mine",
                order_by="name",
                expand=["download_url"],
                page_size=1000,
                page_token="p-1",
            )
        ),
        query={
            ("file_ids", "a"),
            ("file_ids", "b"),
            ("file_name", "a.pdf"),
            ("external_file_id", "mine"),
            ("order_by", "name"),
            ("expand", "download_url"),
            ("page_size", "1000"),
            ("page_token", "p-1"),
        },
    ),
    Operation(
        "queryFiles",
        lambda s: items(s.files.query(file_ids=["a"], file_name="a.pdf", order_by="id", page_size=9)),
        body={"filter": {"file_ids": ["a"], "file_name": "a.pdf"}, "order_by": "id", "page_size": 9},
    ),
    Operation(
        "getFile",
        lambda s: s.files.get("dfl-1", expand=["download_url"]),
        {"file_id": "dfl-1"},
        {("expand", "download_url")},
    ),
    Operation("deleteFile", lambda s: s.files.delete("dfl-1"), {"file_id": "dfl-1"}),
    Operation(
        "getFileContent",
        lambda s: s.files.content_url("dfl-1", expires_at_seconds=60),
        {"file_id": "dfl-1"},
        {("expires_at_seconds", "60")},
    ),
    Operation(
        "createConfiguration",
        lambda s: s.configurations.create("mine", CONFIGURATION),
        body={"name": "mine", "parameters": SAVED_JSON},
    ),
    Operation(
        "listConfigurations",
        lambda s: items(s.configurations.list(name="mine", latest_only=True, page_size=3, page_token="p-1")),
        query={
            ("product_type", "classify_v2"),
            ("name", "mine"),
            ("latest_only", "true"),
            ("page_size", "3"),
            ("page_token", "p-1"),
        },
    ),
    Operation("getConfiguration", lambda s: s.configurations.get("cfg-1"), {"config_id": "cfg-1"}),
    Operation(
        "updateConfiguration",
        lambda s: s.configurations.update("cfg-1", name="new", parameters=CONFIGURATION),
        {"config_id": "cfg-1"},
        body={"name": "new", "parameters": SAVED_JSON},
    ),
    Operation("deleteConfiguration", lambda s: s.configurations.delete("cfg-1"), {"config_id": "cfg-1"}),
]


def declared(operation_id):
    """The method, the path and the description of an operation of the schema."""
    for path, methods in SCHEMA["paths"].items():
        for method, description in methods.items():
            if description.get("operationId") == operation_id:
                return method, path, description
    raise KeyError(operation_id)


def validator(schema):
    return Draft202012Validator({**schema, "components": SCHEMA["components"]})


def answer_of(description):
    """The schema's own example of the 2xx answer: its status and JSON."""
    status, response = next((s, r) for s, r in description["responses"].items() if s.startswith("2"))
    media = response.get("content", {}).get("application/json")
    if media is None:
        return int(status), None
    if "example" in media:
        return int(status), media["example"]
    examples = media.get("examples")
    return int(status), next(iter(examples.values()))["value"] if examples else {"items": []}


def test_the_table_holds_every_operation():
    known = {o["operationId"] for methods in SCHEMA["paths"].values() for o in methods.values()}
    assert [operation.id for operation in OPERATIONS] == list(dict.fromkeys(o.id for o in OPERATIONS))
    assert {operation.id for operation in OPERATIONS} == known


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
async def test_an_operation(mocked, operation):
    method, path, description = declared(operation.id)
    status, example = answer_of(description)
    if example and "next_page_token" in example:
        example = example | {"next_page_token": None}
    mocked.add(re.compile(".*"), method.upper(), status=status, body=json.dumps(example) if example else "")
    once = RetryPolicy(attempts=1)
    async with ClassifySession(
        KEY, base_url=URL, organization_id="org-1", project_id="prj-1", retry=once
    ) as session:
        given = await operation.call(session)

    [((sent_method, url), [call])] = mocked.requests.items()
    assert sent_method == method.upper()
    assert str(url.with_query(None)) == URL + path.format(**operation.parameters)
    assert set(call.kwargs["params"]) == set(operation.query) | SCOPE
    if operation.body is not None:
        sent = json.loads(call.kwargs["data"])
        assert sent == operation.body
        schema = description["requestBody"]["content"]["application/json"]["schema"]
        unlike = [e.message for e in validator(schema).iter_errors(sent) if e.validator != "format"]
        assert unlike == []
    assert_same(given, example)


def assert_same(given, example):
    """What was decoded, written as JSON again, holds all that the example holds."""
    if example is None:
        assert given is None
        return
    if isinstance(given, list):
        given_json = {"items": [item.to_dict() for item in given]}
    elif hasattr(given, "items"):
        given_json = {"items": [item.to_dict() for item in given.items]}
    else:
        given_json = given.to_dict()
    for key, value in example.items():
        if key not in {"next_page_token", "total_size"}:
            assert holds(given_json[key], value), key


def holds(given, example):
    if isinstance(example, dict) and isinstance(given, dict):
        return all(holds(given.get(key), value) for key, value in example.items())
    if isinstance(example, list):
        return len(given) == len(example) and all(map(holds, given, example))
    return given == example or moment(given) == moment(example) is not None


def moment(value):
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None


@pytest.mark.parametrize(
    ("file", "changes"), [("document_input_value", {}), ("file_input", {"status": "CANCELLED"})]
)
async def test_both_spellings_of_the_input(mocked, file, changes):
    job = {
        "id": "id",
        "status": "PENDING",
        file: "the input",
        "configuration": {"rules": RULES_JSON},
    } | changes
    mocked.get(re.compile(".*"), payload=job)
    async with ClassifySession(KEY, base_url=URL) as session:
        assert (await session.get("id")).file_input == "the input"


async def test_scope_of_a_call_goes_over_the_sessions(mocked):
    mocked.delete(re.compile(".*"), payload={"id": "clj-1"})
    async with ClassifySession(KEY, base_url=URL, project_id="prj-1") as session:
        deleted = await session.delete("clj-1", project_id="prj-2", organization_id="org-2")
    assert deleted == DeletedJob(id="clj-1")
    [[call]] = mocked.requests.values()
    assert set(call.kwargs["params"]) == {("project_id", "prj-2"), ("organization_id", "org-2")}


@pytest.mark.parametrize("name", ["file_id", "parse_job_id"])
async def test_the_deprecated_names_of_the_input_warn(mocked, name):
    mocked.post(re.compile(".*"), payload={"id": "clj-1", "status": "PENDING"})
    async with ClassifySession(KEY, base_url=URL) as session:
        with pytest.warns(DeprecationWarning, match=f"{name} is deprecated: use file_input"):
            await session.create(rules=RULES, **{name: "dfl-1"})
    [[call]] = mocked.requests.values()
    assert json.loads(call.kwargs["data"])["file_input"] == "dfl-1"


async def test_the_v1_jobs_warn_once():
    session = ClassifySession(KEY)
    with pytest.warns(DeprecationWarning, match="v1 classifier jobs are deprecated") as caught:
        assert session.classifier_jobs is session.classifier_jobs
    assert [Path(warning.filename).name for warning in caught] == [Path(__file__).name]
