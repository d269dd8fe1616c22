"""Measures what it takes to read a page of jobs, and prints the seconds of CPU."""

from __future__ import annotations

import argparse
import json
import time
import timeit
from collections.abc import Callable
from statistics import median

from clients.measuring import KEY, RULES
from stub import Job, page_of

Read = Callable[[bytes], object]
_PAGES_A_TIMING = 20
_TIMINGS = 15


def _json() -> Read:
    return json.loads


def _ours() -> Read:
    from llamaclassify import Job, Page  # noqa: PLC0415
    from llamaclassify.wire.converter import decode  # noqa: PLC0415

    return lambda content: decode(Page[Job], json.loads(content), request="GET /api/v2/classify")


def _vendor() -> Read:
    import httpx  # noqa: PLC0415
    from llama_cloud import LlamaCloud  # noqa: PLC0415
    from llama_cloud.pagination import SyncPaginatedCursor  # noqa: PLC0415
    from llama_cloud.types import ClassifyListResponse  # noqa: PLC0415

    client = LlamaCloud(api_key=KEY)
    kind = SyncPaginatedCursor[ClassifyListResponse]
    response = httpx.Response(200)
    # What its client does with an answer; nothing public does it without a request.
    return lambda content: client._process_response_data(
        data=json.loads(content), cast_to=kind, response=response
    )


_READERS = {"json": _json, "ours": _ours, "vendor": _vendor}


def _page(jobs: int) -> bytes:
    configuration = {"rules": RULES}
    bodies = [{"file_input": f"dfl-{n:05}", "configuration": configuration} for n in range(jobs)]
    return page_of([Job.of(body, 0.0) for body in bodies], None, jobs).encode()


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reader", choices=_READERS)
    parser.add_argument("--jobs", type=int, default=100)
    arguments = parser.parse_args()
    page, read = _page(arguments.jobs), _READERS[arguments.reader]()
    timings = timeit.repeat(
        lambda: read(page),
        setup="import gc; gc.enable()",
        timer=time.process_time,
        number=_PAGES_A_TIMING,
        repeat=_TIMINGS,
    )
    print(median(timings) / _PAGES_A_TIMING)


if __name__ == "__main__":
    _main()
