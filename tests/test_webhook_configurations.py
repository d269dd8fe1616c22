"""Saved webhook configurations: plain HTTP, and the jobs that name them."""

import pytest

from llamaclassify.server import LocalServer

from .conftest import scripted
from .test_server import RULE, answer, created, finished, uploaded
from .test_server_routes import CLASSIFIER, client_of, ended, listed, status_of

CONFIGS = "/api/v1/beta/webhook-configs"
PAGED = "/api/v2/webhook-configs"
URL = "http://127.0.0.1:9/hook"
MASK = "********"


@pytest.fixture
async def http(server):
    async with client_of(server) as client:
        yield client


async def saved(http, **body):
    status, config = await answer(http.post(CONFIGS, json={"webhook_url": URL} | body))
    assert status == 201
    return config


async def test_a_webhook_configuration_is_saved_and_told_without_its_secrets(http):
    config = await saved(
        http,
        webhook_url="http://ada:pw@127.0.0.1:9/hook?a=b",
        webhook_headers={"X-Key": "secret"},
        webhook_signing_secret="secret",
        webhook_output_format="json",
    )
    assert config["id"].startswith("whc-")
    assert (config["has_secret"], config["tenant_type"]) == (True, "project")
    assert config["webhook_url"] == f"http://{MASK}@127.0.0.1:9/hook?a=b"
    assert config["webhook_headers"] == {"X-Key": MASK}
    assert (config["webhook_events"], config["webhook_output_format"]) == (None, "json")
    assert "secret" not in str(config).replace("has_secret", "")
    assert await answer(http.get(f"{CONFIGS}/{config['id']}")) == (200, config)


async def test_a_mask_that_is_sent_back_keeps_what_it_stands_for(http, server):
    told = []
    server.changes.listen(lambda change: told.extend(change.webhooks))
    secrets = {"webhook_url": "http://ada:pw@127.0.0.1:9/hook", "webhook_headers": {"X-Key": "secret"}}
    config = await saved(http, **secrets, webhook_signing_secret="old")
    path = f"{CONFIGS}/{config['id']}"
    headers = config["webhook_headers"] | {"X-New": "new"}
    status, changed = await answer(http.put(path, json=config | {"webhook_headers": headers}))
    assert (status, changed["webhook_url"], changed["has_secret"]) == (200, config["webhook_url"], True)
    await created(http, webhook_configuration_ids=[config["id"], config["id"]])
    assert told[0].webhook_url == "http://ada:pw@127.0.0.1:9/hook"
    assert told[0].webhook_headers == {"X-Key": "secret", "X-New": "new"}
    assert told[0].webhook_signing_secret == "old"
    _, changed = await answer(http.put(path, json={"webhook_signing_secret": None, "webhook_headers": None}))
    assert (changed["has_secret"], changed["webhook_headers"]) == (False, None)


async def test_a_job_tells_saved_and_own_webhooks_as_they_were(server, http):
    told = {}

    def hear(change):
        told.setdefault(change.job.id, [webhook.webhook_url for webhook in change.webhooks])

    server.changes.listen(hear)
    config = await saved(http)
    own = [{"webhook_url": "http://127.0.0.1:9/own"}]
    _, job = await created(http, webhook_configurations=own, webhook_configuration_ids=[config["id"]])
    assert await status_of(http.delete(f"{CONFIGS}/{config['id']}")) == (204, b"")
    await finished(http, job["id"])
    assert told[job["id"]] == ["http://127.0.0.1:9/own", URL]
    body = {"file_ids": [await uploaded(http)], "rules": [RULE], "webhook_configurations": own}
    _, many = await answer(http.post(CLASSIFIER, json=body))
    await ended(http, many["id"])
    assert told[many["id"]] == ["http://127.0.0.1:9/own"]


async def test_the_lists(http):
    ids = [(await saved(http))["id"] for _ in range(3)]
    _, everything = await answer(http.get(CONFIGS))
    assert [config["id"] for config in everything] == ids[::-1]
    assert [config["id"] for config in await listed(http, PAGED, page_size=2)] == ids[::-1]
    _, page = await answer(http.get(PAGED, params={"page_size": 1, "include_total": "true"}))
    assert page["total_size"] == 3
    assert (await answer(http.get(PAGED)))[1]["total_size"] is None


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"webhook_url": None}, "webhook_url"),
        ({"webhook_url": ""}, "webhook_url"),
        ({"webhook_url": "ftp://127.0.0.1"}, "webhook_url"),
        ({"webhook_url": "http://10.0.0.1/admin"}, "webhook_url"),
        ({"webhook_events": []}, "webhook_events"),
        ({"webhook_events": "all"}, "webhook_events"),
        ({"webhook_output_format": "xml"}, "webhook_output_format"),
        ({"webhook_headers": {"bad name": "x"}}, "webhook_headers"),
    ],
)
async def test_a_webhook_configuration_that_cannot_be_right(http, body, loc):
    status, refused = await answer(http.post(CONFIGS, json={"webhook_url": URL} | body))
    assert (status, refused["detail"][0]["loc"][:2]) == (422, ["body", loc])
    path = f"{CONFIGS}/{(await saved(http))['id']}"
    # A change that says null of the URL leaves it as it is.
    assert (await answer(http.put(path, json=body)))[0] == (200 if body == {"webhook_url": None} else 422)


async def test_what_is_not_there(http):
    config = await saved(http)
    path = f"{CONFIGS}/{config['id']}"
    stranger = {"headers": {"Authorization": "Bearer llx-other"}}
    assert (await answer(http.get(path, **stranger)))[0] == 404
    assert (await answer(http.get(CONFIGS, **stranger)))[1] == []
    await status_of(http.delete(path))
    for request in (http.get(path), http.put(path, json={}), http.delete(path)):
        assert (await answer(request))[0] == 404
    status, refused = await created(http, webhook_configuration_ids=[config["id"]])
    assert (status, refused["detail"]) == (404, f"Webhook configuration {config['id']} not found")
    status, refused = await created(http, webhook_configuration_ids="x")
    assert (status, refused["detail"][0]["loc"]) == (422, ["body", "webhook_configuration_ids"])


async def test_a_webhook_configuration_is_there_after_a_restart(tmp_path):
    async with LocalServer(data=tmp_path, classify=scripted) as server, client_of(server) as http:
        config = await saved(http, webhook_signing_secret="secret")
    async with LocalServer(data=tmp_path, classify=scripted) as server, client_of(server) as http:
        assert await answer(http.get(f"{CONFIGS}/{config['id']}")) == (200, config)
