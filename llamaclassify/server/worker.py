"""A worker process: reads requests from its standard input, answers on its standard output, one line each.

It holds the engine and the document readers, which the server's own process never loads.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import sys
import threading
from pathlib import Path
from typing import Any

from ..models import Configuration
from ..wire.converter import decode, encode
from .engine import Engine
from .text import DocumentError, read_pages

_log = logging.getLogger("llamaclassify.server.worker")


_BEHIND_THE_SERVER = 10


def main() -> None:
    """Answer requests until the server closes the pipe; the argument is how many bytes of memory to use."""
    _restrain(memory=int(sys.argv[1]))
    # Native libraries may print: only answers go to the pipe, the rest to the log.
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    requests: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(requests,), daemon=True).start()
    engine = Engine.load()
    while True:
        answer = _classify(engine, json.loads(requests.get()))
        answers.write(json.dumps(answer).encode() + b"\n")


def _restrain(*, memory: int) -> None:
    """Let no document take the machine's memory, nor the server its turn on the processor."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415  (not everywhere)

    # Of data, not of addresses: native libraries reserve addresses by the gigabyte and never use them. The
    # system keeps this limit itself: a watch on memory in use would come too late for a document that
    # unpacks to gigabytes within a second.
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    allowed = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (allowed, allowed))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(_BEHIND_THE_SERVER)


def _receive(requests: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        requests.put(line)
    # The server is gone: end at once, even in the middle of a document.
    os._exit(0)


def _classify(engine: Engine, request: dict[str, Any]) -> dict[str, Any]:
    try:
        configuration = decode(Configuration, request["configuration"], request="worker")
        path, name = Path(request["path"]), request["name"]
        pages = read_pages(path, name, configuration.parsing_configuration)
        return {"result": encode(engine.classify(pages, configuration.rules)), "pages": len(pages)}
    except DocumentError as error:
        return {"error": str(error)}
    except MemoryError:
        return {"error": "DOCUMENT_TOO_LARGE: reading the document takes more memory than it may"}
    except Exception as error:
        _log.exception("a document could not be classified")
        return {"error": f"INTERNAL: {type(error).__name__}: {error}"}


if __name__ == "__main__":
    main()
