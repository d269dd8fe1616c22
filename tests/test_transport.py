"""One request: its shape, its retries, its errors, its secrets."""

import json
import logging
import re
import traceback
import warnings
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import aiohttp
import pytest

from llamaclassify import (
    APIConnectionError,
    APITimeoutError,
    ClassifySession,
    ConfigurationError,
    JobStatus,
    NotFoundError,
    PaymentRequiredError,
    RateLimitError,
    ResponseDecodeError,
    RetryPolicy,
    Rule,
    UnprocessableEntityError,
    WebhookConfiguration,
)
from llamaclassify.wire.lifetime import Lifetime
from llamaclassify.wire.retries import Retries
from llamaclassify.wire.transport import Secret, Transport

from .conftest import KEY, RULES

URL = "https://api.example"
JOB = {"id": "clj-1", "status": "COMPLETED", "result": {"type": None, "confidence": 1, "reasoning": ""}}


@pytest.fixture
async def transport(time):
    """A transport whose pauses take no time."""
    made = Transport(
        Secret(KEY),
        base_url=URL,
        scope={"project_id": "p-1", "organization_id": None},
        http=None,
        timeout=5,
        retries=Retries(RetryPolicy(attempts=4, initial=1, maximum=2), sleep=time.sleep),
        lifetime=Lifetime(),
    )
    yield made
    await made.aclose()


@pytest.fixture
async def session():
    async with ClassifySession(KEY, base_url=URL, project_id="p-1", retry=RetryPolicy(initial=0)) as opened:
        yield opened


def sent(mocked):
    """What was sent: method, URL and keywords of each request, in order."""
    return [
        (method, str(url.with_query(None)), call.kwargs)
        for (method, url), calls in mocked.requests.items()
        for call in calls
    ]


async def test_a_create_says_what_the_api_expects(mocked, session):
    mocked.post(re.compile(".*"), payload=JOB)
    job = await session.create("dfl-1", rules=RULES, transaction_id="order-1")
    [(method, url, kwargs)] = sent(mocked)
    assert (method, url) == ("POST", f"{URL}/api/v2/classify")
    assert kwargs["params"] == [("project_id", "p-1")]
    assert kwargs["headers"]["Content-Type"] == "application/json"
    assert kwargs["headers"]["Authorization"] == f"Bearer {KEY}"
    assert json.loads(kwargs["data"]) == {
        "configuration": {
            "rules": [{"type": rule.type, "description": rule.description} for rule in RULES],
            "mode": "FAST",
        },
        "file_input": "dfl-1",
        "transaction_id": "order-1",
    }
    assert job.status is JobStatus.COMPLETED


async def test_the_transaction_id_is_made_once_and_kept_across_retries(mocked, session):
    mocked.post(re.compile(".*"), status=503)
    mocked.post(re.compile(".*"), exception=aiohttp.ServerDisconnectedError())
    mocked.post(re.compile(".*"), status=409)
    mocked.post(re.compile(".*"), payload=JOB)
    await session.create("dfl-1", rules=RULES)
    bodies = {kwargs["data"] for _, _, kwargs in sent(mocked)}
    assert len(sent(mocked)) == 4
    assert len(bodies) == 1
    assert b"transaction_id" in bodies.pop()


async def test_a_listing_sends_every_filter_and_repeats_keys(mocked, session):
    mocked.get(re.compile(".*"), payload={"items": [JOB], "next_page_token": "t"})
    mocked.get(re.compile(".*"), payload={"items": []})
    jobs = session.list(
        status=JobStatus.FAILED,
        job_ids=["a", "b"],
        configuration_id="cfg-1",
        created_at_on_or_after=datetime(2026, 1, 2, tzinfo=UTC),
        page_size=7,
        project_id="p-2",
    )
    assert [job.id async for job in jobs] == ["clj-1"]
    filters = {
        ("status", "FAILED"),
        ("job_ids", "a"),
        ("job_ids", "b"),
        ("configuration_id", "cfg-1"),
        ("created_at_on_or_after", "2026-01-02T00:00:00Z"),
        ("page_size", "7"),
        ("project_id", "p-2"),
    }
    first, second = [set(kwargs["params"]) for _, _, kwargs in sent(mocked)]
    assert first == filters
    assert second == filters | {("page_token", "t")}


@pytest.mark.parametrize(
    "filters",
    [{"page_size": 0}, {"page_size": 101}, {"created_at_on_or_after": datetime(2026, 1, 1)}],  # noqa: DTZ001
)
async def test_a_listing_that_cannot_be_right_sends_nothing(mocked, session, filters):
    with pytest.raises(ConfigurationError, match=next(iter(filters))):
        session.list(**filters)
    assert not sent(mocked)


async def test_get_asks_for_the_usage(mocked, session):
    mocked.get(re.compile(".*"), payload=JOB | {"usage": {"credits": 3, "parse_credits": None}})
    job = await session.get("clj/1", expand=["usage"])
    [(_, url, kwargs)] = sent(mocked)
    assert url == f"{URL}/api/v2/classify/clj%2F1"
    assert ("expand", "usage") in kwargs["params"]
    assert job.usage.credits == 3.0


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_a_passing_trouble_is_retried(mocked, transport, status):
    mocked.get(re.compile(".*"), status=status, body="<html>busy</html>")
    mocked.get(re.compile(".*"), payload={"fine": True})
    assert await transport.request("GET", "/x") == {"fine": True}


@pytest.mark.parametrize(
    ("status", "kind"),
    [(402, PaymentRequiredError), (404, NotFoundError), (422, UnprocessableEntityError)],
)
async def test_what_will_not_pass_is_not_retried(mocked, transport, time, status, kind):
    mocked.get(re.compile(".*"), status=status, payload={"detail": "no"})
    with pytest.raises(kind, match="GET /x: "):
        await transport.request("GET", "/x")
    assert time.slept == []


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        ({"exception": TimeoutError()}, APITimeoutError),
        ({"exception": aiohttp.ServerDisconnectedError()}, APIConnectionError),
        ({"exception": ConnectionResetError("reset")}, APIConnectionError),
        ({"body": '{"cut": '}, ResponseDecodeError),
        ({"body": "<html>"}, ResponseDecodeError),
        ({"status": 429, "payload": {"detail": "slow down"}}, RateLimitError),
    ],
)
async def test_after_the_last_attempt_the_error_carries_the_earlier_ones(mocked, transport, trouble, kind):
    mocked.get(re.compile(".*"), repeat=True, **trouble)
    with pytest.raises(kind) as caught:
        await transport.request("GET", "/x")
    assert [type(error) for error in caught.value.attempts] == [kind] * 3


async def test_pauses_are_drawn_below_a_bound_that_doubles(mocked, transport, time):
    mocked.get(re.compile(".*"), status=503, repeat=True)
    with pytest.raises(Exception, match="503"):
        await transport.request("GET", "/x")
    assert len(time.slept) == 3
    assert all(0 <= pause <= bound for pause, bound in zip(time.slept, [1, 2, 2], strict=True))


@pytest.mark.parametrize(
    ("header", "least"),
    [
        ("7", 7),
        ("2.5", 2.5),
        (format_datetime(datetime.now(UTC) + timedelta(seconds=3000), usegmt=True), 60),
        ("100000", 60),
        ("soon", 0),
    ],
)
async def test_retry_after_is_honoured_and_capped(mocked, transport, time, header, least):
    mocked.get(re.compile(".*"), status=429, headers={"Retry-After": header})
    mocked.get(re.compile(".*"), payload={})
    await transport.request("GET", "/x")
    assert least <= time.slept[0] <= max(least, 1)


async def test_a_delete_whose_answer_was_lost_is_done(mocked, session):
    mocked.delete(re.compile(".*"), exception=aiohttp.ServerDisconnectedError())
    mocked.delete(re.compile(".*"), status=404, payload={"detail": "gone"})
    assert (await session.delete("clj-1")).id == "clj-1"


async def test_a_delete_of_what_never_was_is_not_found(mocked, session):
    mocked.delete(re.compile(".*"), status=404)
    with pytest.raises(NotFoundError):
        await session.delete("clj-1")


async def test_the_key_is_shown_nowhere(mocked, caplog, monkeypatch):
    canary = "llx-canary-0123456789"
    monkeypatch.setenv("LLAMA_CLOUD_API_KEY", canary)
    caplog.set_level(logging.DEBUG)
    mocked.get(re.compile(".*"), status=401, payload={"detail": "Invalid API Key"})
    async with ClassifySession(base_url=URL) as session:
        shown = [repr(session), repr(vars(session)), repr(vars(session._transport))]
        try:
            await session.get("clj-1")
        except Exception as error:
            told = traceback.TracebackException.from_exception(error, capture_locals=True)
            own = [frame for frame in told.stack if "llamaclassify" in frame.filename]
            assert own
            shown += [repr(error), repr(vars(error)), *(repr(frame.locals) for frame in own)]
    assert canary not in " ".join(shown) + caplog.text


async def test_a_bad_session_is_refused_and_shows_no_key():
    canary = "llx-canary-0123456789"
    try:
        ClassifySession(canary, base_url="ftp://x")
    except ConfigurationError as error:
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        assert "base_url" in str(error)
        own = [frame for frame in told.stack if "llamaclassify" in frame.filename]
        assert own
        assert canary not in repr([frame.locals for frame in own])
    else:
        pytest.fail("accepted")


@pytest.mark.parametrize(
    "options", [{"api_key": ""}, {"api_key": None}, {"api_key": "llx-\0"}, {"timeout": 0}, {"base_url": "x"}]
)
def test_a_session_that_cannot_be_right(options):
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        ClassifySession(**{"api_key": KEY} | options)


def test_the_environment_gives_key_and_server(monkeypatch):
    monkeypatch.setenv("LLAMA_CLOUD_API_KEY", KEY)
    assert ClassifySession().base_url == "https://api.cloud.llamaindex.ai"
    monkeypatch.setenv("LLAMA_CLOUD_BASE_URL", "http://127.0.0.1:8765/")
    assert ClassifySession().base_url == "http://127.0.0.1:8765"


async def test_the_log_holds_no_secret_of_the_callers(mocked, session, caplog):
    caplog.set_level(logging.DEBUG)
    mocked.post(re.compile(".*"), payload=JOB)
    mocked.get(re.compile(".*"), payload={"url": "https://files.example/x?signature=canary-3"})
    webhook = WebhookConfiguration(
        webhook_url="https://example.com/hook",
        webhook_headers={"Authorization": "canary-1"},
        webhook_signing_secret='canary-2"x',
    )
    await session.create("dfl-1", rules=RULES, webhook_configurations=[webhook])
    await session.files.content_url("dfl-1")
    assert "dfl-1" in caplog.text
    assert "canary" not in caplog.text


async def test_a_v1_create_is_repeated_only_where_it_surely_was_not_acted_on(mocked, session):
    mocked.post(re.compile(".*"), status=429)
    mocked.post(re.compile(".*"), exception=aiohttp.ServerDisconnectedError())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        jobs = session.classifier_jobs
    with pytest.raises(APIConnectionError) as caught:
        await jobs.create(["f-1"], rules=RULES)
    assert [type(error) for error in caught.value.attempts] == [RateLimitError]
    assert len(sent(mocked)) == 2


async def test_a_cancel_whose_answer_was_lost_is_done(mocked, session):
    mocked.post(re.compile(".*"), exception=aiohttp.ServerDisconnectedError())
    mocked.post(re.compile(".*"), status=409)
    mocked.get(re.compile(".*"), payload={"id": "clj-1", "status": "CANCELLED"})
    assert (await session.cancel("clj-1")).status == "CANCELLED"


@pytest.mark.parametrize(
    "call",
    [
        lambda s: s.list(job_ids="clj-1"),
        lambda s: s.files.list(file_ids="dfl-1"),
        lambda s: s.classify_many([], rules="invoice"),
    ],
)
def test_a_text_where_a_list_belongs_is_refused(call):
    with pytest.raises(ConfigurationError, match="expected a list, got the text"):
        call(ClassifySession(KEY))


def test_a_description_that_older_services_refuse_warns():
    rule = Rule("invoice", "x" * 501)
    with pytest.warns(UserWarning, match=r"rules\[0\].description has 501 characters"):
        ClassifySession(KEY).classify_many([], rules=[rule])
