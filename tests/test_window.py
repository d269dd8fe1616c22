"""The window: what it shows, to whom, and that nothing a client sends becomes part of the page."""

import asyncio
import base64
import re
import shutil
import socket
import subprocess
from html.parser import HTMLParser

import aiohttp
import pytest

from llamaclassify import ClassifySession, PollPolicy
from llamaclassify.server import LocalServer

from .conftest import KEY, RULES, scripted

HOSTILE = "invoice-<img src=x onerror=alert(1)>\"'&amp;.txt"
CHROMIUM = shutil.which("chromium")


class Page(HTMLParser):
    """The page's tags, its counts, and its rows by column."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.counts, self.rows = [], [], []
        self._into = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append({})
        elif tag == "td":
            self._into = dict(attrs)["class"]
        elif tag == "li":
            self.counts.append("")
            self._into = "count"

    def handle_endtag(self, tag):
        if tag in {"td", "li"}:
            self._into = None

    def handle_data(self, data):
        if self._into == "count":
            self.counts[-1] += data
        elif self._into:
            row = self.rows[-1]
            row[self._into] = row.get(self._into, "") + data


async def looked_at(url, **headers):
    async with aiohttp.ClientSession() as client, client.get(url, headers=headers) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/html"
        return Page(await answer.text())


async def fill(server, *names, key=KEY):
    poll = PollPolicy(initial=0.005, maximum=0.02)
    async with ClassifySession(key, base_url=server.url, poll=poll) as session:
        return await session.classify_many([(name, b"x") for name in names], rules=RULES)


async def test_an_empty_window(server):
    page = await looked_at(server.url)
    assert (page.rows, page.counts) == ([], [])


async def test_jobs_newest_first_with_counts(server):
    for name in ("invoice-1.txt", "invoice-2.txt", "letter-1.txt", "broken-1.txt"):
        await fill(server, name)
    page = await looked_at(server.url)
    assert page.counts == ["COMPLETED 3", "FAILED 1", "invoice 2", "no rule fits 1"]
    broken, letter, second, first = page.rows[1:]
    assert broken["document"].startswith("broken-1.txtclj-")
    assert (broken["status"], broken["reasoning"]) == ("FAILED", "PDF_IS_BROKEN: it cannot be opened")
    assert "confidence" not in broken
    assert (letter["type"], letter["confidence"]) == ("no rule fits", " 90%")
    assert (first["type"], first["reasoning"]) == ("invoice", "invoice-1.txt: 1 bytes")
    assert second["document"].startswith("invoice-2.txt")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_a_v1_job_is_one_line(server, session):
    files = [(await session.files.upload((name, b"x"))).id for name in ("invoice-1.txt", "receipt-1.txt")]
    await session.classifier_jobs.create_and_wait(files, rules=RULES)
    page = await looked_at(server.url)
    assert page.counts == ["SUCCESS 1"]
    assert page.rows[1]["document"].startswith("invoice-1.txt and 1 more")
    assert page.rows[1]["type"] == "1 invoice, 1 receipt"


async def test_what_clients_send_is_text(server):
    await fill(server, HOSTILE)
    page = await looked_at(server.url)
    assert page.rows[1]["document"].startswith(HOSTILE)
    assert page.rows[1]["reasoning"] == f"{HOSTILE}: 1 bytes"
    assert [tag for tag, _ in page.tags if tag in {"img", "iframe", "link"}] == []
    assert [tag for tag, _ in page.tags if tag == "script"] == ["script"]


async def test_the_page_needs_nothing_from_elsewhere(server):
    async with aiohttp.ClientSession() as client, client.get(server.url) as answer:
        text, policy = await answer.text(), answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in policy
    assert not re.search(r"(src|href|url)\s*[=(]|@import|//[a-z]+\.", text)
    [nonce] = set(re.findall(r'nonce="([^"]+)"', text))
    assert f"script-src 'nonce-{nonce}'" in policy


async def test_more_jobs_than_the_window_shows(server, monkeypatch):
    monkeypatch.setattr("llamaclassify.server.store.glance._MOST_JOBS", 2)
    await fill(server, "invoice-1.txt", "invoice-2.txt", "invoice-3.txt")
    async with aiohttp.ClientSession() as client, client.get(server.url) as answer:
        text = await answer.text()
    assert len(Page(text).rows) == 3
    assert "The newest 2 of 3 jobs." in text


ELSEWHERE = [{"Host": "evil.example"}, {"X-Forwarded-For": "203.0.113.7"}, {"Forwarded": "for=203.0.113.7"}]


@pytest.mark.parametrize("headers", ELSEWHERE, ids=lambda headers: next(iter(headers)))
async def test_who_is_elsewhere_needs_a_key_and_sees_its_own(server, headers):
    await fill(server, "invoice-1.txt")
    await fill(server, "invoice-2.txt", key="llx-other")
    async with aiohttp.ClientSession() as client:
        for refused in ({}, {"Authorization": "Basic !"}, {"Authorization": basic("sk-1")}):
            async with client.get(server.url, headers=headers | refused) as answer:
                assert (answer.status, answer.headers["WWW-Authenticate"][:5]) == (401, "Basic")
    for authorization in (f"Bearer {KEY}", basic(KEY)):
        page = await looked_at(server.url, **headers, Authorization=authorization)
        assert [row["document"][:13] for row in page.rows[1:]] == ["invoice-1.txt"]
    assert len((await looked_at(server.url)).rows) == 3


async def test_another_address_of_this_machine_is_elsewhere():
    """A server for everybody, asked under an address that others could use."""
    async with LocalServer(host="0.0.0.0", classify=scripted, api_key="mine") as server:  # noqa: S104
        port = server.url.rpartition(":")[2]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("192.0.2.1", 9))
            except OSError:
                pytest.skip("this machine has no address but its own")
            address = probe.getsockname()[0]
        async with aiohttp.ClientSession(f"http://{address}:{port}") as client:
            for headers in ({}, {"Host": "localhost"}, {"Authorization": basic(KEY)}):
                async with client.get("/", headers=headers) as answer:
                    assert answer.status == 401
        await looked_at(f"http://{address}:{port}", Authorization=basic("mine"))
        await looked_at(f"http://127.0.0.1:{port}")


def basic(password):
    return "Basic " + base64.b64encode(f"anybody:{password}".encode()).decode()


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
async def test_in_a_real_browser(tmp_path):
    """The page as the browser has it after its own script has looked again."""
    async with LocalServer(classify=scripted) as server:
        await fill(server, HOSTILE, "receipt-1.txt")
        process = await asyncio.create_subprocess_exec(
            CHROMIUM,
            *"--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync".split(),
            *"--disable-background-networking --disable-component-update".split(),
            *(f"--user-data-dir={tmp_path}", "--virtual-time-budget=3000", "--dump-dom", server.url),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        dom, errors = await process.communicate()
    page = Page(dom.decode())
    assert {row["document"].partition("clj-")[0] for row in page.rows[1:]} == {HOSTILE, "receipt-1.txt"}
    assert '<span id="state" aria-live="off">live</span>' in dom.decode()
    assert b"Content Security Policy" not in errors
