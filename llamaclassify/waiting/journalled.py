"""A batch with a journal: what is done is delivered, what is running is waited for, the rest is created."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from functools import partial

import anyio
from anyio.to_thread import run_sync
from attrs import Factory, frozen

from ..errors import (
    BadRequestError,
    ConfigurationError,
    JobCancelledError,
    JobFailedError,
    LlamaClassifyError,
    NotFoundError,
)
from ..models import Job, JobStatus
from ..outcomes import Document
from .classifying import Classifying
from .journal import Entries, Entry, Key
from .polling import completed
from .under_way import Result, UnderWay

_HASHED_AT_ONCE = 1 << 16
"""Bytes that are hashed without a thread."""


@frozen
class Journalled:
    """How the documents of a batch are classified, and what is known of them from before.

    Attributes:
        classifying: How each is classified.
        journal: What is known.
        server: Where they are classified: the server and the project.
        configuration: The SHA-256 of what they are classified by.
        read: Makes a job of the wire's JSON.
        retry_failed: Whether documents whose job failed before are tried again.
    """

    classifying: Classifying
    journal: Entries
    server: str
    configuration: str
    read: Callable[[object], Job]
    retry_failed: bool
    _busy: dict[str, anyio.Event] = Factory(dict)

    async def begin(self, document: Document) -> Job | UnderWay:
        """Take one document to where its job is running, or give what came of it before.

        Raises:
            JobFailedError, JobCancelledError: Its job did not complete, in an earlier run.
            JournalError: The journal cannot be written.
        """
        content = await _content(document)
        if content is None:
            # Refused by the check that every upload passes, with the reason.
            await self.classifying.store(document)
            raise ConfigurationError("document: cannot be told from others, as the journal must")
        await self._turn(content.identity)
        try:
            entry = await self.journal.entry(Key(content.identity, self.server, self.configuration))
            begun = await self._known(entry) or await self._created(document, content, entry)
        except BaseException:
            self._free(content)
            raise
        if isinstance(begun, Job):
            self._free(content)
        elif begun.settle is None:
            begun.settle = partial(self._resumed, document, content, entry)
        return begun

    async def recall(self, document: Document) -> Job | None:
        """Give the job of an earlier run that has ended; None where there is none."""
        content = await _content(document)
        if content is None:
            return None
        entry = await self.journal.entry(Key(content.identity, self.server, self.configuration))
        return None if entry.outcome is None else self.read(entry.outcome)

    async def _turn(self, identity: str) -> None:
        """Keep a document that comes twice in one batch from being classified twice."""
        while (busy := self._busy.get(identity)) is not None:
            await busy.wait()
        self._busy[identity] = anyio.Event()

    def _free(self, content: _Content) -> None:
        self._busy.pop(content.identity).set()

    async def _known(self, entry: Entry) -> Job | UnderWay | None:
        """Give the outcome of an earlier run, or the wait for its job; None where a job is to be created."""
        if entry.outcome is not None:
            job = self.read(entry.outcome)
            if job.status == JobStatus.COMPLETED or not self.retry_failed:
                completed(job)
                return job
            entry.try_again()
            await self.journal.write(entry)
        if entry.job_id is None:
            return None
        return self.classifying.under_way(entry.job_id, self.classifying.deadline())

    async def _resumed(
        self, document: Document, content: _Content, entry: Entry, result: Result
    ) -> Job | UnderWay:
        """Settle the job of an earlier run."""
        if isinstance(result, NotFoundError):
            entry.job_id = None  # the server has forgotten it
        elif isinstance(result, JobCancelledError):
            entry.try_again()  # the earlier run was left so
        else:
            return await self._settled(content, entry, result)
        try:
            return await self._created(document, content, entry)
        except BaseException:
            self._free(content)
            raise

    async def _settled(self, content: _Content, entry: Entry, result: Result) -> Job:
        """Note how a job ended."""
        try:
            ended = result.job if isinstance(result, JobFailedError | JobCancelledError) else result
            if isinstance(ended, Job):
                entry.job_id, entry.outcome = ended.id, ended.to_dict()
                await self.journal.write(entry)
        finally:
            self._free(content)
        if isinstance(result, LlamaClassifyError):
            raise result
        return result

    async def _created(self, document: Document, content: _Content, entry: Entry) -> UnderWay:
        """Create the job, on the file of an earlier run where there is one and the server still has it."""
        stored = None if content.is_id else entry.file_id
        try:
            return await self._started(document, content, entry)
        except (BadRequestError, NotFoundError):
            if stored is None:
                raise
        entry.file_id = None
        return await self._started(document, content, entry)

    async def _started(self, document: Document, content: _Content, entry: Entry) -> UnderWay:
        if content.is_id:
            file_input = await self.classifying.store(document)
        else:
            file_input = entry.file_id or await self._upload(document, content, entry)
        deadline = self.classifying.deadline()
        seen = await self.classifying.start(file_input, entry.transaction_id, deadline)
        entry.job_id = seen.id
        await self.journal.write(entry)
        under_way = self.classifying.under_way(seen.id, deadline, seen)
        under_way.settle = partial(self._settled, content, entry)
        return under_way

    async def _upload(self, document: Document, content: _Content, entry: Entry) -> str:
        file_id = await self.classifying.store(document)
        if await _content_state(document) != content.state:
            raise ConfigurationError(f"document: {document} was changed while it was uploaded; try again")
        entry.file_id = file_id
        await self.journal.write(entry)
        return file_id


@frozen
class _Content:
    """What tells a document from others.

    Attributes:
        identity: Its id, or the SHA-256 of its content.
        is_id: Whether it is an id.
        state: What changes when a file is written; None where it is no file.
    """

    identity: str
    is_id: bool = False
    state: tuple[int, ...] | None = None


async def _content(document: Document) -> _Content | None:
    """Find out what tells a document from others; None where that cannot be."""
    match document:
        case str() if document.isprintable():
            return _Content(f"id:{document}", is_id=True)
        case os.PathLike():
            return await run_sync(_file_content, document)
        case (str(), bytes(content)) if len(content) <= _HASHED_AT_ONCE:
            return _Content(_sha256(content))
        case (str(), bytes(content)):
            return _Content(await run_sync(_sha256, content))
    return None


async def _content_state(document: Document) -> tuple[int, ...] | None:
    return await run_sync(_state, document) if isinstance(document, os.PathLike) else None


def _file_content(path: os.PathLike[str]) -> _Content | None:
    try:
        state = _state(path)
        if state is None:
            return None
        with open(path, "rb") as file:  # noqa: PTH123  (any path-like will do)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return None
    return _Content(f"sha256:{digest}", state=state)


def _state(path: os.PathLike[str]) -> tuple[int, ...] | None:
    """Give what changes when a file is written; None where it is no ordinary file."""
    found = os.stat(path)  # noqa: PTH116
    if not stat.S_ISREG(found.st_mode):
        return None  # opening a pipe could wait for ever
    return found.st_ino, found.st_size, found.st_mtime_ns


def _sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
