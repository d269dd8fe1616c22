"""A batch with a journal: what is done is delivered, what is running is waited for, the rest is created."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

import anyio
from anyio.to_thread import run_sync
from attrs import Factory, frozen

from ..errors import BadRequestError, ConfigurationError, JobCancelledError, JobFailedError, NotFoundError
from ..models import Job, JobStatus
from ..outcomes import Document
from .classifying import Classifying
from .journal import Entry, Journal, Key
from .polling import completed

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
    journal: Journal
    server: str
    configuration: str
    read: Callable[[object], Job]
    retry_failed: bool
    _turns: WeakValueDictionary[str, anyio.Lock] = Factory(WeakValueDictionary)

    async def run(self, document: Document) -> Job:
        """Classify one document, or give what came of it before.

        Raises:
            JobFailedError, JobCancelledError, JobTimeoutError: Its job did not complete, now or before.
            JournalError: The journal cannot be written.
        """
        content = await _content(document)
        if content is None:
            # Refused by the check that every upload passes, with the reason.
            await self.classifying.store(document)
            raise ConfigurationError("document: cannot be told from others, as the journal must")
        async with self._turn(content.identity):
            entry = await self.journal.entry(Key(content.identity, self.server, self.configuration))
            if entry.outcome is not None:
                job = self.read(json.loads(entry.outcome))
                if job.status == JobStatus.COMPLETED or not self.retry_failed:
                    completed(job)
                    return job
                entry.try_again()
                await self.journal.write(entry)
            return await self._noted(document, content, entry)

    @asynccontextmanager
    async def _turn(self, identity: str) -> AsyncGenerator[None]:
        """Keep a document that comes twice in one batch from being classified twice."""
        turn = self._turns.get(identity)
        if turn is None:
            turn = self._turns[identity] = anyio.Lock()
        async with turn:
            yield

    async def _noted(self, document: Document, content: _Content, entry: Entry) -> Job:
        """Take a document to the end of its job, and note how that ended."""
        try:
            job = await self._resumed(entry) or await self._created(document, content, entry)
        except (JobFailedError, JobCancelledError) as error:
            await self._note_outcome(entry, error.job)
            raise
        await self._note_outcome(entry, job)
        return job

    async def _note_outcome(self, entry: Entry, job: object) -> None:
        if isinstance(job, Job):
            entry.job_id, entry.outcome = job.id, json.dumps(job.to_dict(), ensure_ascii=False)
            await self.journal.write(entry)

    async def _resumed(self, entry: Entry) -> Job | None:
        """Wait for the job of an earlier run; None where it has to be created again."""
        if entry.job_id is None:
            return None
        try:
            return await self.classifying.finish(entry.job_id, self.classifying.deadline())
        except NotFoundError:
            entry.job_id = None  # the server has forgotten it
        except JobCancelledError:
            entry.try_again()  # the earlier run was left so
        return None

    async def _created(self, document: Document, content: _Content, entry: Entry) -> Job:
        """Create the job, on the file of an earlier run where there is one and the server still has it."""
        stored = entry.file_id
        try:
            return await self._classified(document, content, entry)
        except (BadRequestError, NotFoundError):
            if stored is None or entry.job_id is not None:
                raise
        entry.file_id = None
        return await self._classified(document, content, entry)

    async def _classified(self, document: Document, content: _Content, entry: Entry) -> Job:
        if content.is_id:
            file_input = await self.classifying.store(document)
        else:
            file_input = entry.file_id or await self._uploaded(document, content, entry)
        deadline = self.classifying.deadline()
        seen = await self.classifying.start(file_input, entry.transaction_id, deadline)
        entry.job_id = seen.id
        await self.journal.write(entry)
        return await self.classifying.finish(seen.id, deadline, seen)

    async def _uploaded(self, document: Document, content: _Content, entry: Entry) -> str:
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
        case str():
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
