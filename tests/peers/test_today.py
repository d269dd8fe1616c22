"""The vendor's client of today: whole flows, every answer checked against its own models."""

import urllib.request
import uuid

import llama_cloud
import pytest

from .conftest import INVOICE, RULES

# The vendor's waits sleep before they look.
QUICKLY = {"polling_interval": 0.02, "backoff": "constant"}
CONFIGURATION = {"rules": RULES}


@pytest.fixture
def client(url):
    """A client with a project of its own that accepts no answer outside its models."""
    key = f"llx-{uuid.uuid4()}"
    with llama_cloud.LlamaCloud(
        api_key=key, base_url=url, max_retries=0, _strict_response_validation=True
    ) as opened:
        yield opened


@pytest.fixture
def uploaded(client, documents):
    def upload(name, **more):
        return client.files.create(file=documents[name], purpose="classify", **more).id

    return upload


def test_files(client, documents):
    file = client.files.create(file=documents["invoice"], purpose="classify", external_file_id="mine-1")
    assert (file.name, file.purpose, file.external_file_id) == ("invoice.txt", "classify", "mine-1")
    given = client.files.create(file=("named.txt", b"some bytes", "text/plain"), purpose="classify")
    assert [found.id for found in client.files.list(page_size=1)] == [given.id, file.id]
    assert [found.id for found in client.files.list(file_ids=[file.id])] == [file.id]
    assert [found.id for found in client.files.list(external_file_id="mine-1")] == [file.id]
    assert [found.name for found in client.files.list(order_by="name")] == ["invoice.txt", "named.txt"]
    with pytest.warns(DeprecationWarning, match="Use the GET"):
        queried = client.files.query(filter={"file_name": "named.txt"})
    assert [found.id for found in queried.items] == [given.id]
    content = client.files.content(file.id)
    with urllib.request.urlopen(content.url) as answer:  # noqa: S310
        assert answer.read().decode() == INVOICE
    assert client.files.retrieve(file.id, expand=["download_url"]).download_url.url
    client.files.delete(file.id)
    with pytest.raises(llama_cloud.NotFoundError):
        client.files.retrieve(file.id)


def test_run_gives_the_result(client, uploaded):
    for name in ("invoice", "resume"):
        job = client.classify.run(file_input=uploaded(name), configuration=CONFIGURATION, **QUICKLY)
        assert (job.status, job.result.type) == ("COMPLETED", name)
        assert 0 <= job.result.confidence <= 1
        assert job.result.reasoning


async def test_the_async_client(url, documents):
    async with llama_cloud.AsyncLlamaCloud(
        api_key="llx-async", base_url=url, max_retries=0, _strict_response_validation=True
    ) as client:
        file = await client.files.create(file=documents["resume"], purpose="classify")
        job = await client.classify.run(file_input=file.id, configuration=CONFIGURATION, **QUICKLY)
        assert job.result.type == "resume"
        assert [found.id async for found in client.classify.list(page_size=1)] == [job.id]


def test_a_transaction_id_makes_one_job(client, uploaded):
    asked = {"file_input": uploaded("invoice"), "configuration": CONFIGURATION, "transaction_id": "order-1"}
    first, second = client.classify.create(**asked), client.classify.create(**asked)
    assert first.id == second.id
    assert client.classify.wait_for_completion(first.id, **QUICKLY).transaction_id == "order-1"


def test_saved_configurations(client, uploaded):
    parameters = {"product_type": "classify_v2", "rules": RULES, "parsing_configuration": {"max_pages": 2}}
    saved = client.configurations.create(name="ours", parameters=parameters)
    assert client.configurations.create(name="ours", parameters=parameters).id == saved.id
    changed = client.configurations.update(saved.id, name="theirs")
    assert (changed.id, changed.name) == (saved.id, "theirs")
    assert client.configurations.retrieve(saved.id).parameters.rules[0].type == "invoice"
    assert [found.id for found in client.configurations.list(product_type=["classify_v2"])] == [saved.id]
    job = client.classify.run(file_input=uploaded("invoice"), configuration_id=saved.id, **QUICKLY)
    assert (job.configuration_id, job.configuration.parsing_configuration.max_pages) == (saved.id, 2)
    assert [found.id for found in client.classify.list(configuration_id=saved.id)] == [job.id]
    client.configurations.delete(saved.id)
    with pytest.raises(llama_cloud.NotFoundError):
        client.configurations.retrieve(saved.id)


def test_list_pages_and_filters(client, uploaded):
    file_id = uploaded("invoice")
    jobs = [client.classify.run(file_input=file_id, configuration=CONFIGURATION, **QUICKLY) for _ in range(3)]
    ids = [job.id for job in jobs]
    assert [job.id for job in client.classify.list(page_size=2)] == ids[::-1]
    assert [job.id for job in client.classify.list(job_ids=ids[:2])] == ids[1::-1]
    assert [job.id for job in client.classify.list(status="COMPLETED", page_size=1)] == ids[::-1]
    assert not list(client.classify.list(status="FAILED"))
    since = client.classify.list(created_at_on_or_after=jobs[1].created_at)
    until = client.classify.list(created_at_on_or_before=jobs[1].created_at)
    assert ([job.id for job in since], [job.id for job in until]) == (ids[:0:-1], ids[1::-1])


def test_usage_counts_the_pages(client, uploaded):
    job = client.classify.run(file_input=uploaded("invoice"), configuration=CONFIGURATION, **QUICKLY)
    assert job.usage is None
    usage = client.classify.get(job.id, expand=["usage"]).usage
    assert (usage.credits, usage.parse_credits) == (1, 1)


def test_a_broken_document_is_a_polling_error(client, uploaded):
    with pytest.raises(llama_cloud._polling.PollingError, match="PDF_IS_BROKEN"):
        client.classify.run(file_input=uploaded("broken"), configuration=CONFIGURATION, **QUICKLY)


def test_cancel_and_delete(client, uploaded):
    file_id = uploaded("invoice")
    # One worker: the last of many is still queued.
    jobs = [client.classify.create(file_input=file_id, configuration=CONFIGURATION) for _ in range(20)]
    last = jobs[-1].id
    with pytest.raises(llama_cloud.ConflictError, match="cancel it"):
        client.classify.delete(last)
    assert client.classify.cancel(last).status == "CANCELLED"
    with pytest.raises(llama_cloud.ConflictError, match="CANCELLED"):
        client.classify.cancel(last)
    assert client.classify.delete(last).id == last
    with pytest.raises(llama_cloud.NotFoundError, match="Classify job not found"):
        client.classify.get(last)


def test_errors_by_class(client, url, uploaded):
    with pytest.raises(llama_cloud.BadRequestError, match="is not in Project ID"):
        client.classify.create(file_input="dfl-0", configuration=CONFIGURATION)
    with pytest.raises(llama_cloud.UnprocessableEntityError) as refused:
        client.classify.create(file_input=uploaded("invoice"), configuration={"rules": []})
    assert refused.value.body["detail"][0]["loc"] == ["body", "configuration", "rules"]
    with pytest.raises(llama_cloud.NotFoundError):
        client.classify.create(file_input=uploaded("invoice"), configuration_id="cfg-0")
    with pytest.raises(llama_cloud.BadRequestError, match="empty"):
        client.files.create(file=("a.txt", b"", "text/plain"), purpose="classify")
    with (
        llama_cloud.LlamaCloud(api_key="sk-1", base_url=url, max_retries=0) as stranger,
        pytest.raises(llama_cloud.AuthenticationError),
    ):
        stranger.classify.get("clj-0")


def test_another_key_sees_nothing(client, url, uploaded):
    job = client.classify.run(file_input=uploaded("invoice"), configuration=CONFIGURATION, **QUICKLY)
    with llama_cloud.LlamaCloud(api_key="llx-other", base_url=url, max_retries=0) as other:
        assert not list(other.classify.list())
        with pytest.raises(llama_cloud.NotFoundError):
            other.classify.get(job.id)
