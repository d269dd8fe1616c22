"""Worker processes: a document that crashes or hangs takes its worker along, never the server.

A worker is `llamaclassify.server.worker` in a process of its own, spoken to in lines of JSON. It starts with
the first document and is kept for the next.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from ..models import Configuration, Result
from ..wire.converter import decode, encode
from .jobs import Classified, UnclassifiableError

DOCUMENT_TIMEOUT = 60.0
"""Seconds that one document may take."""
WORKER_MEMORY = 2 << 30
"""Bytes that one worker may use; an ordinary document takes an eighth of it."""
WORKER = ("-m", "llamaclassify.server.worker")
"""What a worker's interpreter runs."""
_LONGEST_ANSWER = 1 << 20
_TIME_TO_END = 1.0
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class WorkerPool:
    """Classifies documents in worker processes; as many run as are asked for at once."""

    def __init__(
        self, folder: Path, *, timeout: float = DOCUMENT_TIMEOUT, memory: int = WORKER_MEMORY
    ) -> None:
        """Prepare workers that write what they must to `folder`."""
        self._folder = folder
        self._timeout = timeout
        self._memory = memory
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()

    async def classify(self, path: Path, name: str, configuration: Configuration) -> Classified:
        """Classify a document.

        Raises:
            UnclassifiableError: It cannot be read, took too long, or crashed its worker.
        """
        worker = await self._worker()
        request = {"path": str(path), "name": name, "configuration": encode(configuration)}
        try:
            with anyio.fail_after(self._timeout):
                answer = await worker.ask(request)
        except TimeoutError:
            await self._end(worker)
            raise UnclassifiableError(f"TIMEOUT: the document took more than {self._timeout:g} s") from None
        except (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError):
            await worker.leave()
            await self._end(worker)
            raise UnclassifiableError(_crashed(self._memory)) from None
        except BaseException:
            await self._end(worker)
            raise
        self._idle.append(worker)
        if "error" in answer:
            raise UnclassifiableError(answer["error"])
        return Classified(decode(Result, answer["result"], request="worker"), answer["pages"])

    async def aclose(self) -> None:
        """End every worker."""
        for worker in list(self._all):
            await self._end(worker)

    async def _worker(self) -> _Worker:
        """Give an idle worker, or a new one; one that was killed while idle is no document's fault."""
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive:
                return worker
            await self._end(worker)
        return await self._start()

    async def _start(self) -> _Worker:
        worker = _Worker(
            await anyio.open_process(
                # -P: a module in the folder that we happen to stand in must not be imported.
                [sys.executable, "-P", *WORKER, str(self._memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=None,
                env=os.environ | _ONE_THREAD | {"TMPDIR": str(self._folder)},
                # Ctrl-C is for us to act on; a worker ends with its pipe.
                start_new_session=True,
            )
        )
        self._all.add(worker)
        return worker

    async def _end(self, worker: _Worker) -> None:
        self._all.discard(worker)
        await worker.kill()


def _crashed(memory: int) -> str:
    size = f"{memory >> 20:,} MB"
    return (
        f"CRASHED: reading the document ended its worker: it is broken, or takes more than {size} of memory"
    )


class _Worker:
    def __init__(self, process: Process) -> None:
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018  (both are pipes)
        self._process = process
        self._requests = process.stdin
        self._answers = BufferedByteReceiveStream(process.stdout)

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        await self._requests.send(json.dumps(request).encode() + b"\n")
        answer = json.loads(await self._answers.receive_until(b"\n", _LONGEST_ANSWER))
        return dict(answer)

    async def leave(self) -> None:
        """Let a worker end that is about to: asyncio complains of one that is killed at that moment."""
        with anyio.move_on_after(_TIME_TO_END, shield=True):
            await self._process.wait()

    async def kill(self) -> None:
        with anyio.CancelScope(shield=True):
            if self.is_alive:
                self._process.kill()
            await self._process.aclose()
