"""The vendor's last client that spoke of v1 jobs: the helper that does it all, and each call."""

import uuid

import llama_cloud
import pytest

from .conftest import RULES

pytestmark = pytest.mark.filterwarnings("ignore:Please use `client.classify:DeprecationWarning")
QUICKLY = {"polling_interval": 0.02, "backoff": "constant"}


@pytest.fixture
def client(url):
    """A client with a project of its own that accepts no answer outside its models."""
    key = f"llx-{uuid.uuid4()}"
    with llama_cloud.LlamaCloud(
        api_key=key, base_url=url, max_retries=0, _strict_response_validation=True
    ) as opened:
        yield opened


@pytest.fixture
def file_ids(client, documents):
    return {name: client.files.create(file=path, purpose="classify").id for name, path in documents.items()}


def types(results):
    return {item.file_id: item.result and item.result.type for item in results.items}


@pytest.mark.parametrize("mode", ["FAST", "MULTIMODAL"])
def test_classify_does_it_all(client, file_ids, mode):
    wanted = [file_ids["invoice"], file_ids["resume"]]
    results = client.classifier.classify(file_ids=wanted, rules=RULES, mode=mode, **QUICKLY)
    assert types(results) == {file_ids["invoice"]: "invoice", file_ids["resume"]: "resume"}


async def test_the_async_client(url, documents):
    async with llama_cloud.AsyncLlamaCloud(
        api_key="llx-async-1", base_url=url, max_retries=0, _strict_response_validation=True
    ) as client:
        file = await client.files.create(file=documents["resume"], purpose="classify")
        results = await client.classifier.classify(file_ids=[file.id], rules=RULES, **QUICKLY)
        assert types(results) == {file.id: "resume"}


def test_each_call_of_the_jobs(client, file_ids):
    job = client.classifier.jobs.create(
        file_ids=list(file_ids.values()),
        rules=RULES,
        parsing_configuration={"lang": "en", "target_pages": [0]},
    )
    assert (job.mode, job.rules[0].type) == ("FAST", "invoice")
    assert client.classifier.wait_for_completion(job.id, **QUICKLY).status == "PARTIAL_SUCCESS"
    assert "PDF_IS_BROKEN" in client.classifier.jobs.get(job.id).error_message
    expected = {file_ids["invoice"]: "invoice", file_ids["resume"]: "resume", file_ids["broken"]: None}
    assert types(client.classifier.jobs.get_results(job.id)) == expected
    second = client.classifier.jobs.create(file_ids=[file_ids["invoice"]], rules=RULES)
    assert [found.id for found in client.classifier.jobs.list(page_size=1)] == [second.id, job.id]


def test_a_job_that_fails_whole_is_a_polling_error(client, file_ids):
    with pytest.raises(llama_cloud._polling.PollingError, match="ERROR"):
        client.classifier.classify(file_ids=[file_ids["broken"]], rules=RULES, **QUICKLY)


def test_errors_by_class(client, file_ids):
    jobs = client.classifier.jobs
    with pytest.raises(llama_cloud.UnprocessableEntityError):
        jobs.create(file_ids=[], rules=RULES)
    with pytest.raises(llama_cloud.BadRequestError):
        jobs.create(file_ids=[str(uuid.uuid4())], rules=RULES)
    for call in (jobs.get, jobs.get_results):
        with pytest.raises(llama_cloud.NotFoundError):
            call(str(uuid.uuid4()))


def test_v2_by_the_same_client(client, file_ids):
    asked = {"file_input": file_ids["invoice"], "configuration": {"rules": RULES}}
    job = client.classify.run(**asked, **QUICKLY)
    assert (job.status, job.result.type) == ("COMPLETED", "invoice")
