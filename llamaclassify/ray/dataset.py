"""`classify`: the rows of a Ray dataset with what they are; `Classifier`, the actor class that does it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import ray
from ray.data import ActorPoolStrategy, Dataset

from ..models import Configuration, Rule
from ..outcomes import Outcome
from ..policies import FollowServer, PollPolicy, RateLimit
from ..session import ClassifySession
from ..settings import limit_of, secret_of, url_of
from ..wire.job_body import JobBody
from ..wire.limits import RateBudget
from .budget import RayBudget
from .earlier import NOTHING, Earlier, Known
from .rows import Kind, Rows

_CLOSES_WITHIN = 2.0
"""Seconds that the end of an actor waits for its session to be closed."""
_BATCHES = 8
"""Batches that a worker has under way: enough for the service's rate. More would only wait for it, and for a
create that wait is part of its time."""
_POLL = PollPolicy(timeout=3600.0)
"""Where many workers share a rate, a turn may be long in coming."""


def classify(
    ds: Dataset,
    *,
    rules: Iterable[Rule] | None = None,
    configuration: Configuration | None = None,
    configuration_id: str | None = None,
    column: str | None = None,
    kind: Kind | None = None,
    prefix: str = "",
    done: str | Sequence[str] | None = None,
    retry_failed: bool = False,
    rate_limit: RateLimit | RateBudget | FollowServer | None = FollowServer.FOLLOW_SERVER,
    workers: int = 1,
    num_cpus: float = 0.25,
    batch_size: int = 64,
    **session: Any,
) -> Dataset:
    """Classify every row's document: the same rows, with the columns of an outcome.

    These are `type`, `confidence`, `reasoning`, `status`, `job_id`, `transaction_id` and `error`. A document
    that has no answer has an `error`; it never ends the job. A refused key does (401, 402, 403).

    However often Ray does a row again, its document has one job: the idempotency key of its create is made of
    its content and the configuration.

    Args:
        ds: The rows, each with a path, a URI, the bytes or the id of its document.
        rules: The rules; or give a `configuration`, or the `configuration_id` of a saved one.
        configuration: Rules together with how the documents are read.
        configuration_id: A configuration saved on the server.
        column: The column with the document; if not given, ``bytes``, ``path``, ``uri`` or ``id``, whichever
            there is first. Bytes have their name from ``name``, ``path`` or ``uri``, where there is one.
        kind: What the column holds, where it is not called so. A path is one that the workers can read.
        prefix: What the new columns begin with.
        done: What earlier jobs wrote, as Parquet: a folder, a file, or files. A document that has ended there
            gets its outcome from it, and the server is asked for nothing.
        retry_failed: Try documents again whose jobs failed or were cancelled there.
        rate_limit: How fast all workers together ask: the hosted service's limits there, none elsewhere, if
            not given. A `RateLimit` becomes a `RayBudget` that is named after the server.
        workers: Actors, each with a session of its own.
        num_cpus: The CPUs that Ray sets aside for each: it waits most of the time, and where actors take all
            there are, what reads and writes the rows is never run.
        batch_size: Rows of a batch; a worker has eight batches under way at once.
        session: What else `ClassifySession` takes: ``api_key``, ``base_url``, ``project_id``, ``poll`` …
            The key and the URL are taken from this process's environment if not given; a document has an
            hour, if `poll` is not.

    Raises:
        ConfigurationError: Something cannot be right; nothing was sent.
    """
    url = url_of(session.get("base_url"))
    limit = limit_of(rate_limit, url)
    if isinstance(limit, RateLimit) and limit != RateLimit.unlimited():
        limit = RayBudget(f"llamaclassify {urlsplit(url).hostname}", limit)
    options: dict[str, Any] = {
        "rules": None if rules is None else list(rules),
        "configuration": configuration,
        "configuration_id": configuration_id,
        "column": column,
        "kind": kind,
        "prefix": prefix,
        "retry_failed": retry_failed,
        # As a secret: Ray shows nobody what it is.
        **(session | {"api_key": secret_of(session.get("api_key")), "base_url": url, "rate_limit": limit}),
    }
    Classifier(**options)  # what is wrong is said here, not in the workers
    if done is not None:
        options["earlier"] = ray.put(Earlier.in_folder(done, prefix))
    return ds.map_batches(
        Classifier,
        fn_constructor_kwargs=options,
        batch_format="pyarrow",
        batch_size=batch_size,
        compute=ActorPoolStrategy(size=workers, max_concurrent_calls_per_actor=_BATCHES),
        num_cpus=num_cpus,
        udf_modifying_row_count=False,
    )


class Classifier:
    """The actor that `classify` runs, for a `map_batches` of your own: batches are pyarrow's.

    It has one session, so the waits of all its batches share their requests.
    """

    _loop: asyncio.AbstractEventLoop | None = None

    def __init__(
        self,
        *,
        rules: Iterable[Rule] | None = None,
        configuration: Configuration | None = None,
        configuration_id: str | None = None,
        column: str | None = None,
        kind: Kind | None = None,
        prefix: str = "",
        earlier: ray.ObjectRef[Earlier] | None = None,
        retry_failed: bool = False,
        **session: Any,
    ) -> None:
        """Set it up, with the arguments of `classify`; nothing is opened.

        Here a `RateLimit` is each worker's own, and `earlier` is what `done` comes to.

        Raises:
            ConfigurationError: Something cannot be right.
        """
        self._rows = Rows(column, kind, prefix)
        self._by: dict[str, Any] = {
            "rules": None if rules is None else list(rules),
            "configuration": configuration,
            "configuration_id": configuration_id,
        }
        JobBody.made(**self._by, webhook_configurations=None, webhook_configuration_ids=None)
        self._known = Known(NOTHING if earlier is None else ray.get(earlier))
        self._retry_failed = retry_failed
        session.setdefault("poll", _POLL)
        self._session = ClassifySession(**session)
        self._places = asyncio.Semaphore(_BATCHES)

    async def __call__(self, batch: pa.Table) -> AsyncIterator[pa.Table]:
        """Give the rows of a batch with the columns of their outcomes."""
        self._loop = asyncio.get_running_loop()
        # An empty one may lack its columns.
        yield self._rows.outcomes(batch, await self._outcomes(batch) if batch.num_rows else [])

    async def _outcomes(self, batch: pa.Table) -> list[Outcome | Exception]:
        async with self._places:
            documents = await self._rows.documents(batch)
            given = [found for found in documents if not isinstance(found, Exception)]
            outcomes = await self._session.classify_many(
                given,
                **self._by,
                concurrency=max(1, len(given)),
                journal=self._known,
                retry_failed=self._retry_failed,
            )
        left = iter(outcomes)
        return [found if isinstance(found, Exception) else next(left) for found in documents]

    def __del__(self) -> None:
        # At the end of an actor, Ray lets go of it; the loop runs on in a thread that ends with the process.
        with suppress(RuntimeError):
            asyncio.get_running_loop()
            return
        if self._loop is not None and self._loop.is_running():
            closing = asyncio.run_coroutine_threadsafe(self._session.aclose(), self._loop)
            with suppress(TimeoutError):
                closing.result(_CLOSES_WITHIN)
