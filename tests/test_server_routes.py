"""The server's files, saved configurations, v1 jobs and usage: plain HTTP, held against the contract."""

import asyncio
import json
import re
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest
from jsonschema import Draft202012Validator
from yarl import URL

from llamaclassify import Result
from llamaclassify.server import LocalServer
from llamaclassify.server.clock import Clock

from .conftest import KEY, scripted
from .test_server import FILES, JOBS, RULE, answer, created, finished, form, uploaded

CONFIGURATIONS = "/api/v1/beta/configurations"
CLASSIFIER = "/api/v1/classifier/jobs"
PARAMETERS = {"product_type": "classify_v2", "rules": [RULE]}
AUTHORIZATION = {"Authorization": f"Bearer {KEY}"}
CONTRACT = json.loads((Path(__file__).parent / "openapi.json").read_text())


def client_of(server):
    return aiohttp.ClientSession(server.url, headers=AUTHORIZATION)


@pytest.fixture
async def http(server):
    async with client_of(server) as client:
        yield client


async def status_of(request):
    async with request as response:
        return response.status, await response.read()


async def listed(http, path, **params):
    """Every item of a listing, page by page."""
    items, token = [], None
    while True:
        page_params = params | ({"page_token": token} if token else {})
        status, page = await answer(http.get(path, params=page_params))
        assert status == 200
        items += page["items"]
        token = page["next_page_token"]
        if not token:
            return items


# Files


async def named_files(http, *names):
    return [await uploaded(http, name=name) for name in names]


async def test_files_come_in_the_order_asked_for(http):
    ids = await named_files(http, "b.txt", "c.txt", "a.txt", "b.txt")

    async def order(**params):
        return [file["id"] for file in await listed(http, FILES, page_size=1, **params)]

    assert await order() == ids[::-1]
    assert await order(order_by="created_at") == ids[::-1]
    assert await order(order_by="name") == [ids[2], ids[0], ids[3], ids[1]]
    assert await order(order_by="id") == sorted(ids)


async def test_pages_by_name_stay_right_while_files_come_and_go(http):
    ids = await named_files(http, "b.txt", "d.txt", "f.txt")
    params = {"order_by": "name", "page_size": 2}
    _, first = await answer(http.get(FILES, params=params))
    await named_files(http, "a.txt", "e.txt")
    await status_of(http.delete(f"{FILES}/{ids[1]}"))
    _, rest = await answer(http.get(FILES, params=params | {"page_token": first["next_page_token"]}))
    assert [file["name"] for file in first["items"] + rest["items"]] == ["b.txt", "d.txt", "e.txt", "f.txt"]


async def test_every_filter_of_files(http):
    ids = await named_files(http, "a.txt", "b.txt", "b.txt")
    data = form(name="c.txt")
    data.add_field("external_file_id", "mine")
    _, mine = await answer(http.post(FILES, data=data))

    async def found(**params):
        return sorted(file["id"] for file in await listed(http, FILES, **params))

    assert await found(file_name="b.txt") == sorted(ids[1:])
    assert await found(file_name="b") == []
    assert await found(file_ids=[ids[0], ids[1], "dfl-0"]) == sorted(ids[:2])
    assert await found(external_file_id="mine", unknown="ignored") == [mine["id"]]


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"order_by": "size"}, 422),
        ({"order_by": "name desc"}, 422),
        ({"page_size": "1001"}, 422),
        ({"page_size": "9" * 5000}, 422),
        ({"page_token": "bm9uc2Vuc2U="}, 400),
        ({"page_token": "WyJhLnR4dCIsIDFd"}, 400),  # ["a.txt", 1]: a token of the order by name
        ({"page_token": "W251bGxd"}, 400),
    ],
)
async def test_a_listing_of_files_that_cannot_be_right(http, params, status):
    await uploaded(http)
    assert (await answer(http.get(FILES, params=params)))[0] == status


async def test_the_deprecated_query_of_files(http):
    ids = await named_files(http, "b.txt", "a.txt", "c.txt")

    async def found(**body):
        status, page = await answer(http.post(f"{FILES}/query", json=body))
        assert status == 200
        return [file["id"] for file in page["items"]]

    assert await found() == ids[::-1]
    assert await found(page_size=5000, filter=None, order_by="name") == [ids[1], ids[0], ids[2]]
    assert await found(page_size=1) == [ids[2]]
    assert await found(filter={"file_ids": [ids[0]], "only_manually_uploaded": True}) == [ids[0]]
    assert await found(filter={"file_name": "c.txt"}) == [ids[2]]
    assert await found(filter={"external_file_id": "mine"}) == []
    assert await found(filter={"data_source_id": "any"}) == []
    assert await found(filter={"project_id": "another"}) == []


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"page_size": 0}, ["body", "page_size"]),
        ({"page_size": True}, ["body", "page_size"]),
        ({"order_by": ["name"]}, ["body", "order_by"]),
        ({"page_token": 1}, ["body", "page_token"]),
        ({"filter": []}, ["body", "filter"]),
        ({"filter": {"file_ids": "dfl-0"}}, ["body", "filter", "file_ids"]),
        ({"filter": {"project_id": [1]}}, ["body", "filter", "project_id"]),
    ],
)
async def test_a_query_of_files_that_cannot_be_right(http, body, loc):
    status, refused = await answer(http.post(f"{FILES}/query", json=body))
    assert (status, [issue["loc"] for issue in refused["detail"]]) == (422, [loc])


async def test_a_deleted_file_is_gone_from_the_disk_too():
    documents = []

    async def remember(path, name, configuration):
        documents.append(path)
        return Result(confidence=0.0)

    async with LocalServer(classify=remember) as server, client_of(server) as http:
        _, job = await created(http)
        await finished(http, job["id"])
        assert documents[0].exists()
        assert await status_of(http.delete(f"{FILES}/{job['file_input']}")) == (204, b"")
        assert not documents[0].exists()
        for request in (http.get, http.delete):
            gone = await answer(request(f"{FILES}/{job['file_input']}"))
            assert gone == (404, {"detail": "File not found"})
        again = {"file_input": job["file_input"], "configuration": {"rules": [RULE]}}
        assert (await answer(http.post(JOBS, json=again)))[0] == 400


async def test_a_file_that_is_deleted_fails_the_jobs_that_need_it():
    """Both the one that waits in the queue and the one whose document is being read."""
    reading, deleted = asyncio.Event(), asyncio.Event()

    async def slow(path, name, configuration):
        reading.set()
        await deleted.wait()
        return Result(confidence=0.0, reasoning=path.read_text())

    async with LocalServer(classify=slow, workers=1) as server, client_of(server) as http:
        _, read = await created(http)
        _, waits = await created(http, file_input=read["file_input"])
        await reading.wait()
        await status_of(http.delete(f"{FILES}/{read['file_input']}"))
        deleted.set()
        for job in (read, waits):
            done = await finished(http, job["id"])
            message = "The file was deleted before the job ran"
            assert (done["status"], done["error_message"]) == ("FAILED", message)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Mai ä;'%.txt", "Mai _;'%.txt"),
        ('a"\r\nSet-Cookie: b\\.txt', "a___Set-Cookie: b_.txt"),
    ],
)
async def test_a_document_is_fetched_by_its_link_without_a_key(http, name, plain):
    content = b"x" * 300_000
    body = f"--b\r\nContent-Disposition: form-data; name=file; filename*=UTF-8''{quote(name)}\r\n\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    purpose = b"\r\n--b\r\nContent-Disposition: form-data; name=purpose\r\n\r\nclassify"
    data = body.encode() + content + purpose + b"\r\n--b--\r\n"
    _, file = await answer(http.post(FILES, data=data, headers=headers))
    assert file["name"] == name
    params = {"expires_at_seconds": 60}
    status, link = await answer(http.get(f"{FILES}/{file['id']}/content", params=params))
    assert (status, link["form_fields"]) == (200, None)
    async with aiohttp.ClientSession() as anybody, anybody.get(link["url"]) as response:
        assert (response.status, await response.read()) == (200, content)
        assert response.content_disposition.filename == name
        assert f'filename="{plain}";' in response.headers["Content-Disposition"]
        assert "Set-Cookie" not in response.headers


async def test_a_compressed_document_comes_as_it_was_stored(http):
    content = b"not really compressed"
    file_id = await uploaded(http, name="log.txt.gz", content=content)
    _, link = await answer(http.get(f"{FILES}/{file_id}/content"))
    assert await status_of(http.get(link["url"])) == (200, content)


async def test_a_link_comes_with_the_file_where_it_is_asked_for(http):
    file_id = await uploaded(http)
    _, plain = await answer(http.get(f"{FILES}/{file_id}"))
    assert plain["download_url"] is None
    expand = {"expand": ["other", "download_url"]}
    _, file = await answer(http.get(f"{FILES}/{file_id}", params=expand))
    [same] = await listed(http, FILES, **expand)
    for link in (file["download_url"], same["download_url"]):
        assert await status_of(http.get(link["url"])) == (200, b"x")


async def test_a_link_that_is_not_ours_opens_nothing(http):
    file_id, other = await uploaded(http), await uploaded(http)
    _, link = await answer(http.get(f"{FILES}/{file_id}/content", params={"expires_at_seconds": 1}))
    expires = re.search(r"expires=(\d+)", link["url"])[1]
    wrong = [
        link["url"].replace(file_id, other),
        link["url"].replace(expires, str(int(expires) + 1)),
        link["url"].partition("?")[0],
        link["url"][:-1],
        link["url"] + "%C3%A4",
    ]
    for url in wrong:
        assert await answer(http.get(url)) == (403, {"detail": "The signature of this link is wrong"})


async def test_a_link_that_is_too_old_opens_nothing():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    clock = Clock(now=lambda: now)
    async with LocalServer(classify=scripted, clock=clock) as server, client_of(server) as http:
        params = {"expires_at_seconds": 60}
        _, link = await answer(http.get(f"{FILES}/{await uploaded(http)}/content", params=params))
        now += timedelta(seconds=60)
        assert (await status_of(http.get(link["url"])))[0] == 200
        now += timedelta(seconds=1)
        assert await answer(http.get(link["url"])) == (403, {"detail": "This link has expired"})


@pytest.mark.parametrize("seconds", ["0", "-1", "x", "1.5", str(10**12)])
async def test_a_link_that_cannot_be_made(http, seconds):
    params = {"expires_at_seconds": seconds}
    status, refused = await answer(http.get(f"{FILES}/{await uploaded(http)}/content", params=params))
    assert (status, refused["detail"][0]["loc"]) == (422, ["query", "expires_at_seconds"])


@pytest.mark.parametrize("host", ["", "x:99999"])
async def test_no_link_is_made_to_a_host_that_is_none(http, host):
    await uploaded(http)
    status, refused = await answer(http.get(f"{FILES}?expand=download_url", headers={"Host": host}))
    assert (status, refused) == (400, {"detail": "Invalid Host header"})


# Saved configurations


async def saved(http, name="mine", **parameters):
    body = {"name": name, "parameters": PARAMETERS | parameters}
    status, configuration = await answer(http.post(CONFIGURATIONS, json=body))
    assert status == 201
    return configuration


async def test_a_configuration_is_saved_and_saved_again(http):
    first = await saved(http)
    assert re.fullmatch(r"cfg-[0-9a-f-]{36}", first["id"])
    assert first["parameters"] == PARAMETERS | {"mode": "FAST", "parsing_configuration": None}
    again = await saved(http, parsing_configuration={"lang": "de"})
    assert again["id"] == first["id"]
    assert again["version"] != first["version"]
    assert again["created_at"] == first["created_at"]
    assert again["parameters"]["parsing_configuration"]["lang"] == "de"
    assert (await saved(http, name="other"))["id"] != first["id"]
    assert (await saved(http, product_type="extract_v2"))["id"] != first["id"]


async def test_another_products_parameters_stay_as_they_are(http):
    parameters = {"product_type": "unknown", "anything": [1, None], "rules": "other"}
    configuration = await saved(http, **parameters)
    assert configuration["parameters"] == parameters
    assert await answer(http.get(f"{CONFIGURATIONS}/{configuration['id']}")) == (200, configuration)


async def test_a_configuration_is_changed_in_what_is_given(http):
    first = await saved(http)
    path = f"{CONFIGURATIONS}/{first['id']}"
    status, renamed = await answer(http.put(path, json={"name": "new", "parameters": None}))
    assert (status, renamed["name"], renamed["parameters"]) == (200, "new", first["parameters"])
    other = {"type": "receipt", "description": "shows a payment"}
    body = {"parameters": {"product_type": "classify_v2", "rules": [other]}}
    _, changed = await answer(http.put(path, json=body))
    assert (changed["name"], changed["parameters"]["rules"]) == ("new", [other])
    _, same = await answer(http.put(path, json={}))
    assert len({step["version"] for step in (first, renamed, changed, same)}) == 4
    await saved(http, name="taken")
    status, refused = await answer(http.put(path, json={"name": "taken"}))
    assert (status, list(refused)) == (409, ["detail"])
    assert (await answer(http.put(path, json={"name": "new"})))[0] == 200


async def test_a_configuration_is_deleted(http):
    path = f"{CONFIGURATIONS}/{(await saved(http))['id']}"
    assert await status_of(http.delete(path)) == (204, b"")
    for request in (http.get(path), http.delete(path), http.put(path, json={})):
        status, gone = await answer(request)
        assert (status, gone["detail"][-9:]) == (404, "not found")


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"name": ""}, ["body", "name"]),
        ({"name": "x" * 256}, ["body", "name"]),
        ({"parameters": []}, ["body", "parameters"]),
        ({"parameters": {"rules": [RULE]}}, ["body", "parameters", "product_type"]),
        ({"parameters": {"product_type": "classify_v2"}}, ["body", "parameters", "rules"]),
        (
            {"parameters": PARAMETERS | {"rules": [{"type": "a", "description": "short"}]}},
            ["body", "parameters", "rules", 0, "description"],
        ),
        ({"parameters": PARAMETERS | {"mode": "MULTIMODAL"}}, ["body", "parameters", "mode"]),
    ],
)
async def test_a_configuration_that_cannot_be_right(http, body, loc):
    path = f"{CONFIGURATIONS}/{(await saved(http))['id']}"
    full = {"name": "a", "parameters": PARAMETERS} | body
    for request in (http.post(CONFIGURATIONS, json=full), http.put(path, json=body)):
        status, refused = await answer(request)
        assert (status, [issue["loc"] for issue in refused["detail"]]) == (422, [loc])


async def test_a_configuration_needs_a_name_and_parameters_and_keeps_its_product(http):
    status, refused = await answer(http.post(CONFIGURATIONS, json={}))
    assert [issue["loc"][1] for issue in refused["detail"]] == ["name", "parameters"]
    path = f"{CONFIGURATIONS}/{(await saved(http))['id']}"
    status, refused = await answer(http.put(path, json={"parameters": {"product_type": "unknown"}}))
    assert (status, refused["detail"][0]["loc"]) == (422, ["body", "parameters", "product_type"])


async def test_every_filter_of_configurations(http):
    one, two = await saved(http, name="one"), await saved(http, name="two")
    other = await saved(http, name="one", product_type="parse_v2")

    async def found(**params):
        return [each["id"] for each in await listed(http, CONFIGURATIONS, page_size=1, **params)]

    assert await found(latest_only="true") == [other["id"], two["id"], one["id"]]
    assert await found(product_type=["classify_v2", "split_v1"]) == [two["id"], one["id"]]
    assert await found(name="one") == [other["id"], one["id"]]
    status, _ = await answer(http.get(CONFIGURATIONS, params={"product_type": "other"}))
    assert status == 422


async def test_a_job_runs_with_a_saved_configuration(http):
    config_id = (await saved(http))["id"]
    status, job = await created(http, configuration=None, configuration_id=config_id)
    assert (status, job["configuration_id"]) == (200, config_id)
    await status_of(http.delete(f"{CONFIGURATIONS}/{config_id}"))
    done = await finished(http, job["id"])
    assert done["result"]["type"] == "invoice"
    assert done["configuration"] == {"rules": [RULE], "mode": "FAST", "parsing_configuration": None}
    assert [each["id"] for each in await listed(http, JOBS, configuration_id=config_id)] == [job["id"]]


async def test_a_job_takes_no_configuration_of_another_product(http):
    other = await saved(http, product_type="extract_v2")
    status, refused = await created(http, configuration=None, configuration_id=other["id"])
    assert (status, refused["detail"]) == (404, f"Classify configuration {other['id']} not found")


# The deprecated v1 jobs


async def ended(http, job_id):
    while True:
        _, job = await answer(http.get(f"{CLASSIFIER}/{job_id}"))
        if job["status"] != "PENDING":
            return job
        await asyncio.sleep(0.001)


async def classified(http, *names):
    """A v1 job that has ended, and what it found by the names of its files."""
    ids = dict(zip(await named_files(http, *names), names, strict=True))
    status, job = await answer(http.post(CLASSIFIER, json={"file_ids": list(ids), "rules": [RULE]}))
    assert (status, job["status"]) == (200, "PENDING")
    job = await ended(http, job["id"])
    _, found = await answer(http.get(f"{CLASSIFIER}/{job['id']}/results"))
    assert (found["next_page_token"], found["total_size"]) == (None, len(found["items"]))
    return job, {ids[item["file_id"]]: item["result"] for item in found["items"]}


async def test_a_v1_job_classifies_every_file(http):
    names = [f"invoice-{number}.txt" for number in range(20)] + ["poem.txt"]
    job, found = await classified(http, *names)
    assert re.fullmatch(r"[0-9a-f-]{36}", job["id"])
    assert (job["status"], job["error_message"], job["rules"]) == ("SUCCESS", None, [RULE])
    assert (job["mode"], "file_ids" in job) == ("FAST", False)
    assert job["parsing_configuration"] == {"lang": "en", "max_pages": 5, "target_pages": None}
    assert Counter(result["type"] for result in found.values()) == {"invoice": 20, None: 1}


@pytest.mark.parametrize(
    ("names", "status", "message"),
    [
        (["invoice-1.txt", "broken-2.pdf"], "PARTIAL_SUCCESS", "1 of 2 files could not be classified"),
        (["broken-1.pdf", "broken-2.pdf"], "ERROR", "2 of 2 files could not be classified"),
    ],
)
async def test_a_v1_job_whose_files_cannot_be_read(http, names, status, message):
    job, found = await classified(http, *names)
    assert job["status"] == status
    assert job["error_message"].startswith(message)
    assert "PDF_IS_BROKEN" in job["error_message"]
    failed = {name for name, result in found.items() if result is None}
    assert failed == {name for name in names if name.startswith("broken")}


async def test_the_files_of_a_v1_job_are_shared_by_the_workers():
    """Two files that each wait for the other: they must be under way at once."""
    arrived = []
    both = asyncio.Event()

    async def together(path, name, configuration):
        arrived.append(name)
        if len(arrived) == 2:
            both.set()
        await both.wait()
        return Result(confidence=0.0)

    async with LocalServer(classify=together, workers=2) as server, client_of(server) as http:
        job, _ = await classified(http, "a.txt", "b.txt")
    assert job["status"] == "SUCCESS"


async def test_results_before_the_end_are_those_that_are_there():
    go_on = asyncio.Event()

    async def second_waits(path, name, configuration):
        if name == "b.txt":
            await go_on.wait()
        return Result(confidence=0.0)

    async with LocalServer(classify=second_waits, workers=1) as server, client_of(server) as http:
        ids = await named_files(http, "a.txt", "b.txt")
        # A file named twice is classified once.
        _, job = await answer(http.post(CLASSIFIER, json={"file_ids": ids + ids[:1], "rules": [RULE]}))
        path = f"{CLASSIFIER}/{job['id']}"
        found = {"items": []}
        while not found["items"]:
            _, found = await answer(http.get(f"{path}/results"))
        assert [item["file_id"] for item in found["items"]] == ids[:1]
        assert (await answer(http.get(path)))[1]["status"] == "PENDING"
        go_on.set()
        assert (await ended(http, job["id"]))["status"] == "SUCCESS"
        _, found = await answer(http.get(f"{path}/results"))
        assert [item["file_id"] for item in found["items"]] == ids
        assert {item["classify_job_id"] for item in found["items"]} == {job["id"]}


async def test_v1_jobs_are_listed_newest_first(http):
    ids = [(await classified(http, "invoice-1.txt"))[0]["id"] for _ in range(3)]
    assert [job["id"] for job in await listed(http, CLASSIFIER, page_size=2)] == ids[::-1]


@pytest.mark.parametrize(
    ("given", "lang", "max_pages", "target_pages"),
    [
        ({}, "en", 5, None),
        ({"lang": "ch_tra", "max_pages": None}, "zh", 5, None),
        ({"lang": "rs_latin", "max_pages": 2}, "sr", 2, None),
        ({"target_pages": [0, 2]}, "en", None, "1,3"),
    ],
)
async def test_what_v1_says_of_reading_is_what_the_engine_is_asked(given, lang, max_pages, target_pages):
    asked = []

    async def remember(path, name, configuration):
        asked.append(configuration.parsing_configuration)
        return Result(confidence=0.0)

    async with LocalServer(classify=remember) as server, client_of(server) as http:
        body = {"file_ids": await named_files(http, "a.txt"), "rules": [RULE], "mode": "MULTIMODAL"}
        _, job = await answer(http.post(CLASSIFIER, json=body | {"parsing_configuration": given}))
        job = await ended(http, job["id"])
    assert job["mode"] == "MULTIMODAL"
    [parsing] = asked
    assert (parsing.lang, parsing.max_pages, parsing.target_pages) == (lang, max_pages, target_pages)


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"file_ids": None}, ["file_ids"]),
        ({"file_ids": []}, ["file_ids"]),
        ({"file_ids": ["dfl-0"] * 501}, ["file_ids"]),
        ({"file_ids": "dfl-0"}, ["file_ids"]),
        ({"file_ids": ["dfl-0", 1]}, ["file_ids", 1]),
        ({"rules": []}, ["rules"]),
        ({"rules": [RULE | {"description": "x" * 501}]}, ["rules", 0, "description"]),
        ({"mode": "SLOW"}, ["mode"]),
        ({"parsing_configuration": 5}, ["parsing_configuration"]),
        ({"parsing_configuration": {"lang": "zh"}}, ["parsing_configuration", "lang"]),
        ({"parsing_configuration": {"lang": []}}, ["parsing_configuration", "lang"]),
        ({"parsing_configuration": {"max_pages": 0}}, ["parsing_configuration", "max_pages"]),
        ({"parsing_configuration": {"target_pages": []}}, ["parsing_configuration", "target_pages"]),
        ({"parsing_configuration": {"target_pages": "1"}}, ["parsing_configuration", "target_pages"]),
        ({"parsing_configuration": {"target_pages": [-1]}}, ["parsing_configuration", "target_pages"]),
        ({"parsing_configuration": {"target_pages": [10**9]}}, ["parsing_configuration", "target_pages"]),
        (
            {"parsing_configuration": {"target_pages": [0], "max_pages": 1}},
            ["parsing_configuration", "target_pages"],
        ),
        ({"webhook_configurations": {}}, ["webhook_configurations"]),
        ({"webhook_configurations": ["x"]}, ["webhook_configurations", 0]),
        ({"webhook_configurations": [{"url": "x"}]}, ["webhook_configurations", 0, "url"]),
        ({"webhook_configurations": [{"webhook_url": "ftp:"}]}, ["webhook_configurations", 0, "webhook_url"]),
    ],
)
async def test_a_v1_create_that_cannot_be_right(http, body, loc):
    asked = {"file_ids": ["dfl-0"], "rules": [RULE]} | body
    status, refused = await answer(http.post(CLASSIFIER, json=asked))
    assert (status, [issue["loc"] for issue in refused["detail"]]) == (422, [["body", *loc]])


async def test_what_is_not_there_for_v1(http):
    ids = [await uploaded(http), "dfl-0"]
    status, refused = await answer(http.post(CLASSIFIER, json={"file_ids": ids, "rules": [RULE]}))
    assert (status, refused["detail"][:34]) == (400, "File ID dfl-0 is not in Project ID")
    for path in (f"{CLASSIFIER}/x", f"{CLASSIFIER}/x/results"):
        assert await answer(http.get(path)) == (404, {"detail": "Classify job not found"})


# What a job cost, and what all routes have in common


async def test_the_usage_of_a_job_is_told_where_it_is_asked_for(http):
    file_ids = await named_files(http, "invoice-1.txt", "broken-1.txt")
    ids = [(await created(http, file_input=file_id))[1]["id"] for file_id in file_ids]
    costs = [{"credits": 1, "parse_credits": 1}, {"credits": None, "parse_credits": None}]
    for job_id, cost in zip(ids, costs, strict=True):
        assert (await finished(http, job_id))["usage"] is None
        _, job = await answer(http.get(f"{JOBS}/{job_id}", params={"expand": ["other", "usage"]}))
        assert job["usage"] == cost
    assert {job["usage"] for job in await listed(http, JOBS)} == {None}


async def test_a_job_that_has_not_ended_has_no_cost_yet():
    async def never(path, name, configuration):
        await asyncio.sleep(3600)

    async with LocalServer(classify=never) as server, client_of(server) as http:
        _, job = await created(http)
        _, job = await answer(http.get(f"{JOBS}/{job['id']}", params={"expand": "usage"}))
    assert job["usage"] == {"credits": None, "parse_credits": None}


async def test_each_page_that_the_engine_reads_costs_a_credit():
    async with LocalServer(workers=1) as server, client_of(server) as http:
        text = b"\f".join(b"Invoice number 17, amount due" for _ in range(3))
        file_id = await uploaded(http, content=text)
        for max_pages, credits in ((None, 3), (2, 2)):
            rules = {"rules": [RULE], "parsing_configuration": {"max_pages": max_pages}}
            _, job = await created(http, file_input=file_id, configuration=rules)
            await finished(http, job["id"])
            _, job = await answer(http.get(f"{JOBS}/{job['id']}", params={"expand": "usage"}))
            assert job["usage"] == {"credits": credits, "parse_credits": credits}


@pytest.mark.parametrize("path", [FILES, CONFIGURATIONS, CLASSIFIER, JOBS])
async def test_an_id_is_one_piece_of_the_path_whatever_it_holds(http, path):
    for unknown in ("a%2Fb", "%2E%2E", "a%20b", "%C3%A4", "a%3Fb"):
        status, gone = await answer(http.get(URL(f"{path}/{unknown}", encoded=True)))
        assert (status, gone["detail"][-9:]) == (404, "not found")


async def test_each_project_has_its_own(http):
    file_id, config_id = await uploaded(http), (await saved(http))["id"]
    job, _ = await classified(http, "invoice-1.txt")
    paths = [f"{FILES}/{file_id}", f"{CONFIGURATIONS}/{config_id}", f"{CLASSIFIER}/{job['id']}"]
    another = {"params": {"project_id": str(uuid.uuid4())}}
    strangers = [another, {"headers": {"Authorization": "Bearer llx-other"}}]
    for stranger in strangers:
        for path in paths:
            assert (await answer(http.get(path, **stranger)))[0] == 404
            assert await listed_by(http, path.rpartition("/")[0], stranger) == []
    for path in paths:
        assert (await answer(http.get(path)))[0] == 200
        assert (await answer(http.get(path, headers={"Authorization": ""})))[0] == 401


async def listed_by(http, path, stranger):
    _, page = await answer(http.get(path, **stranger))
    return page["items"]


# The contract


class Contract:
    """Asks as openapi.json names the operations, and holds every answer against it."""

    def __init__(self, http):
        self._http = http
        self.kept = set()

    async def __call__(self, method, template, *, data=None, json=None, **ids):
        path = template.format(**ids)
        async with self._http.request(method, path, data=data, json=json) as response:
            declared = CONTRACT["paths"][template][method]["responses"][str(response.status)]
            assert response.status < 300
            self.kept.add((method, template))
            if "content" not in declared:
                assert await response.read() == b""
                return None
            schema = declared["content"]["application/json"]["schema"]
            body = await response.json()
        Draft202012Validator(schema | {"components": CONTRACT["components"]}).validate(body)
        return body


async def test_every_operation_answers_as_the_contract_says(http):
    ask = Contract(http)
    data = form()
    data.add_field("external_file_id", "mine")
    file = await ask("post", FILES, data=data)
    broken = await ask("post", FILES, data=form(name="broken-1.pdf"))
    of_file = {"file_id": file["id"]}
    await ask("get", FILES + "/{file_id}", **of_file)
    await ask("get", FILES + "/{file_id}/content", **of_file)
    await ask("get", FILES)
    await ask("post", f"{FILES}/query", json={"filter": {"file_ids": [file["id"]]}})

    configuration = await ask("post", CONFIGURATIONS, json={"name": "mine", "parameters": PARAMETERS})
    of_configuration = {"config_id": configuration["id"]}
    body = {"parameters": PARAMETERS | {"parsing_configuration": {"lang": "de", "target_pages": "1-3"}}}
    await ask("put", CONFIGURATIONS + "/{config_id}", json=body, **of_configuration)
    await ask("get", CONFIGURATIONS + "/{config_id}", **of_configuration)
    await ask("post", CONFIGURATIONS, json={"name": "other", "parameters": {"product_type": "split_v1"}})
    await ask("get", CONFIGURATIONS)

    for file_id in (file["id"], broken["id"]):
        job = await ask("post", JOBS, json={"file_input": file_id, "configuration_id": configuration["id"]})
        await finished(http, job["id"])
        await ask("get", JOBS + "/{job_id}", job_id=job["id"])
    await ask("get", JOBS)
    await ask("delete", JOBS + "/{job_id}", job_id=job["id"])

    parsing = {"lang": "ch_sim", "target_pages": [0, 4]}
    body = {"file_ids": [file["id"], broken["id"]], "rules": [RULE], "parsing_configuration": parsing}
    many = await ask("post", CLASSIFIER, json=body)
    await ended(http, many["id"])
    await ask("get", CLASSIFIER)
    await ask("get", CLASSIFIER + "/{classify_job_id}", classify_job_id=many["id"])
    await ask("get", CLASSIFIER + "/{classify_job_id}/results", classify_job_id=many["id"])

    await ask("delete", CONFIGURATIONS + "/{config_id}", **of_configuration)
    await ask("delete", FILES + "/{file_id}", **of_file)

    declared = {(method, path) for path, item in CONTRACT["paths"].items() for method in item}
    assert declared - ask.kept == {("post", JOBS + "/{job_id}/cancel")}


async def test_a_cancelled_job_answers_as_the_contract_says():
    async def never(path, name, configuration):
        await asyncio.sleep(3600)

    async with LocalServer(classify=never) as server, client_of(server) as http:
        _, job = await created(http)
        job = await Contract(http)("post", JOBS + "/{job_id}/cancel", job_id=job["id"])
        assert job["status"] == "CANCELLED"


@pytest.mark.parametrize("name", ["project_id", "organization_id"])
async def test_a_project_is_named_by_its_uuid(http, name):
    for given in ("p-1", "\u00f1", "123e4567e89b12d3a456426614174000"):
        status, refused = await answer(http.get(JOBS, params={name: given}))
        assert (status, refused["detail"][0]["loc"]) == (422, ["query", name])
    for given in ("", str(uuid.uuid4()), f"prj-{uuid.uuid4()}"):
        assert (await answer(http.get(JOBS, params={name: given})))[0] == 200
