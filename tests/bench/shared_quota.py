"""Measures a budget that processes share, at a server that refuses whatever exceeds it.

The server's quota is the strictest there can be: no second, wherever it begins, holds more creates than the
budget's rate. Ends with status 1 where the rate is off by more than 2 %, or 1 % was refused.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler
from processes import ENVIRONMENT
from stub import Stub


@dataclass
class Quota:
    """So many creates in any second, and what came.

    Attributes:
        rate: Creates in a second.
        accepted: When each was accepted.
        refused: When each was refused.
    """

    rate: int
    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse creates beyond the quota."""
        if request.method == "POST":
            now = time.monotonic()
            if len(self.accepted) >= self.rate and now - self.accepted[-self.rate] < 1.0:
                self.refused.append(now)
                return web.json_response({"detail": "too many"}, status=429)
            self.accepted.append(now)
        return await handler(request)


@asynccontextmanager
async def _serving(stub: Stub, quota: Quota) -> AsyncIterator[str]:
    application = stub.application()
    application.middlewares.append(quota.middleware)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        host, port = runner.addresses[0]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _sharing(url: str, rate: int, processes: int) -> AsyncIterator[None]:
    program = Path(__file__).with_name("sharer.py")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(program), url, str(Path(folder, "budget")), str(rate)]
        started = [await asyncio.create_subprocess_exec(*command, env=ENVIRONMENT) for _ in range(processes)]
        try:
            yield
        finally:
            for process in started:
                process.kill()
                await process.wait()


async def _measured(rate: int, processes: int, seconds: float) -> bool:
    stub, quota = Stub([2.0]), Quota(rate)
    async with _serving(stub, quota) as url, _sharing(url, rate, processes):
        while len(quota.accepted) < rate:  # until all have started
            await asyncio.sleep(0.1)
        start = time.monotonic()
        before = len(quota.accepted), len(quota.refused)
        await asyncio.sleep(seconds)
        took = time.monotonic() - start
        accepted, refused = len(quota.accepted) - before[0], len(quota.refused) - before[1]
    shares = Counter(
        json.loads(job.fixed + "}")["file_input"].rsplit("-", 1)[0] for job in stub.jobs.values()
    )
    measured, share = accepted / took, refused / (accepted + refused)
    print(
        f"{processes} processes, one budget of {rate} creates/s: {measured:.1f} creates/s over {took:.0f} s, "
        f"{refused} refused ({share:.2%}); of all creates the processes made "
        + ", ".join(f"{count / len(stub.jobs):.1%}" for count in sorted(shares.values(), reverse=True))
    )
    return abs(measured / rate - 1) <= 0.02 and share < 0.01


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python tests/bench/shared_quota.py", description=__doc__)
    parser.add_argument("--rate", type=int, default=100, help="creates a second (100)")
    parser.add_argument("--processes", type=int, default=4, help="how many share them (4)")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long that is measured (30)")
    options = parser.parse_args()
    if not asyncio.run(_measured(options.rate, options.processes, options.seconds)):
        raise SystemExit(1)


if __name__ == "__main__":
    _main()
