"""What the server remembers: each key's projects, with their files, configurations and jobs.

A data folder holds an SQLite database and the documents. What a method has returned is on disk.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

from attrs import frozen

from ..changes import Changes
from ..clock import Clock
from .classifier_jobs import ClassifierJobs
from .configurations import Configurations
from .database import Database
from .documents import Documents
from .errors import DataFolderError
from .files import Files
from .folder import DataFolder
from .glance import Glances
from .jobs import Jobs
from .project import Project
from .pruning import Pruner
from .webhook_configurations import WebhookConfigurations

__all__ = ["DataFolderError", "Project", "Store"]


@frozen
class Store:
    """Everything that is kept, by kind."""

    documents: Documents
    files: Files
    configurations: Configurations
    webhook_configurations: WebhookConfigurations
    jobs: Jobs
    classifier_jobs: ClassifierJobs
    glances: Glances
    pruner: Pruner | None

    @classmethod
    @asynccontextmanager
    async def open(
        cls, path: Path, *, durable: bool, keep: timedelta | None, clock: Clock, changes: Changes
    ) -> AsyncIterator[Store]:
        """Open a data folder, made where there is none, and prune it.

        Args:
            path: The folder.
            durable: Whether what is kept must outlast a power cut.
            keep: How long ended jobs and files are kept; None: for ever.
            clock: Tells the time.
            changes: Hears of every change of a job's status.

        Raises:
            DataFolderError: It cannot be used.
        """
        async with AsyncExitStack() as opened:
            folder = opened.enter_context(DataFolder.open(path))
            database = await opened.enter_async_context(Database.open(folder.database, durable=durable))
            documents = Documents(folder.documents, durable=durable)
            files = Files(database, documents, clock)
            await documents.remove_all_but(await files.documents())
            store = cls(
                documents,
                files,
                Configurations(database, clock),
                WebhookConfigurations(database, clock),
                Jobs(database, clock, changes),
                ClassifierJobs(database, clock, changes),
                Glances(database),
                None if keep is None else Pruner(database, documents, clock, keep),
            )
            if store.pruner is not None:
                await store.pruner.prune()
            yield store
