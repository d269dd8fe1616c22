"""`ClassifySession`: the API's calls, with waiting and fan-out on top."""

from __future__ import annotations

import functools
import math
import os
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from functools import cached_property
from hashlib import sha256
from types import TracebackType
from typing import TYPE_CHECKING, Self

from anyio.to_thread import run_sync

from .classifier_jobs import ClassifierJobs
from .errors import ConfigurationError
from .events import Listener, careful
from .models import Configuration, Job, Rule, WebhookConfiguration
from .outcomes import Document, Documents, Progress
from .policies import FollowServer, PollPolicy, RateLimit, RetryPolicy
from .settings import budget_of, secret_of, url_of
from .waiting import polling
from .waiting.batch import Batch, each
from .waiting.classifying import Classifying
from .waiting.clock import Clock
from .waiting.journal import Entries, Journal
from .waiting.journalled import Journalled
from .waiting.schedule import Schedule
from .waiting.status_reader import StatusReader
from .waiting.under_way import UnderWay
from .wire.classify import ClassifyJobs, new_transaction_id
from .wire.configurations import Configurations
from .wire.converter import decode
from .wire.files import Files
from .wire.job_body import JobBody
from .wire.lifetime import Lifetime
from .wire.limits import RateBudget
from .wire.retries import Retries
from .wire.sighting import Sighting
from .wire.transport import Transport

if TYPE_CHECKING:
    import aiohttp

DEFAULT_CONCURRENCY = 64


class ClassifySession(ClassifyJobs):
    """A session with the classification API: one for an application, shared by all its tasks.

    It holds the key, the connections and the policies. Nothing is opened before the first request; use
    ``async with``, or call `aclose`. It belongs to the event loop of its first request.

    ::

        RULES = [Rule("invoice", "contains an invoice number, line items, and a total amount")]

        async with ClassifySession(poll=PollPolicy(timeout=60)) as session:
            job = await session.create_and_wait(Path("a.pdf"), rules=RULES)
            print(job.result.type, job.result.confidence, job.result.reasoning)

    Attributes:
        files: The calls on stored files.
        configurations: The calls on saved configurations.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        project_id: str | None = None,
        organization_id: str | None = None,
        http: aiohttp.ClientSession | None = None,
        timeout: float = 60.0,
        retry: RetryPolicy | None = None,
        poll: PollPolicy | None = None,
        rate_limit: RateLimit | RateBudget | FollowServer | None = FollowServer.FOLLOW_SERVER,
        on_event: Listener | None = None,
    ) -> None:
        """Set a session up; no connection is made.

        Args:
            api_key: The key; ``LLAMA_CLOUD_API_KEY`` of the environment if not given.
            base_url: The server; ``LLAMA_CLOUD_BASE_URL`` if not given, else the hosted service.
            project_id: The project of every call; the key's own if not given.
            organization_id: The organization of every call.
            http: An aiohttp session of yours, with your proxies and TLS: it is used and never closed.
            timeout: Seconds for one attempt at one request; an upload gets more by its size.
            retry: How often a request is tried; `RetryPolicy()` if not given.
            poll: How a job is waited for; `PollPolicy()` if not given.
            rate_limit: How fast this session asks: the hosted service's own limits there, none elsewhere, if
                not given. A server that answers 429, or nothing but 5xx, slows the whole session down.
                None switches both off. A `RateBudget`, such as a `HostBudget`, is kept together with all
                that have it, in other processes too.
            on_event: Called with each event of `llamaclassify.events` as it happens: requests, retries, jobs
                created, seen and finished.

        Raises:
            ConfigurationError: There is no key, or the URL is none.
        """
        # Rebound at once: the bare key stays in no frame that a traceback could show.
        key = api_key = secret_of(api_key)  # type: ignore[assignment]
        if not 0 < timeout < math.inf:
            raise ConfigurationError(f"timeout: must be more than 0 seconds, got {timeout!r}")
        if retry is not None and not isinstance(retry, RetryPolicy):
            raise ConfigurationError(f"retry: expected a RetryPolicy, got {type(retry).__name__}")
        url, on_event = url_of(base_url), careful(on_event)
        lifetime = Lifetime()
        transport = Transport(
            key,
            base_url=url,
            scope={"organization_id": organization_id, "project_id": project_id},
            http=http,
            timeout=timeout,
            retries=Retries(retry or RetryPolicy(), budget_of(rate_limit, url), on_event=on_event),
            lifetime=lifetime,
            on_event=on_event,
        )
        super().__init__(transport)
        self.files: Files = Files(transport)
        self.configurations: Configurations = Configurations(transport)
        self._poll = polling.policy_in(poll, PollPolicy())
        self._lifetime = lifetime
        self._clock = Clock(sleep=lifetime.sleep)
        self._reader: StatusReader = StatusReader(self._seen, self._all_seen, self._clock)
        self._waits: polling.Waits[Job] = polling.Waits(
            self._reader.follow, Schedule(self._clock.now()), self._clock, on_event
        )

    @property
    def base_url(self) -> str:
        """The server that this session talks to."""
        return self._transport.base_url

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections, but not an HTTP session of yours; a second call does nothing."""
        await self._transport.aclose()

    @cached_property
    def classifier_jobs(self) -> ClassifierJobs:
        """The deprecated v1 jobs, with a `DeprecationWarning` the first time."""
        message = "the v1 classifier jobs are deprecated by the service: use create_and_wait or classify_many"
        warnings.warn(message, DeprecationWarning, stacklevel=3)
        return ClassifierJobs(self._transport, poll=self._poll, clock=self._clock)

    def watch(self, job_id: str, poll: PollPolicy | None = None) -> AsyncGenerator[Job]:
        """Follow a job: give it for each status seen, the terminal one last.

        ::

            job = await session.create(file_id, rules=RULES)
            async for job in session.watch(job.id):
                print(job.status)

        Raises:
            JobTimeoutError: The policy's time-out came first.
        """
        return self._waits.watch(job_id, polling.policy_in(poll, self._poll))

    def notify(self, job_id: str) -> None:
        """Have every wait on a job look at once: call it from a webhook that tells of the job.

        Webhook or poll, whichever comes first, ends the wait. A job that nobody waits for yet is remembered
        for a wait to come. Call it in the session's event loop.

        ::

            if webhooks.verify(body, signature, secret) and (job_id := webhooks.parse(body).job_id):
                session.notify(job_id)
        """
        self._reader.notify(job_id)

    async def wait(self, job_id: str, poll: PollPolicy | None = None, *, on_cancel: str = "detach") -> Job:
        """Wait until a job has ended, and give it if it completed.

        ::

            job = await session.create(file_id, rules=RULES)
            try:
                job = await session.wait(job.id, PollPolicy(timeout=60))
            except JobTimeoutError as error:
                print(error.job_id, "goes on; wait for it again")

        Args:
            job_id: The job.
            poll: When to look and when to give up; the session's if not given.
            on_cancel: When this wait is cancelled or times out, leave the job running (``"detach"``) or
                cancel it on the server (``"cancel"``, within 2 seconds).

        Raises:
            JobFailedError, JobCancelledError, JobTimeoutError: It did not complete; each carries the job.
        """
        policy, abandon = polling.policy_in(poll, self._poll), self._abandon_in(on_cancel)
        with self._lifetime.guarding():
            return await self._waits.until_completed(job_id, policy, abandon=abandon)

    async def create_and_wait(
        self,
        document: Document,
        *,
        rules: Iterable[Rule] | None = None,
        configuration: Configuration | None = None,
        configuration_id: str | None = None,
        poll: PollPolicy | None = None,
        on_cancel: str = "detach",
        transaction_id: str | None = None,
        webhook_configurations: Iterable[WebhookConfiguration] | None = None,
        webhook_configuration_ids: Iterable[str] | None = None,
    ) -> Job:
        """Classify one document: upload it if it is not an id, create the job, wait until it has completed.

        The deadline, ``poll.timeout`` seconds, counts from when the document is on the server: it spans the
        create with its retries, every pause and every look.

        ::

            try:
                job = await session.create_and_wait(Path("a.pdf"), rules=RULES, on_cancel="cancel")
            except JobFailedError as error:
                print("cannot be read:", error.job.error_message)
            else:
                print(job.result.type)

        Args:
            document: The id of a file or parse job, a path, or a name and the bytes.
            rules: The rules; or give a `configuration`, or the `configuration_id` of a saved one.
            configuration: Rules together with how the document is read.
            configuration_id: A configuration saved on the server.
            poll: When to look and when to give up; the session's if not given.
            on_cancel: When this is cancelled or times out, leave the job running (``"detach"``) or cancel it
                on the server (``"cancel"``, within 2 seconds).
            transaction_id: The idempotency key; made anew for each call if not given.
            webhook_configurations: Where the server reports changes of this job.
            webhook_configuration_ids: The same, saved on the server.

        Raises:
            JobFailedError, JobCancelledError, JobTimeoutError: It did not complete; each carries the job.
            ConfigurationError: The document or the rules cannot be right; nothing was sent.
        """
        shared = JobBody.made(
            rules=rules,
            configuration=configuration,
            configuration_id=configuration_id,
            webhook_configurations=webhook_configurations,
            webhook_configuration_ids=webhook_configuration_ids,
        )
        classifying = self._classifying(shared, poll, on_cancel)
        with self._lifetime.guarding():
            return await classifying.run(document, transaction_id or new_transaction_id())

    def classify_many(
        self,
        documents: Documents,
        *,
        rules: Iterable[Rule] | None = None,
        configuration: Configuration | None = None,
        configuration_id: str | None = None,
        concurrency: int = DEFAULT_CONCURRENCY,
        poll: PollPolicy | None = None,
        on_cancel: str = "detach",
        journal: str | os.PathLike[str] | Entries | None = None,
        retry_failed: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
        webhook_configurations: Iterable[WebhookConfiguration] | None = None,
        webhook_configuration_ids: Iterable[str] | None = None,
    ) -> Batch:
        """Classify many documents, at most `concurrency` at a time.

        ``await`` the batch for a list of `Outcome` in the documents' order, or ``async with`` it for an
        iterator in the order of completion, in memory bounded by `concurrency`. One bad document never
        ends a batch.

        ::

            paths = Path("inbox").iterdir()
            async with session.classify_many(paths, rules=RULES, journal="run.journal") as outcomes:
                async for outcome in outcomes:
                    print(outcome.document, outcome.result.type if outcome.ok else outcome.error)

        Args:
            documents: An iterable or async iterable of documents, finite or not, read as places become free.
            rules: The rules; or give a `configuration`, or the `configuration_id` of a saved one.
            configuration: Rules together with how the documents are read.
            configuration_id: A configuration saved on the server.
            concurrency: How many documents may be under way.
            poll: How each job is waited for; the session's if not given.
            on_cancel: What becomes of the remote jobs of documents under way when the batch is left early.
            journal: A file that remembers what has been done, made where there is none: a second run, after a
                crash too, delivers what is finished without a request, waits for the jobs that are running
                and creates the rest. One run at a time may use it. Or an object that remembers entries
                elsewhere, as `llamaclassify.ray` has one.
            retry_failed: Try documents again whose jobs failed or were cancelled in an earlier run.
            on_progress: Called with the batch's `Progress` whenever a document is done.
            webhook_configurations: Where the server reports changes of these jobs.
            webhook_configuration_ids: The same, saved on the server.

        Raises:
            ConfigurationError: The rules or the numbers cannot be right; nothing was sent.
        """
        shared = JobBody.made(
            rules=rules,
            configuration=configuration,
            configuration_id=configuration_id,
            webhook_configurations=webhook_configurations,
            webhook_configuration_ids=webhook_configuration_ids,
        )
        classifying = self._classifying(shared, poll, on_cancel)
        journalled = None
        entries = _entries_in(journal)
        if entries is not None:
            journalled = self._journalled(entries, classifying, shared, retry_failed=retry_failed)

        async def begin(document: Document) -> UnderWay:
            return await classifying.begin(document, new_transaction_id())

        return Batch(
            documents,
            begin if journalled is None else journalled.begin,
            concurrency=concurrency,
            guard=self._lifetime.enclosing,
            journal=entries if isinstance(entries, Journal) else None,
            on_progress=on_progress,
        )

    async def recall(
        self,
        documents: Documents,
        *,
        journal: str | os.PathLike[str],
        rules: Iterable[Rule] | None = None,
        configuration: Configuration | None = None,
        configuration_id: str | None = None,
    ) -> AsyncGenerator[tuple[Document, Job | None]]:
        """Look documents up in the journal of `classify_many`, and ask the server for nothing.

        Gives each document, in order, with its job as it ended in an earlier run on this server by these
        rules; with None where it is still to be classified.

        ::

            documents = sorted(Path("inbox").iterdir())
            async for document, job in session.recall(documents, journal="run.journal", rules=RULES):
                print(document, "is done" if job else "is to do")

        Raises:
            ConfigurationError: The journal is in use or cannot be read, or the rules cannot be right.
        """
        shared = JobBody.made(
            rules=rules,
            configuration=configuration,
            configuration_id=configuration_id,
            webhook_configurations=None,
            webhook_configuration_ids=None,
        )
        classifying = self._classifying(shared, None, "detach")
        opened = _journal_in(journal)
        journalled = self._journalled(opened, classifying, shared, retry_failed=False)
        async with opened, aclosing(each(documents)) as source:
            async for document in source:
                yield document, await journalled.recall(document)

    def _journalled(
        self,
        journal: Entries,
        classifying: Classifying,
        shared: JobBody,
        *,
        retry_failed: bool,
    ) -> Journalled:
        """Make how each document of a batch with a journal is classified."""
        return Journalled(
            classifying=classifying,
            journal=journal,
            server=self._transport.identity,
            configuration=sha256(shared.configuration).hexdigest(),
            read=functools.partial(decode, Job, request="the journal"),
            retry_failed=retry_failed,
        )

    def _classifying(self, shared: JobBody, poll: PollPolicy | None, on_cancel: str) -> Classifying:
        """Make how each document of one call is classified."""

        async def create(file_input: str, transaction_id: str) -> Sighting:
            return await self._create(shared, file_input, transaction_id)

        return Classifying(
            store=self._stored,
            create=create,
            abandon=self._abandon_in(on_cancel),
            waits=self._waits,
            reader=self._reader,
            policy=polling.policy_in(poll, self._poll),
        )

    def _abandon_in(self, on_cancel: str) -> polling.Abandon | None:
        return self._abandon if polling.on_cancel_in(on_cancel) == "cancel" else None

    async def _abandon(self, find: Callable[[], Awaitable[str]]) -> None:
        """Cancel the job that `find` gives, though the wait for it was cut off or the session closed."""

        async def cancel() -> None:
            await self.cancel(await find())

        with self._lifetime.cleaning_up():
            await polling.shielded(cancel)

    async def _stored(self, document: Document) -> str:
        """Give the id of a document on the server, uploading it if it is not there yet."""
        if not isinstance(document, str):
            return (await self.files.upload(document)).id
        if "." in document and await run_sync(os.path.isfile, document):
            message = f"document: {document!r} is taken for an id; for the file give Path({document!r})"
            raise ConfigurationError(message)
        return document


def _entries_in(journal: str | os.PathLike[str] | Entries | None) -> Entries | None:
    return journal if journal is None or isinstance(journal, Entries) else _journal_in(journal)


def _journal_in(path: str | os.PathLike[str]) -> Journal:
    if not isinstance(path, str | os.PathLike):
        raise ConfigurationError(f"journal: expected a path, got {type(path).__name__}")
    return Journal(path)
