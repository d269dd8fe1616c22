"""What the options of a run ask for."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define, field

from .documents import Named, check_output
from .exits import Exit, fail
from .sessions import Service

if TYPE_CHECKING:
    from ..models import Configuration

_LINES = {"jsonl", "csv"}


@define
class Asked:
    """What the options of a run ask for."""

    paths: tuple[str, ...]
    service: Service
    rules_file: Path
    local: bool | None
    journal: Path | None
    retry_failed: bool
    max_credits: float | None
    form: str = "table"
    order: str | None = None
    output: Path | None = None
    concurrency: int | None = None
    dry_run: bool = False
    quiet: bool = False
    verbose: int = 0
    configuration: Configuration = field(init=False)

    @property
    def is_in_order(self) -> bool:
        """Whether records are printed in the order of the input."""
        return self.order == "input" or (self.order is None and self.form not in _LINES)

    @property
    def named(self) -> Named:
        """The documents; a journal or an output among them is none."""
        own = [] if self.output is None else [self.output]
        if self.journal is not None:
            own += [self.journal, self.journal.with_name(f"{self.journal.name}-wal")]
        return Named(self.paths, tuple(own), has_ids=not self.local)

    def check(self) -> None:
        """See that the options go together.

        Raises:
            click.ClickException: They do not.
        """
        if self.retry_failed and self.journal is None:
            raise fail("--retry-failed needs the --journal that knows what failed", Exit.USAGE)
        check_output(self.output, chain([self.rules_file], Named(self.paths).without_stdin()))
