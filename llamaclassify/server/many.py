"""The deprecated v1 job: many files, one set of rules, ended when the last file is done."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import attrs
from attrs import Factory, define, frozen

from ..models import Result
from ..models_v1 import ClassifierJob, ClassifierStatus, FileClassification


@define
class StoredClassifierJob:
    """A v1 job as it stands, what is known of its files, and its place in the order of arrival."""

    number: int
    job: ClassifierJob
    file_ids: frozenset[str]
    found: list[FileClassification] = Factory(list)
    failures: list[str] = Factory(list)

    def settle(self, file_id: str, result: Result | None) -> None:
        """Note that a file is done; the last one ends the job."""
        now = datetime.now(UTC)
        item = FileClassification(
            id=str(uuid.uuid4()),
            classify_job_id=self.job.id,
            file_id=file_id,
            result=result,
            created_at=now,
            updated_at=now,
        )
        self.found.append(item)
        if len(self.found) == len(self.file_ids):
            self.job = attrs.evolve(
                self.job, status=self._outcome(), error_message=self._message(), updated_at=now
            )

    def _outcome(self) -> ClassifierStatus:
        if not self.failures:
            return ClassifierStatus.SUCCESS
        all_failed = len(self.failures) == len(self.file_ids)
        return ClassifierStatus.ERROR if all_failed else ClassifierStatus.PARTIAL_SUCCESS

    def _message(self) -> str | None:
        """Say what went wrong: the results themselves have no room for it."""
        if not self.failures:
            return None
        count = f"{len(self.failures)} of {len(self.file_ids)} files could not be classified"
        return f"{count}; the first: {self.failures[0]}"


@frozen
class FileOfJob:
    """One file of a v1 job, as the queue's unit of work."""

    stored: StoredClassifierJob
    file_id: str

    def start(self) -> bool:
        """Go ahead: a v1 job cannot be cancelled."""
        return True

    def complete(self, result: Result, pages: int) -> None:  # noqa: ARG002  (v1 tells no cost)
        """Note the file's result."""
        self.stored.settle(self.file_id, result)

    def fail(self, message: str) -> None:
        """Note that the file has none."""
        self.stored.failures.append(f"{self.file_id}: {message}")
        self.stored.settle(self.file_id, None)
