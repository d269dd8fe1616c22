"""What a session tells of its work."""

import pytest

from llamaclassify import ClassifySession, ConfigurationError, JobFailedError, Rate, RateLimit
from llamaclassify.events import (
    JobCreated,
    JobFinished,
    JobSeen,
    RequestDone,
    RequestHeld,
    RequestRetried,
)

from .conftest import KEY, RULES, serving
from .service import Service


@pytest.fixture
def events():
    return []


def kinds(events):
    return [type(event) for event in events]


async def test_one_document_from_its_upload_to_its_end(classify_server, events):
    async with classify_server.session(on_event=events.append) as session:
        job = await session.create_and_wait(("invoice.txt", b"x"), rules=RULES)
    uploaded, answered, created, looked, seen, finished = events
    assert [event.name for event in (uploaded, answered, looked)] == [
        "POST /api/v1/beta/files",
        "POST /api/v2/classify",
        f"GET /api/v2/classify/{job.id}",
    ]
    assert {event.error for event in (uploaded, answered, looked)} == {None}
    assert created == JobCreated(job_id=job.id, status="PENDING", transaction_id=job.transaction_id)
    assert seen == JobSeen(job_id=job.id, status="COMPLETED")
    assert (finished.job_id, finished.status) == (job.id, "COMPLETED")
    assert finished.seconds >= finished.lag >= 0


async def test_a_request_that_is_tried_again(classify_server, events):
    classify_server.fault("upload", status=503)
    async with classify_server.session(on_event=events.append) as session:
        await session.files.upload(("a.txt", b"x"))
    failed, retried, done = events
    assert kinds(events) == [RequestDone, RequestRetried, RequestDone]
    assert (failed.error.status, retried.error, retried.attempt, done.error) == (503, failed.error, 1, None)
    assert retried.pause >= 0


async def test_a_request_that_is_held_back(classify_server, events):
    limit = RateLimit(creates=None, uploads=Rate(1, 0.05))
    async with classify_server.session(on_event=events.append, rate_limit=limit) as session:
        for _ in range(2):
            await session.files.upload(("a.txt", b"x"))
    _, held, _ = events
    assert kinds(events) == [RequestDone, RequestHeld, RequestDone]
    assert (held.kind, held.seconds > 0) == ("upload", True)


async def test_a_job_that_has_ended_when_it_is_created(events):
    service = Service(created_as="COMPLETED")
    async with (
        serving(*service.routes()) as url,
        ClassifySession(KEY, base_url=url, on_event=events.append) as session,
    ):
        await session.create_and_wait("dfl-1", rules=RULES)
    assert kinds(events) == [RequestDone, JobCreated, JobFinished]
    assert (events[-1].status, events[-1].lag) == ("COMPLETED", 0.0)


async def test_a_wait_on_a_job_of_before(classify_server, classify_session, events):
    classify_server.script(error="NO_DATA_FOUND_IN_FILE")
    file = await classify_session.files.upload(("a.txt", b"x"))
    job = await classify_session.create(file.id, rules=RULES)
    async with classify_server.session(on_event=events.append) as session:
        with pytest.raises(JobFailedError):
            await session.wait(job.id)
    assert kinds(events) == [RequestDone, JobSeen, JobFinished]
    assert (events[-1].status, events[-1].seconds) == ("FAILED", None)


async def test_every_job_of_a_batch_is_told_of_once(classify_server, events):
    documents = [(f"invoice-{number}.txt", b"x") for number in range(20)]
    async with classify_server.session(on_event=events.append) as session:
        outcomes = await session.classify_many(documents, rules=RULES)
    jobs = sorted(outcome.job.id for outcome in outcomes)
    assert sorted(event.job_id for event in events if isinstance(event, JobCreated)) == jobs
    assert sorted(event.job_id for event in events if isinstance(event, JobFinished)) == jobs


async def test_a_listener_that_fails_harms_nothing(classify_server, caplog):
    def fail(event):
        raise ValueError("listener's own")

    async with classify_server.session(on_event=fail) as session:
        job = await session.create_and_wait(("invoice.txt", b"x"), rules=RULES)
    assert job.result.type == "invoice"
    assert "on_event failed at a RequestDone" in caplog.text


def test_what_cannot_be_called_is_refused():
    with pytest.raises(ConfigurationError, match="on_event: expected a function, got str"):
        ClassifySession(KEY, on_event="print")
