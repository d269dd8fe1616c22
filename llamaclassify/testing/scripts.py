"""What becomes of which document."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

from attrs import Factory, frozen

from ..models import Configuration, Result
from ..server.jobs import UnclassifiableError
from .clock import ManualClock


@frozen(kw_only=True)
class Script:
    """What becomes of the documents with such a name, in jobs that have such a rule."""

    name: str
    rule: str | None
    result: Result
    error: str | None
    seconds: float

    def is_for(self, name: str, configuration: Configuration) -> bool:
        """Tell whether it says what becomes of a document."""
        has_rule = self.rule is None or self.rule in {rule.type for rule in configuration.rules}
        return has_rule and fnmatchcase(name, self.name)


@frozen
class Scripts:
    """Every script; a later one goes before an earlier one."""

    clock: ManualClock
    _all: list[Script] = Factory(list)

    def add(self, script: Script) -> None:
        """Have a script from now on."""
        self._all.insert(0, script)

    async def classify(self, path: Path, name: str, configuration: Configuration) -> Result:  # noqa: ARG002
        """Take as long as the document's script says and give what it says.

        Raises:
            UnclassifiableError: It says that the document fails.
        """
        script = next((script for script in self._all if script.is_for(name, configuration)), None)
        if script is None:
            return _by_name(name, configuration)
        await self.clock.sleep(script.seconds, is_job=True)
        if script.error is not None:
            raise UnclassifiableError(script.error)
        return script.result


def _by_name(name: str, configuration: Configuration) -> Result:
    """Without a script, take the name for the content."""
    found = [rule.type for rule in configuration.rules if rule.type.lower() in name.lower()]
    if not found:
        return Result(type=None, confidence=0.0, reasoning=f"no rule's type is in the name {name!r}")
    return Result(type=found[0], confidence=1.0, reasoning=f"{found[0]!r} is in the name {name!r}")
