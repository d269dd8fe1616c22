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
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler
from processes import ENVIRONMENT
from sharer import limit_of, share
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
async def _on_host(url: str, rate: int, processes: int) -> AsyncIterator[None]:
    """Have processes share a `HostBudget`."""
    program = Path(__file__).with_name("sharer.py")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(program), url, str(rate), str(Path(folder, "budget"))]
        started = [await asyncio.create_subprocess_exec(*command, env=ENVIRONMENT) for _ in range(processes)]
        try:
            yield
        finally:
            for process in started:
                process.kill()
                await process.wait()


@asynccontextmanager
async def _on_ray(url: str, rate: int, processes: int) -> AsyncIterator[None]:
    """Have the workers of a Ray cluster share a `RayBudget`."""
    import ray  # noqa: PLC0415

    from llamaclassify.ray import RayBudget  # noqa: PLC0415

    def work() -> None:
        asyncio.run(share(url, rate, RayBudget("measured", limit_of(rate))))

    ray.init(num_cpus=processes, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
    started = [ray.remote(work).remote() for _ in range(processes)]
    yield
    ended, _ = ray.wait(started, timeout=0)
    ray.get(ended)  # with an error
    ray.shutdown()


def _shares(stub: Stub) -> list[int]:
    """Count the jobs of each process, the most first."""
    asked = (json.loads(job.fixed + "}")["file_input"] for job in stub.jobs.values())
    return sorted(Counter(name.rsplit("-", 1)[0] for name in asked).values(), reverse=True)


async def _measured(rate: int, processes: int, seconds: float, sharing: Callable[..., Any]) -> bool:
    stub, quota = Stub([2.0]), Quota(rate)
    async with _serving(stub, quota) as url, sharing(url, rate, processes):
        async with asyncio.timeout(60.0):
            while len(_shares(stub)) < processes:
                await asyncio.sleep(0.1)
        start = time.monotonic()
        before = len(quota.accepted), len(quota.refused)
        await asyncio.sleep(seconds)
        took = time.monotonic() - start
        accepted, refused = len(quota.accepted) - before[0], len(quota.refused) - before[1]
    measured, share, shares = accepted / took, refused / (accepted + refused), _shares(stub)
    print(
        f"{processes} processes, one budget of {rate} creates/s: {measured:.1f} creates/s over {took:.0f} s, "
        f"{refused} refused ({share:.2%}); the processes made "
        + ", ".join(f"{count / sum(shares):.1%}" for count in shares)
    )
    return abs(measured / rate - 1) <= 0.02 and share < 0.01


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python tests/bench/shared_quota.py", description=__doc__)
    parser.add_argument("--rate", type=int, default=100, help="creates a second (100)")
    parser.add_argument("--processes", type=int, default=4, help="how many share them (4)")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long that is measured (30)")
    parser.add_argument("--ray", action="store_true", help="they share a RayBudget instead of a HostBudget")
    given = parser.parse_args()
    sharing = _on_ray if given.ray else _on_host
    if not asyncio.run(_measured(given.rate, given.processes, given.seconds, sharing)):
        raise SystemExit(1)


if __name__ == "__main__":
    _main()
