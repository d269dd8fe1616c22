"""Deliveries: genuine or not, and what they say."""

import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from llamaclassify import JobStatus, ResponseDecodeError, webhooks

EVENT = {
    "event_id": "149744dd",
    "event_type": "classify.success",
    "timestamp": 1753985275.5,
    "data": {"job_id": "clj-1"},
}
BODY = json.dumps(EVENT).encode()
SECRET = "whsec_1"


def signature(body, secret=SECRET):
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_a_signature_by_the_secret_is_genuine():
    assert webhooks.verify(BODY, signature(BODY), SECRET)


@pytest.mark.parametrize(
    ("body", "given", "secret"),
    [
        (BODY + b" ", signature(BODY), SECRET),
        (BODY, signature(BODY, "other"), SECRET),
        (BODY, signature(BODY).removeprefix("sha256="), SECRET),
        (BODY, "sha256=", SECRET),
        (BODY, "sha256=é", SECRET),
        (BODY, None, SECRET),
        (BODY, signature(BODY, ""), ""),
    ],
)
def test_anything_else_is_not(body, given, secret):
    assert not webhooks.verify(body, given, secret)


@pytest.mark.parametrize("body", [BODY, json.dumps(BODY.decode()), json.dumps(BODY.decode()).encode()])
def test_both_formats_give_the_event(body):
    event = webhooks.parse(body, {})
    assert (event.event_id, event.event_type, event.job_id) == ("149744dd", "classify.success", "clj-1")
    assert event.status is JobStatus.COMPLETED
    assert event.timestamp == datetime(2025, 7, 31, 18, 7, 55, 500000, tzinfo=UTC)


def test_the_headers_name_the_event_where_the_body_does_not():
    headers = {"X-Webhook-Event-ID": "e-1", "X-Webhook-Event-Type": "classify.cancelled"}
    event = webhooks.parse(b'{"data": {"id": "clj-2"}}', headers)
    assert (event.event_id, event.status, event.job_id) == ("e-1", JobStatus.CANCELLED, "clj-2")


def test_an_unknown_event_is_kept():
    event = webhooks.parse(json.dumps(EVENT | {"event_type": "classify.paused", "data": None}))
    assert (event.event_type, event.status, event.data, event.job_id) == ("classify.paused", None, {}, None)


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"{}", b"\xff", b'"[]"'])
def test_what_is_no_event_is_our_error(body):
    with pytest.raises(ResponseDecodeError):
        webhooks.parse(body)


@given(st.dictionaries(st.sampled_from([*EVENT, "x"]), st.none() | st.floats() | st.text() | st.integers()))
def test_any_object_gives_an_event_or_our_error(event):
    try:
        webhooks.parse(json.dumps(event))
    except ResponseDecodeError as error:
        assert error.path == "$.event_type"
