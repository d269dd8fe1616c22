"""A page in headless Chromium, spoken to over its DevTools protocol."""

import asyncio
import itertools
import shutil
import subprocess
from contextlib import asynccontextmanager

import aiohttp
import pytest

CHROMIUM = shutil.which("chromium")
FLAGS = (
    *"--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync".split(),
    *"--disable-background-networking --disable-component-update --remote-debugging-port=0".split(),
)
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="chromium is not installed (Debian: apt-get install chromium)"
)


class Tab:
    """One page, and what it said on its console."""

    def __init__(self, socket):
        self._socket, self._numbers = socket, itertools.count(1)
        self.complaints = []

    async def ask(self, method, **params):
        """Send a command and give its result; what the page says meanwhile is kept."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while True:
            message = await self._socket.receive_json()
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            self._hear(message)

    def _hear(self, message):
        if message.get("method") == "Log.entryAdded":
            self.complaints.append(message["params"]["entry"]["text"])
        elif message.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(message["params"]["exceptionDetails"]["exception"]["description"])

    async def open(self, url, width=1280, height=900):
        """Open a page in a window of a size, and wait until it has loaded."""
        await self.ask("Log.enable")
        await self.ask("Runtime.enable")
        await self.ask("Page.enable")
        await self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        await self.ask("Page.navigate", url=url)
        await self.run("new Promise((done) => document.readyState === 'complete' ? done() : onload = done)")

    async def run(self, script):
        """Give what a script in the page comes to."""
        ran = await self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in ran, ran
        return ran["result"].get("value")


@asynccontextmanager
async def tab(folder):
    """Give a tab of a browser of its own, whose files are in `folder`."""
    process = await asyncio.create_subprocess_exec(
        CHROMIUM,
        *FLAGS,
        f"--user-data-dir={folder}",
        "about:blank",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        while b"DevTools listening on" not in (line := await process.stderr.readline()):
            assert line, "chromium ended"
        host = line.split(b"ws://")[1].split(b"/")[0].decode()
        async with aiohttp.ClientSession() as client:
            async with client.get(f"http://{host}/json/list") as answer:
                [page] = [page for page in await answer.json() if page["type"] == "page"]
            async with client.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                yield Tab(socket)
    finally:
        process.terminate()
        await process.communicate()
