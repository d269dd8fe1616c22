"""The embedded server as any client sees it: plain HTTP, the service's shapes."""

import asyncio
import os
import re

import aiohttp
import pytest

from llamaclassify import ClassifySession, Configuration, Rule
from llamaclassify.server import LocalServer, pool
from llamaclassify.server.jobs import UnclassifiableError
from llamaclassify.server.pool import WorkerPool

from .conftest import KEY, scripted

RULE = {"type": "invoice", "description": "contains an invoice number"}
FILES = "/api/v1/beta/files"
JOBS = "/api/v2/classify"


@pytest.fixture
async def http(server):
    headers = {"Authorization": f"Bearer {KEY}"}
    async with aiohttp.ClientSession(server.url, headers=headers) as client:
        yield client


async def answer(request):
    async with request as response:
        return response.status, await response.json()


def form(name="invoice-1.txt", content=b"x", field="file"):
    data = aiohttp.FormData()
    data.add_field("purpose", "classify")
    data.add_field(field, content, filename=name)
    return data


async def uploaded(http, **document):
    status, file = await answer(http.post(FILES, data=form(**document)))
    assert status == 201
    return file["id"]


async def created(http, **body):
    rules = {"configuration": {"rules": [RULE]}}
    return await answer(http.post(JOBS, json={"file_input": await uploaded(http)} | rules | body))


async def finished(http, job_id):
    while True:
        _, job = await answer(http.get(f"{JOBS}/{job_id}"))
        if job["status"] in {"COMPLETED", "FAILED"}:
            return job
        await asyncio.sleep(0.001)


async def test_a_job_runs_to_its_result(http):
    status, job = await created(http, transaction_id="t-1")
    assert (status, job["status"], job["transaction_id"]) == (200, "PENDING", "t-1")
    assert re.fullmatch(r"clj-[0-9a-f-]{36}", job["id"])
    done = await finished(http, job["id"])
    assert done["result"] == {"type": "invoice", "confidence": 0.9, "reasoning": "invoice-1.txt: 1 bytes"}
    assert done["configuration"] == {"rules": [RULE], "mode": "FAST", "parsing_configuration": None}
    assert done["updated_at"] > done["created_at"]


async def test_the_deprecated_names_of_the_input_are_read(http):
    file_id = await uploaded(http)
    for name in ("file_id", "parse_job_id"):
        status, job = await created(http, file_input=None, **{name: file_id})
        assert (status, job["file_input"]) == (200, file_id)


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({"Authorization": ""}, "Not authenticated"),
        ({"Authorization": "Basic x"}, "Not authenticated"),
        ({"Authorization": "Bearer sk-1"}, "Invalid API Key: keys start with llx-"),
    ],
)
async def test_a_key_is_needed(http, headers, detail):
    for path in (JOBS, f"{JOBS}/x", f"{FILES}/x"):
        assert await answer(http.get(path, headers=headers)) == (401, {"detail": detail})


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"configuration": {"rules": []}}, ["body", "configuration", "rules"]),
        ({"configuration": {"rules": [RULE, RULE]}}, ["body", "configuration", "rules"]),
        ({"configuration": {"rules": [{"type": "a"}]}}, ["body", "configuration", "rules", 0, "description"]),
        ({"configuration": None}, ["body", "configuration"]),
        ({"configuration_id": "cfg-1"}, ["body", "configuration_id"]),
        ({"file_input": None}, ["body", "file_input"]),
        ({"transaction_id": "x" * 256}, ["body", "transaction_id"]),
    ],
)
async def test_a_create_that_cannot_be_right_is_a_422_with_the_place(http, body, loc):
    status, refused = await created(http, **body)
    assert status == 422
    assert [issue["loc"] for issue in refused["detail"]] == [loc]
    assert set(refused["detail"][0]) == {"loc", "msg", "type"}


@pytest.mark.parametrize("body", [b"{", b"[]", b""])
async def test_a_body_that_is_no_json_object_is_a_422(http, body):
    status, _ = await answer(http.post(JOBS, data=body))
    assert status == 422


async def test_what_is_not_there(http):
    unknown = {"file_input": "dfl-0"}
    status, refused = await created(http, **unknown)
    assert (status, refused["detail"][:28]) == (400, "File ID dfl-0 is not in Proj")
    status, refused = await created(http, file_input="pjb-0")
    assert (status, refused["detail"][:9]) == (400, "Parse Job")
    status, refused = await created(http, configuration=None, configuration_id="cfg-0")
    assert (status, refused["detail"]) == (404, "Classify configuration cfg-0 not found")
    assert await answer(http.get(f"{JOBS}/clj-0")) == (404, {"detail": "Classify job not found"})
    assert await answer(http.get(f"{FILES}/dfl-0")) == (404, {"detail": "File not found"})
    assert (await answer(http.get("/nowhere")))[0] == 404
    assert (await answer(http.put(JOBS)))[0] == 405


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (form(content=b""), "Uploaded file is empty."),
        (form(field="upload"), "file field is required for multipart requests."),
        ({"file": "no name", "purpose": "classify"}, "file field is required for multipart requests."),
    ],
)
async def test_an_upload_that_cannot_be_right(http, data, detail):
    assert await answer(http.post(FILES, data=data)) == (400, {"detail": detail})


async def test_an_upload_without_its_purpose(http):
    data = aiohttp.FormData()
    data.add_field("file", b"x", filename="x" * 3001)
    status, refused = await answer(http.post(FILES, data=data))
    assert status == 422
    assert [issue["loc"] for issue in refused["detail"]] == [
        ["body", "purpose"],
        ["body", "file", "filename"],
    ]


async def test_a_broken_multipart_body(http):
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    status, refused = await answer(http.post(FILES, data=b"no parts here", headers=headers))
    assert (status, list(refused)) == (400, ["detail"])


async def test_pages_stay_right_while_jobs_are_added(http):
    ids = [(await created(http))[1]["id"] for _ in range(5)]
    _, first = await answer(http.get(JOBS, params={"page_size": 2}))
    await created(http)
    seen = [job["id"] for job in first["items"]]
    page = first
    while page["next_page_token"]:
        params = {"page_size": 2, "page_token": page["next_page_token"]}
        _, page = await answer(http.get(JOBS, params=params))
        seen += [job["id"] for job in page["items"]]
    assert seen == ids[::-1]


async def test_every_filter(http):
    ids = [(await created(http))[1]["id"] for _ in range(3)]
    jobs = [await finished(http, job_id) for job_id in ids]

    async def listed(**params):
        _, page = await answer(http.get(JOBS, params=params))
        return [job["id"] for job in page["items"]]

    assert await listed(status="COMPLETED") == ids[::-1]
    assert await listed(status="FAILED") == []
    assert await listed(job_ids=[ids[0], ids[2], "clj-0"]) == [ids[2], ids[0]]
    assert await listed(configuration_id="cfg-0") == []
    middle = jobs[1]["created_at"]
    assert await listed(created_at_on_or_after=middle) == [ids[2], ids[1]]
    assert await listed(created_at_on_or_before=middle) == [ids[1], ids[0]]


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"page_size": "0"}, 422),
        ({"page_size": "101"}, 422),
        ({"page_size": "x"}, 422),
        ({"status": "DONE"}, 422),
        ({"created_at_on_or_after": "yesterday"}, 422),
        ({"page_token": "nonsense"}, 400),
        ({"page_token": "é"}, 400),
    ],
)
async def test_a_listing_that_cannot_be_right(http, params, status):
    assert (await answer(http.get(JOBS, params=params)))[0] == status


async def test_a_file_name_never_becomes_a_path(http):
    name = "../../etc/passwd.p/df"
    data = aiohttp.FormData(quote_fields=False)
    data.add_field("purpose", "classify")
    data.add_field("file", b"x", filename=name)
    status, file = await answer(http.post(FILES, data=data))
    assert (status, file["name"]) == (201, name)
    status, job = await created(http, file_input=file["id"])
    assert (await finished(http, job["id"]))["status"] == "COMPLETED"


async def test_an_upload_beyond_the_limit_is_refused(http, monkeypatch):
    monkeypatch.setattr("llamaclassify.server.files.LARGEST_UPLOAD", 10)
    status, _ = await answer(http.post(FILES, data=form(content=b"x" * 11)))
    assert status == 413


async def test_stopping_leaves_no_task_and_no_socket():
    before = len(asyncio.all_tasks())
    async with LocalServer(classify=scripted) as server:
        url = server.url
    assert len(asyncio.all_tasks()) == before
    async with aiohttp.ClientSession() as client:
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.get(url)


async def test_two_servers_at_once(server):
    async with LocalServer(classify=scripted) as other:
        assert other.url != server.url


async def test_a_fault_of_the_engine_fails_the_job_alone(caplog):
    async def faulty(path, name, configuration):
        raise ZeroDivisionError

    async with (
        LocalServer(classify=faulty, workers=1) as server,
        aiohttp.ClientSession(server.url, headers={"Authorization": f"Bearer {KEY}"}) as http,
    ):
        for _ in range(2):
            _, job = await created(http)
            done = await finished(http, job["id"])
            assert (done["status"], done["error_message"]) == ("FAILED", "INTERNAL: see the server's log")
    assert "ZeroDivisionError" in caplog.text


CONFIGURATION = Configuration([Rule("invoice", "contains an invoice number")])
WORKER_THAT = {
    "crashes": "import os, sys; sys.stdin.readline(); os._exit(3)",
    "hangs": "import time; time.sleep(3600)",
}


@pytest.mark.parametrize(("kind", "code"), [("hangs", "TIMEOUT"), ("crashes", "CRASHED")])
async def test_a_document_that_ends_its_worker_fails_alone(monkeypatch, tmp_path, kind, code):
    monkeypatch.setattr(pool, "WORKER", ("-c", WORKER_THAT[kind]))
    workers = WorkerPool(tmp_path, timeout=5 if kind == "crashes" else 0.05)
    with pytest.raises(UnclassifiableError, match=code):
        await workers.classify(tmp_path, "a.txt", CONFIGURATION)
    assert not workers._all
    await workers.aclose()


def processes():
    """The processes that are our children."""
    found = os.listdir("/proc") if os.path.isdir("/proc") else []
    ours = []
    for pid in filter(str.isdigit, found):
        try:
            with open(f"/proc/{pid}/stat") as stat:
                if stat.read().rpartition(")")[2].split()[1] == str(os.getpid()):
                    ours.append(pid)
        except OSError:
            continue
    return ours


async def test_the_real_engine_in_its_workers(tmp_path):
    """One real document, one that cannot be read; then no process is left."""
    text = tmp_path / "a.txt"
    text.write_text(
        "INVOICE\nInvoice number: 17\nBill to: Ada\nAmount due: 30.00 EUR\nPayment terms: 30 days"
    )
    broken = tmp_path / "b.pdf"
    broken.write_bytes(b"%PDF-1.7 and then nothing that a PDF has")
    before = processes()
    async with LocalServer() as server, ClassifySession(KEY, base_url=server.url) as session:
        rules = [Rule("invoice", "asks for payment of an amount due"), Rule("resume", "a person's career")]
        good, bad = await session.classify_many([text, broken], rules=rules)
        assert good.result.type == "invoice"
        assert "page 1" in good.result.reasoning
        assert "PDF_IS_BROKEN" in str(bad.error)
        assert len(processes()) > len(before)
    assert processes() == before


async def test_a_worker_that_was_killed_while_idle_is_no_documents_fault(tmp_path):
    text = tmp_path / "a.txt"
    text.write_text("INVOICE\nInvoice number: 17\nBill to: Ada\nAmount due: 30.00 EUR")
    workers = WorkerPool(tmp_path)
    try:
        await workers.classify(text, "a.txt", CONFIGURATION)
        [idle] = workers._idle
        idle._process.kill()
        await idle._process.wait()
        assert (await workers.classify(text, "a.txt", CONFIGURATION)).result.type == "invoice"
    finally:
        await workers.aclose()


async def test_a_create_without_a_transaction_id_is_its_own_job(http):
    _, named = await created(http, transaction_id="None")
    _, unnamed = await created(http)
    _, null = await created(http, transaction_id=None)
    assert len({named["id"], unnamed["id"], null["id"]}) == 3


@pytest.mark.parametrize("head", [b"Bad Header", b"A: " + b"x" * 9000])
async def test_a_part_with_broken_headers(http, head):
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    body = b"--b\r\n" + head + b"\r\n\r\nx\r\n--b--\r\n"
    status, _ = await answer(http.post(FILES, data=body, headers=headers))
    assert status == 400


async def test_a_client_that_hangs_up_during_an_upload_is_no_fault_of_the_server(server, caplog):
    host, port = server.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = f"POST {FILES} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 1000\r\n"
    kind = "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    part = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf of'
    writer.write((head + kind + part).encode())
    await writer.drain()
    await asyncio.sleep(0.02)
    writer.transport.abort()
    await asyncio.sleep(0.02)
    async with ClassifySession(KEY, base_url=server.url) as session:
        assert [file async for file in session.files.list()] == []
    assert not caplog.records
