"""The deprecated v1 jobs, end to end: what gives results, and what raises with what results there are."""

import pytest

from llamaclassify import (
    ClassifierJob,
    ClassifierParsingConfiguration,
    ConfigurationError,
    JobCancelledError,
    JobFailedError,
    JobTimeoutError,
    PollPolicy,
)

from .conftest import RULES

pytestmark = pytest.mark.filterwarnings("ignore:the v1 classifier jobs:DeprecationWarning")


async def uploaded(session, *names):
    return [(await session.files.upload((name, b"x"))).id for name in names]


async def test_success_gives_a_result_for_each_file(session):
    files = await uploaded(session, "invoice-1.txt", "poem-1.txt")
    given = await session.classifier_jobs.create_and_wait(files, rules=RULES)
    assert given.job.status == "SUCCESS"
    assert {item.file_id: item.result.type for item in given.items} == {files[0]: "invoice", files[1]: None}


async def test_partial_success_gives_the_results_there_are(session):
    files = await uploaded(session, "invoice-1.txt", "broken-1.pdf")
    given = await session.classifier_jobs.create_and_wait(files, rules=RULES, mode="MULTIMODAL")
    assert (given.job.status, given.job.mode) == ("PARTIAL_SUCCESS", "MULTIMODAL")
    results = {item.file_id: item.result and item.result.type for item in given.items}
    assert results == {files[0]: "invoice", files[1]: None}


async def test_error_raises_with_the_job_and_its_results(session):
    files = await uploaded(session, "broken-1.pdf")
    with pytest.raises(JobFailedError, match="PDF_IS_BROKEN") as caught:
        await session.classifier_jobs.create_and_wait(files, rules=RULES)
    assert caught.value.job.status == "ERROR"
    assert [item.file_id for item in caught.value.results] == files


@pytest.mark.parametrize(("status", "error"), [("CANCELLED", JobCancelledError), ("ERROR", JobFailedError)])
async def test_a_job_that_ended_badly_gives_what_results_there_are(session, monkeypatch, status, error):
    files = await uploaded(session, "invoice-1.txt")
    jobs = session.classifier_jobs
    real = jobs.get

    async def ended_badly(job_id, **scope):
        job = await real(job_id, **scope)
        return ClassifierJob(id=job.id, status=status) if job.is_terminal else job

    monkeypatch.setattr(jobs, "get", ended_badly)
    with pytest.raises(error) as caught:
        await jobs.create_and_wait(files, rules=RULES)
    assert [item.result.type for item in caught.value.results] == ["invoice"]


async def test_a_job_that_takes_too_long_times_out_with_the_job(session, monkeypatch):
    files = await uploaded(session, "invoice-1.txt")
    jobs = session.classifier_jobs

    async def pending(job_id, **scope):
        return ClassifierJob(id=job_id, status="PENDING")

    monkeypatch.setattr(jobs, "get", pending)
    with pytest.raises(JobTimeoutError) as caught:
        await jobs.create_and_wait(files, rules=RULES, poll=PollPolicy(initial=0.005, timeout=0.03))
    assert caught.value.job.status == "PENDING"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"file_ids": []}, "file_ids: must have 1 to 500"),
        ({"file_ids": ["f"] * 501}, "file_ids: must have 1 to 500"),
        ({"file_ids": "f-1"}, "file_ids: expected a list"),
        ({"rules": []}, "rules: give at least one"),
        ({"mode": "SLOW"}, "mode: must be one of"),
        ({"parsing_configuration": ClassifierParsingConfiguration(lang="xx")}, "lang: must be one of the 86"),
        (
            {"parsing_configuration": ClassifierParsingConfiguration(target_pages=(-1,))},
            "target_pages: must list pages from 0",
        ),
    ],
)
async def test_a_job_that_cannot_be_right_sends_nothing(session, options, message):
    with pytest.raises(ConfigurationError, match=message):
        await session.classifier_jobs.create(**{"file_ids": ["f-1"], "rules": RULES} | options)
