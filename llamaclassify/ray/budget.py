"""`RayBudget`: one rate budget for all workers of a Ray cluster, kept by a named actor."""

from __future__ import annotations

import time
from typing import Any

import ray

from ..policies import Rate, RateLimit
from ..wire.limits import Kind
from ..wire.shared_limits import Ledger, Place, SharedBudget

_NAMESPACE = "llamaclassify"


class RayBudget(SharedBudget):
    """A `RateLimit` that all who name it in one Ray cluster keep together, also those of other Ray jobs.

    A detached actor of that name keeps it, by its own clock; it takes no CPU and stays until the cluster ends
    or it is killed. Give the budget as `rate_limit` to sessions in workers; it may be sent to them.
    """

    def __init__(self, name: str = "llamaclassify", limit: RateLimit | None = None) -> None:
        """Name the budget; its actor is found, or started, with the first request.

        Args:
            name: The actor's name, in the namespace "llamaclassify".
            limit: What all keep together; `RateLimit()`, the hosted service's, if not given. Whoever uses
                the budget at the same time gives the same.

        Raises:
            ConfigurationError: The limit has no rate.
        """
        super().__init__(limit)
        self._name = name
        self._actor: Any = None

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self._name, self.limit)

    async def _reserve(self, kind: Kind) -> Place:
        place: Place = await self._keeper().reserve.remote(kind, self.limit)
        return place

    def _hold(self, seconds: float) -> None:
        self._keeper().hold.remote(seconds)

    def _keeper(self) -> Any:
        if self._actor is None:
            # Calls that a restart interrupts are made again: at worst that leaves a place unused.
            options: dict[str, Any] = {"num_cpus": 0, "max_restarts": -1, "max_task_retries": -1}
            keeper: Any = ray.remote(Keeper)
            self._actor = keeper.options(
                name=self._name, namespace=_NAMESPACE, lifetime="detached", get_if_exists=True, **options
            ).remote()
        return self._actor


class Keeper:
    """The actor: a ledger, and a clock."""

    def __init__(self) -> None:
        self._ledger: Ledger | None = None

    def reserve(self, kind: Kind, limit: RateLimit) -> Place:
        """Give the next place of a kind.

        Raises:
            ConfigurationError: The budget is in use with another limit.
        """
        now = time.monotonic()
        self._ledger = self._started(limit, now) if self._ledger is None else self._ledger.under(limit, now)
        return self._ledger.reserve(kind, now)

    def hold(self, seconds: float) -> None:
        """Give no places for some seconds."""
        if self._ledger is not None:
            self._ledger.hold(time.monotonic() + seconds)

    def _started(self, limit: RateLimit, now: float) -> Ledger:
        ledger = Ledger(limit)
        if ray.get_runtime_context().was_current_actor_reconstructed:
            # What was given before the crash is not known, but how long it may count.
            ledger.hold(now + max(_seconds(rate) for rate in (limit.creates, limit.uploads, limit.requests)))
        return ledger


def _seconds(rate: Rate | None) -> float:
    return 0.0 if rate is None else rate.seconds
