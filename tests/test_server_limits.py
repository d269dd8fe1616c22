"""What the server refuses, and what a document may take of the machine."""

import asyncio
import zipfile
import zlib

import pytest
from reportlab.pdfgen.canvas import Canvas

from llamaclassify import Configuration, Rule
from llamaclassify.server import LocalServer
from llamaclassify.server.jobs import UnclassifiableError
from llamaclassify.server.pool import WorkerPool
from llamaclassify.server.text import DocumentError, read_pages

from .conftest import scripted
from .test_server import FILES, JOBS, RULE, answer, created, uploaded
from .test_server_routes import CLASSIFIER, client_of

CONFIGURATION = Configuration([Rule("invoice", "asks for payment of an amount due")])


async def test_more_documents_than_may_wait_are_refused_until_there_is_room():
    go_on = asyncio.Event()

    async def waits(path, name, configuration):
        await go_on.wait()
        return await scripted(path, name, configuration)

    async with LocalServer(classify=waits, workers=1, waiting=2) as server, client_of(server) as http:
        file_id = await uploaded(http)
        create = {"file_input": file_id, "transaction_id": "t-0"}
        _, first = await created(http, **create)
        while (await answer(http.get(f"{JOBS}/{first['id']}")))[1]["status"] == "PENDING":
            await asyncio.sleep(0.001)
        for _ in range(2):
            assert (await created(http, file_input=file_id))[0] == 200
        body = {"file_input": file_id, "configuration": {"rules": [RULE]}}
        async with http.post(JOBS, json=body) as refused:
            assert (refused.status, refused.headers["Retry-After"]) == (429, "1")
            assert "Too many documents" in (await refused.json())["detail"]
        many = {"file_ids": [file_id], "rules": [RULE]}
        assert (await answer(http.post(CLASSIFIER, json=many)))[0] == 429
        # What is known already takes no place.
        assert (await created(http, **create))[1]["id"] == first["id"]
        go_on.set()
        while (await answer(http.post(JOBS, json=body)))[0] == 429:
            await asyncio.sleep(0.001)


async def test_a_job_that_is_larger_than_the_queue_is_taken_when_nothing_waits():
    async with LocalServer(classify=scripted, waiting=1) as server, client_of(server) as http:
        ids = [await uploaded(http) for _ in range(3)]
        assert (await answer(http.post(CLASSIFIER, json={"file_ids": ids, "rules": [RULE]})))[0] == 200


@pytest.mark.parametrize(("key", "status"), [("secret", 200), ("llx-any", 401), ("secret2", 401), ("ä", 401)])
async def test_one_key_alone_where_one_is_given(key, status):
    async with LocalServer(classify=scripted, api_key="secret") as server, client_of(server) as http:
        headers = {"Authorization": f"Bearer {key}"}
        assert (await answer(http.get(FILES, headers=headers)))[0] == status


# Documents that take too much


def one_stream_pdf(path, content):
    """A PDF of one page whose content is compressed."""
    packed = zlib.compress(content, 9)
    path.write_bytes(
        b"%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R"
        b"/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n"
        b"4 0 obj<</Length %d/Filter/FlateDecode>>stream\n%b\nendstream endobj\n"
        b"trailer<</Root 1 0 R>>\n%%%%EOF" % (len(packed), packed)
    )


async def test_a_document_that_takes_too_much_memory_fails_alone(tmp_path):
    bomb, text = tmp_path / "bomb.pdf", tmp_path / "a.txt"
    one_stream_pdf(bomb, b"BT /F1 12 Tf 72 720 Td (Invoice number 17) Tj ET\n" * 800_000)
    assert bomb.stat().st_size < 200_000
    text.write_text("INVOICE\nInvoice number: 17\nBill to: Ada\nAmount due: 30.00 EUR")
    workers = WorkerPool(tmp_path, memory=400 << 20)
    try:
        with pytest.raises(UnclassifiableError, match=r"CRASHED|DOCUMENT_TOO_LARGE"):
            await workers.classify(bomb, "bomb.pdf", CONFIGURATION)
        assert (await workers.classify(text, "a.txt", CONFIGURATION)).result.type == "invoice"
    finally:
        await workers.aclose()


def test_an_office_document_that_unpacks_to_too_much_is_refused(tmp_path):
    path = tmp_path / "bomb.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("word/document.xml", "w") as document:
            for _ in range(110):
                document.write(b" " * (1 << 20))
    assert path.stat().st_size < 200_000
    with pytest.raises(DocumentError, match=r"DOCUMENT_TOO_LARGE: .* unpacks to more than is read"):
        read_pages(path, "bomb.docx", None)


def test_a_pdf_of_very_many_pages_is_read(tmp_path):
    path = tmp_path / "many.pdf"
    canvas = Canvas(str(path))
    for number in range(2000):
        canvas.drawString(72, 720, f"page {number}")
        canvas.showPage()
    canvas.save()
    assert len(read_pages(path, "many.pdf", None)) == 2000
