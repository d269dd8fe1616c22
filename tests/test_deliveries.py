"""Webhooks of the embedded server: to whom, what, how often, and never in a job's way."""

import asyncio
import json
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web
from click.testing import CliRunner

from llamaclassify import ClassifySession, Job, JobStatus, PollPolicy, WebhookConfiguration, webhooks
from llamaclassify.cli.main import commands
from llamaclassify.models_v1 import ClassifierJob, ClassifierStatus
from llamaclassify.server import LocalServer, deliveries
from llamaclassify.server.changes import Change
from llamaclassify.server.clock import Clock
from llamaclassify.server.deliveries import Deliveries
from llamaclassify.server.receivers import undeliverable

from .conftest import KEY, scripted, serving

SECRET = "whsec_1"
NOW = datetime(2026, 10, 14, 9, tzinfo=UTC)


class Receiver:
    """Takes deliveries, answering with the statuses given, then 200; for None when told to."""

    def __init__(self, *statuses):
        self.statuses = list(statuses)
        self.got = []
        self.arrived = asyncio.Condition()
        self.freed = asyncio.Event()

    async def take(self, request):
        status = self.statuses.pop(0) if self.statuses else 200
        async with self.arrived:
            self.got.append((await request.read(), request.headers.copy()))
            self.arrived.notify_all()
        if status is None:
            await self.freed.wait()
        return web.Response(status=status or 200, headers={"Location": "/elsewhere"})

    async def has(self, count):
        async with self.arrived:
            await self.arrived.wait_for(lambda: len(self.got) >= count)

    @property
    def events(self):
        return [webhooks.parse(body, headers) for body, headers in self.got]


@pytest.fixture
def receiver():
    return Receiver()


@pytest.fixture
async def url(receiver):
    async with serving(web.post("/hook", receiver.take)) as base:
        yield f"{base}/hook"


@pytest.fixture
async def sent(time):
    running = Deliveries(Clock(now=lambda: NOW, sleep=time.sleep))
    yield running
    await running.aclose()


def change(status, *hooks, job_id="clj-1"):
    return Change(Job(id=job_id, status=status, project_id="p"), hooks)


async def settled(running):
    await asyncio.gather(*running._tasks)


@pytest.mark.parametrize("form", [None, "string", "json"])
async def test_what_is_sent_is_genuine_and_says_what_happened(receiver, url, sent, form):
    hook = WebhookConfiguration(
        webhook_url=url,
        webhook_output_format=form,
        webhook_signing_secret=SECRET,
        webhook_headers={"X-Mine": "1", "user-agent": "mine", "content-length": "1"},
    )
    sent.announce(change(JobStatus.COMPLETED, hook))
    await settled(sent)
    [(body, headers)] = receiver.got
    assert webhooks.verify(body, headers["LC-Signature"], SECRET)
    [event] = receiver.events
    assert (event.event_type, event.job_id, event.timestamp) == ("classify.success", "clj-1", NOW)
    assert isinstance(json.loads(body), dict if form == "json" else str)
    assert headers["Content-Type"] == "application/json"
    assert headers.getall("User-Agent") == ["llamaindex-webhook-service/1.0"]
    assert headers["X-Webhook-Event-ID"] == event.event_id
    assert headers["X-Webhook-Event-Type"] == "classify.success"
    assert headers["X-Mine"] == "1"


async def test_no_secret_no_signature(receiver, url, sent):
    sent.announce(change(JobStatus.FAILED, WebhookConfiguration(webhook_url=url)))
    await settled(sent)
    assert "LC-Signature" not in receiver.got[0][1]


async def test_every_status_has_its_event(receiver, url, sent):
    hook = WebhookConfiguration(webhook_url=url)
    for status in JobStatus:
        sent.announce(change(status, hook))
    for status in ClassifierStatus:
        sent.announce(Change(ClassifierJob(id="v1", status=status), (hook,)))
    await settled(sent)
    of_v2 = sorted(event.event_type for event in receiver.events if event.job_id == "clj-1")
    of_v1 = sorted(event.event_type for event in receiver.events if event.job_id == "v1")
    assert of_v2 == [f"classify.{name}" for name in "cancelled error pending running success".split()]
    assert of_v1 == [f"classify.{name}" for name in "cancelled error partial_success pending success".split()]


async def test_only_the_events_that_were_asked_for(receiver, url, sent):
    two = ("classify.error", "classify.cancelled")
    hooks = [WebhookConfiguration(webhook_url=url, webhook_events=events) for events in (two, ())]
    for status in JobStatus:
        sent.announce(change(status, *hooks))
    await settled(sent)
    assert sorted(event.event_type for event in receiver.events) == sorted(two)


@pytest.mark.parametrize(
    ("statuses", "slept"),
    [((204,), []), ((500, 201), [1]), ((302, 404, 200), [1, 2]), ((500, 500, 500, 200), [1, 2])],
)
async def test_three_attempts_with_growing_pauses(receiver, url, sent, time, caplog, statuses, slept):
    receiver.statuses = list(statuses)
    sent.announce(change(JobStatus.RUNNING, WebhookConfiguration(webhook_url=url)))
    await settled(sent)
    assert time.slept == slept
    assert len(receiver.got) == min(len(statuses), 3)
    assert len({(body, headers["X-Webhook-Event-ID"]) for body, headers in receiver.got}) == 1
    assert ("not delivered" in caplog.text) == (len(statuses) == 4)


async def test_a_redirect_is_not_followed(sent):
    async def redirect(request):
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    asked = Receiver()
    routes = web.post("/hook", redirect), web.route("*", "/elsewhere", asked.take)
    async with serving(*routes) as base:
        sent.announce(change(JobStatus.RUNNING, WebhookConfiguration(webhook_url=f"{base}/hook")))
        await settled(sent)
    assert not asked.got


async def test_nobody_listens(sent, time, caplog):
    hook = WebhookConfiguration(webhook_url="http://user:hidden@127.0.0.1:9/hook?token=hidden")
    sent.announce(change(JobStatus.RUNNING, hook))
    await settled(sent)
    assert time.slept == [1, 2]
    assert "127.0.0.1:9 after 3 attempts" in caplog.text
    assert "hidden" not in caplog.text


async def test_a_receiver_that_hangs_is_given_up(receiver, url, sent, monkeypatch):
    monkeypatch.setattr(deliveries, "TIMEOUT", 0.02)
    receiver.statuses = [None]
    sent.announce(change(JobStatus.RUNNING, WebhookConfiguration(webhook_url=url)))
    await settled(sent)
    receiver.freed.set()
    assert len(receiver.got) == 2


async def test_a_slow_receiver_holds_up_nobody_else(receiver, url, sent):
    slow = Receiver(*[None] * 50)
    async with serving(web.post("/hook", slow.take)) as base:
        for _ in range(50):
            sent.announce(change(JobStatus.RUNNING, WebhookConfiguration(webhook_url=f"{base}/hook")))
        sent.announce(change(JobStatus.RUNNING, WebhookConfiguration(webhook_url=url)))
        await receiver.has(1)
        await slow.has(8)
        assert len(slow.got) == 8
        await sent.aclose()
        slow.freed.set()
    assert not sent._tasks


async def test_too_many_that_wait_are_dropped_and_said(receiver, url, sent, monkeypatch, caplog):
    monkeypatch.setattr(deliveries, "_MOST_WAITING", 2)
    for _ in range(3):
        sent.announce(change(JobStatus.RUNNING, WebhookConfiguration(webhook_url=url)))
    await settled(sent)
    assert (len(receiver.got), caplog.text.count("webhook dropped")) == (2, 1)


ALLOWED = [
    "http://localhost/x",
    "https://127.0.0.1:8/",
    "http://[::1]:80",
    "http://127.9.9.9",
    "https://Hooks.test",
]
REFUSED = [
    "http://example.com",
    "http://10.0.0.1/",
    "http://[",
    "http://",
    "http://localhost:99999",
    "http://localhost:0",
    "http://hooks.test.evil.example",
    "http://127.0.0.1@evil.example",
    "http://evil.example\\@127.0.0.1/",
    "http://[::ffff:10.0.0.1]/",
]


@pytest.mark.parametrize("target", ALLOWED)
def test_this_machine_and_allowed_hosts_can_be_told(target):
    assert not list(undeliverable([{"webhook_url": target}, {}], ["hooks.TEST"]))


@pytest.mark.parametrize("target", REFUSED)
def test_others_are_refused_with_the_place(target):
    [issue] = undeliverable([{}, {"webhook_url": target}], ["hooks.test"])
    assert issue.loc == ("webhook_configurations", 1, "webhook_url")
    assert "--webhook-host" in issue.message


@pytest.mark.parametrize("header", [{"a b": "1"}, {"": "1"}, {"A": "1\r\nB: 2"}, {"A": 1}])
def test_what_is_no_header_is_refused(header):
    [issue] = undeliverable([{"webhook_headers": header}], [])
    assert issue.loc[:3] == ("webhook_configurations", 0, "webhook_headers")


RULE = {"type": "invoice", "description": "contains an invoice number"}
HEADERS = {"Authorization": f"Bearer {KEY}"}


async def created(server, path, name, body):
    async with aiohttp.ClientSession(server.url, headers=HEADERS) as http:
        form = aiohttp.FormData()
        form.add_field("purpose", "classify")
        form.add_field("file", b"x", filename=name)
        async with http.post("/api/v1/beta/files", data=form) as answer:
            file_id = (await answer.json())["id"]
        given = {"file_input": file_id, "file_ids": [file_id]}
        async with http.post(path, json=given | body) as answer:
            return answer.status, await answer.json()


@pytest.mark.parametrize(
    ("path", "rules", "events"),
    [
        ("/api/v2/classify", {"configuration": {"rules": [RULE]}}, ["pending", "running"]),
        ("/api/v1/classifier/jobs", {"rules": [RULE]}, ["pending"]),
    ],
)
@pytest.mark.parametrize(("name", "end"), [("invoice-1.txt", "success"), ("broken-1.txt", "error")])
async def test_a_job_tells_of_every_change(receiver, url, server, path, rules, events, name, end):
    hooks = [{"webhook_url": url, "webhook_output_format": "json", "webhook_signing_secret": SECRET}]
    status, job = await created(server, path, name, rules | {"webhook_configurations": hooks})
    assert status == 200
    assert "webhook" not in json.dumps(job)
    await receiver.has(len(events) + 1)
    assert sorted(event.event_type for event in receiver.events) == sorted(
        f"classify.{event}" for event in [*events, end]
    )
    assert {event.job_id for event in receiver.events} == {job["id"]}
    assert all(webhooks.verify(body, headers["LC-Signature"], SECRET) for body, headers in receiver.got)


@pytest.mark.parametrize("path", ["/api/v2/classify", "/api/v1/classifier/jobs"])
async def test_a_create_that_would_have_the_server_ask_others_is_refused(server, path):
    rules = {"configuration": {"rules": [RULE]}, "rules": [RULE]}
    hooks = [{"webhook_url": "http://10.0.0.1/admin"}]
    status, refused = await created(server, path, "invoice-1.txt", rules | {"webhook_configurations": hooks})
    assert status == 422
    assert refused["detail"][0]["loc"] == ["body", "webhook_configurations", 0, "webhook_url"]


async def test_whoever_runs_the_server_allows_hosts():
    rules = {"configuration": {"rules": [RULE]}}
    hooks = [{"webhook_url": "https://hooks.test/x", "webhook_events": []}]
    async with LocalServer(classify=scripted, webhook_hosts=["hooks.test"]) as server:
        status, _ = await created(
            server, "/api/v2/classify", "invoice-1.txt", rules | {"webhook_configurations": hooks}
        )
    assert status == 200


def test_the_flag_allows_them_too(monkeypatch):
    given = {}

    def stop(**options):
        given.update(options)
        raise OSError("far enough")

    monkeypatch.setattr("llamaclassify.server.LocalServer", stop)
    CliRunner().invoke(commands, ["serve", "--webhook-host", "a.test", "--webhook-host", "b.test"])
    assert given["webhook_hosts"] == ("a.test", "b.test")


async def test_a_receiver_that_hangs_delays_no_job_and_no_end(receiver, url):
    receiver.statuses = [None] * 10
    rules = {"configuration": {"rules": [RULE]}}
    async with LocalServer(classify=scripted) as server:
        _, job = await created(
            server,
            "/api/v2/classify",
            "invoice-1.txt",
            rules | {"webhook_configurations": [{"webhook_url": url}]},
        )
        async with ClassifySession(KEY, base_url=server.url, poll=PollPolicy(initial=0.005)) as session:
            assert (await session.wait(job["id"])).result.type == "invoice"
    receiver.freed.set()
