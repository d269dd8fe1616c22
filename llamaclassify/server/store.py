"""What the server remembers: each key's projects, with their files, configurations and jobs, in memory.

The documents themselves lie in a folder under names of our own: a client's file name never becomes a path.
"""

from __future__ import annotations

import hashlib
import itertools
import uuid
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
from attrs import Factory, define, frozen

from ..models import Configuration, File, Job, JobStatus, Result, SavedConfiguration, Usage, timestamp
from ..models_v1 import ClassifierJob, ClassifierStatus
from .many import StoredClassifierJob


@frozen
class StoredFile:
    """A file, where its bytes are, and its place in the order of arrival."""

    number: int
    file: File
    path: Path


@define
class StoredJob:
    """A job as it stands, what it cost, and its place in the order of arrival."""

    number: int
    job: Job
    usage: Usage = Factory(Usage)

    def advance(self, status: JobStatus, **changes: Any) -> bool:
        """Move the job on, unless it has ended (it may have been cancelled meanwhile)."""
        if self.job.is_terminal:
            return False
        self.job = attrs.evolve(self.job, status=status, updated_at=datetime.now(UTC), **changes)
        return True

    def start(self) -> bool:
        """Let it run, unless it was cancelled."""
        return self.advance(JobStatus.RUNNING)

    def complete(self, result: Result, pages: int) -> None:
        """End it with its result; a page costs one credit."""
        if self.advance(JobStatus.COMPLETED, result=result):
            self.usage = Usage(credits=pages, parse_credits=pages)

    def fail(self, message: str) -> None:
        """End it without one."""
        self.advance(JobStatus.FAILED, error_message=message)


@define
class StoredConfiguration:
    """A saved configuration as it was last written, and its place in the order of arrival."""

    number: int
    saved: SavedConfiguration

    def write(self, **changes: Any) -> None:
        """Change it; every write is a new version."""
        now = datetime.now(UTC)
        if self.saved.updated_at is not None:  # two writes may be closer than the clock's ticks
            now = max(now, self.saved.updated_at + timedelta(microseconds=1))
        self.saved = attrs.evolve(self.saved, version=timestamp(now), updated_at=now, **changes)


@define
class Project:
    """The files, configurations and jobs of one project, each in order of arrival."""

    id: str
    user_id: str
    numbers: Iterator[int]
    files: dict[str, StoredFile] = Factory(dict)
    jobs: dict[str, StoredJob] = Factory(dict)
    transactions: dict[str, StoredJob] = Factory(dict)
    configurations: dict[str, StoredConfiguration] = Factory(dict)
    classifier_jobs: dict[str, StoredClassifierJob] = Factory(dict)

    def add_file(self, path: Path, *, name: str, purpose: str | None, external_file_id: str | None) -> File:
        """Take in a document whose bytes have been written to `path`."""
        file = File(
            id=f"dfl-{uuid.uuid4()}",
            name=name,
            project_id=self.id,
            external_file_id=external_file_id,
            file_type=Path(name).suffix.lstrip(".").lower() or None,
            purpose=purpose,
            last_modified_at=datetime.now(UTC),
        )
        self.files[file.id] = StoredFile(next(self.numbers), file, path)
        return file

    def delete_file(self, file_id: str) -> None:
        """Forget a file and remove its document."""
        self.files.pop(file_id).path.unlink(missing_ok=True)

    def add_job(
        self,
        file_input: str,
        configuration: Configuration,
        configuration_id: str | None,
        transaction_id: str | None,
    ) -> StoredJob:
        """Take in a job; with a known transaction id, the caller gets the first one from `transactions`."""
        now = datetime.now(UTC)
        job = Job(
            id=f"clj-{uuid.uuid4()}",
            status=JobStatus.PENDING,
            file_input=file_input,
            document_input_type="file_id",
            configuration=configuration,
            configuration_id=configuration_id,
            transaction_id=transaction_id,
            project_id=self.id,
            user_id=self.user_id,
            created_at=now,
            updated_at=now,
        )
        stored = StoredJob(next(self.numbers), job)
        self.jobs[job.id] = stored
        if transaction_id is not None:
            self.transactions[transaction_id] = stored
        return stored

    def newest_jobs(self, job_ids: Collection[str]) -> Iterator[StoredJob]:
        """Give the jobs, or those of `job_ids` alone, newest first."""
        if job_ids:
            found = [self.jobs[job_id] for job_id in set(job_ids) if job_id in self.jobs]
            return iter(sorted(found, key=lambda stored: -stored.number))
        return reversed(self.jobs.values())

    def delete_job(self, job_id: str) -> None:
        """Forget a job, and the transaction it answered."""
        stored = self.jobs.pop(job_id)
        if stored.job.transaction_id is not None:
            self.transactions.pop(stored.job.transaction_id, None)

    def configuration_named(self, name: str, product_type: str) -> StoredConfiguration | None:
        """Give the configuration that has a name: there is one at most for each product."""
        for stored in self.configurations.values():
            if (stored.saved.name, stored.saved.product_type) == (name, product_type):
                return stored
        return None

    def save_configuration(
        self, name: str, product_type: str, parameters: Configuration | dict[str, Any]
    ) -> SavedConfiguration:
        """Save parameters under a name, anew or over what it had."""
        stored = self.configuration_named(name, product_type)
        if stored is None:
            now = datetime.now(UTC)
            saved = SavedConfiguration(
                id=f"cfg-{uuid.uuid4()}",
                name=name,
                product_type=product_type,
                version=timestamp(now),
                parameters=parameters,
                created_at=now,
                updated_at=now,
            )
            stored = self.configurations[saved.id] = StoredConfiguration(next(self.numbers), saved)
        else:
            stored.write(parameters=parameters)
        return stored.saved

    def add_classifier_job(self, file_ids: Iterable[str], **asked: Any) -> StoredClassifierJob:
        """Take in a v1 job on many files; `asked` is what its creator said of rules and reading."""
        now = datetime.now(UTC)
        job = ClassifierJob(
            id=str(uuid.uuid4()),
            status=ClassifierStatus.PENDING,
            project_id=self.id,
            user_id=self.user_id,
            created_at=now,
            updated_at=now,
            effective_at=now,
            **asked,
        )
        stored = StoredClassifierJob(next(self.numbers), job, frozenset(file_ids))
        self.classifier_jobs[job.id] = stored
        return stored


class Store:
    """Every key's projects; a key that names no project has one of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count(1)
        self._projects: dict[tuple[str, str], Project] = {}

    def project(self, key: str, project_id: str | None) -> Project:
        """Give the project that a request with `key` speaks of."""
        owner = hashlib.sha256(key.encode()).hexdigest()
        named = project_id or str(uuid.uuid5(uuid.NAMESPACE_URL, owner))
        if (owner, named) not in self._projects:
            self._projects[owner, named] = Project(named, f"usr-{owner[:12]}", self._numbers)
        return self._projects[owner, named]

    def file(self, file_id: str) -> StoredFile | None:
        """Give a file, whosoever it is."""
        found = (project.files.get(file_id) for project in self._projects.values())
        return next(filter(None, found), None)

    def new_path(self, name: str) -> Path:
        """Give a path to write a document to; only the ending of its name is kept."""
        ending = "".join(c for c in Path(name).suffix[:12] if c.isascii() and (c.isalnum() or c == "."))
        return self.folder / f"{uuid.uuid4().hex}{ending}"
