"""JSON to models and back, and what is refused before it is sent."""

import pickle

import pytest
from attrs import evolve
from hypothesis import given, strategies as st

from llamaclassify import (
    APIStatusError,
    ConfigurationError,
    Job,
    JobStatus,
    JobTimeoutError,
    LlamaClassifyError,
    NotFoundError,
    PollPolicy,
    ResponseDecodeError,
    Result,
    RetryPolicy,
)
from llamaclassify.wire.checks import configuration_issues, create_issues, identifier, page_ranges
from llamaclassify.wire.converter import decode, encode, encode_request
from llamaclassify.wire.pagination import Page

WIRE_JOB = {
    "id": "clj-1",
    "file_input": "dfl-1",
    "document_input_type": "file_id",
    "project_id": "p",
    "user_id": "u",
    "status": "COMPLETED",
    "configuration": {
        "rules": [{"type": "invoice", "description": "contains an invoice number"}],
        "mode": "FAST",
        "parsing_configuration": {"lang": "en", "max_pages": 10, "target_pages": "1,3,5-7"},
    },
    "configuration_id": None,
    "transaction_id": "order-1",
    "parse_job_id": None,
    "result": {"type": "invoice", "confidence": 0.95, "reasoning": "Number and items."},
    "error_message": None,
    "created_at": "2026-10-14T09:00:00Z",
    "updated_at": "2026-10-14T09:00:07.117Z",
    "usage": None,
}
GOOD_RULE = {"type": "invoice", "description": "contains an invoice number"}


def job(**changes: object) -> Job:
    return decode(Job, WIRE_JOB | changes, request="GET")


def test_a_job_comes_back_as_the_json_it_was():
    assert encode(job()) == WIRE_JOB


def test_the_older_name_of_the_input_is_read():
    old = {key: value for key, value in WIRE_JOB.items() if key != "file_input"}
    assert decode(Job, old | {"document_input_value": "dfl-9"}, request="GET").file_input == "dfl-9"


def test_null_and_absent_are_the_same_and_unknown_keys_are_ignored():
    small = decode(Job, {"id": "a", "status": "PENDING"}, request="GET")
    assert small == decode(Job, {"id": "a", "status": "PENDING", "result": None, "new": 1}, request="GET")


def test_an_unknown_status_is_kept_and_is_not_terminal():
    seen = job(status="PAUSED")
    assert seen.status == "PAUSED"
    assert not isinstance(seen.status, JobStatus)
    assert not seen.is_terminal


def test_a_status_equals_its_string():
    assert job().status == "COMPLETED"
    assert job().status is JobStatus.COMPLETED


def test_no_match_is_a_result_whose_type_is_none():
    assert job(result={"type": None, "confidence": 1, "reasoning": ""}).result == Result(
        type=None, confidence=1.0, reasoning=""
    )


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"id": None}, "$.id"),
        ({"id": 5}, "$.id"),
        ({"result": {"confidence": "0.7"}}, "$.result.confidence"),
        ({"result": {"confidence": True}}, "$.result.confidence"),
        ({"configuration": {"rules": [{"type": None, "description": "d"}]}}, "$.configuration.rules[0].type"),
        ({"created_at": "yesterday"}, "$.created_at"),
    ],
)
def test_an_answer_of_the_wrong_shape_says_where(changes, path):
    with pytest.raises(ResponseDecodeError) as caught:
        job(**changes)
    assert caught.value.path == path


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(WIRE_JOB)), json_values)
def test_any_json_in_any_field_gives_a_job_or_our_error(key, value):
    try:
        decode(Page[Job], {"items": [WIRE_JOB | {key: value}]}, request="GET")
    except ResponseDecodeError as error:
        assert error.path.startswith("$")


def test_a_request_holds_no_null():
    assert encode_request({"a": None, "b": [{"c": None, "d": 1}]}) == {"b": [{"d": 1}]}


@pytest.mark.parametrize(
    ("configuration", "where"),
    [
        ({}, "rules"),
        ({"rules": []}, "rules"),
        ({"rules": [GOOD_RULE, 7]}, "rules[1]"),
        ({"rules": [GOOD_RULE | {"type": "x" * 51}]}, "rules[0].type"),
        ({"rules": [GOOD_RULE | {"type": " "}]}, "rules[0].type"),
        ({"rules": [GOOD_RULE | {"type": "a/b"}]}, "rules[0].type"),
        ({"rules": [GOOD_RULE | {"type": 5}]}, "rules[0].type"),
        ({"rules": [GOOD_RULE | {"description": "too short"}]}, "rules[0].description"),
        ({"rules": [GOOD_RULE | {"description": "x" * 2001}]}, "rules[0].description"),
        ({"rules": [GOOD_RULE, GOOD_RULE]}, "rules"),
        ({"rules": [GOOD_RULE], "mode": "SLOW"}, "mode"),
        (
            {"rules": [GOOD_RULE], "parsing_configuration": {"max_pages": 0}},
            "parsing_configuration.max_pages",
        ),
        (
            {"rules": [GOOD_RULE], "parsing_configuration": {"target_pages": "0"}},
            "parsing_configuration.target_pages",
        ),
    ],
)
def test_a_configuration_that_cannot_be_right_names_the_field(configuration, where):
    assert [issue.where for issue in configuration_issues(configuration)] == [where]


def test_a_configuration_at_the_bounds_is_right():
    rule = {"type": "Bill_of lading-2", "description": "x" * 2000}
    pages = {"lang": "de", "max_pages": 1, "target_pages": "1, 3,5-7"}
    assert not list(configuration_issues({"rules": [rule], "mode": "FAST", "parsing_configuration": pages}))


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"configuration_id": "cfg-1"}, "file_input"),
        ({"file_input": "x" * 201, "configuration_id": "cfg-1"}, "file_input"),
        ({"file_input": "dfl-1"}, "configuration"),
        (
            {"file_input": "dfl-1", "configuration": {"rules": [GOOD_RULE]}, "configuration_id": "c"},
            "configuration_id",
        ),
        ({"file_input": "dfl-1", "configuration_id": "c", "transaction_id": "x" * 256}, "transaction_id"),
    ],
)
def test_a_create_that_cannot_be_right_names_the_field(body, where):
    assert [issue.where for issue in create_issues(body)] == [where]


def test_pages_and_ranges():
    assert page_ranges("1, 3,5-7") == (range(1, 2), range(3, 4), range(5, 8))


@pytest.mark.parametrize("pages", ["", "0", "3-1", "1,,2", "a", "-3", 3, "1-"])
def test_what_is_no_list_of_pages_is_refused(pages):
    with pytest.raises(ValueError, match="must list pages from 1 on"):
        page_ranges(pages)


@pytest.mark.parametrize("value", ["", " ", ".", "..", None, 5])
def test_an_id_that_would_name_another_path_is_refused(value):
    with pytest.raises(ConfigurationError, match="job_id"):
        identifier("job_id", value)


def test_an_id_is_percent_encoded():
    assert identifier("job_id", "a/b?c") == "a%2Fb%3Fc"


@pytest.mark.parametrize(
    "make",
    [
        lambda: PollPolicy(initial=0),
        lambda: PollPolicy(timeout=float("nan")),
        lambda: PollPolicy(multiplier=0.5),
        lambda: RetryPolicy(attempts=0),
        lambda: RetryPolicy(initial="1"),
    ],
)
def test_a_policy_that_cannot_be_right_names_its_field(make):
    with pytest.raises(ConfigurationError, match=r"Policy\.\w+: "):
        make()


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (402, "PaymentRequiredError"),
        (403, "PermissionDeniedError"),
        (404, "NotFoundError"),
        (409, "ConflictError"),
        (413, "PayloadTooLargeError"),
        (418, "APIStatusError"),
        (422, "UnprocessableEntityError"),
        (429, "RateLimitError"),
        (503, "InternalServerError"),
    ],
)
def test_each_status_has_its_error(status, name):
    error = APIStatusError.of("GET /x", status, {"detail": "why"})
    assert type(error).__name__ == name
    assert (error.status, error.detail) == (status, "why")
    assert str(error) == f"GET /x: {status} why"


def test_the_detail_of_a_validation_error_names_the_fields():
    body = {"detail": [{"loc": ["body", "rules"], "msg": "is missing", "type": "missing"}, "odd"]}
    assert APIStatusError.of("POST /x", 422, body).detail == "body.rules: is missing; odd"


def test_errors_survive_pickling():
    seen = job(status="RUNNING")
    timeout = JobTimeoutError("late", job=seen, job_id="clj-1")
    timeout.attempts = (NotFoundError("GET /x", 404, "gone"),)
    again = pickle.loads(pickle.dumps(timeout))  # noqa: S301  (our own bytes)
    assert isinstance(again, TimeoutError)
    assert (again.job, again.job_id, str(again)) == (seen, "clj-1", "late")
    assert again.attempts[0].status == 404
    assert pickle.loads(pickle.dumps(evolve(seen))) == seen  # noqa: S301
    assert issubclass(JobTimeoutError, LlamaClassifyError)
