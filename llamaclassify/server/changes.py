"""Who hears of it when a job's status changes: what delivers webhooks, what shows a page."""

from __future__ import annotations

import logging
from collections.abc import Callable

from attrs import field, frozen

from ..models import Job, WebhookConfiguration
from ..models_v1 import ClassifierJob

_log = logging.getLogger("llamaclassify.server")


@frozen
class Change:
    """A job as it stands after its status has changed, and who asked to be told."""

    job: Job | ClassifierJob
    webhooks: tuple[WebhookConfiguration, ...] = ()


Listener = Callable[[Change], None]
"""Hears of a change on the event loop, once it has been stored: must be quick, and start what takes time."""


@frozen
class Changes:
    """The listeners, in the order in which they came."""

    _listeners: list[Listener] = field(factory=list, init=False)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of every change from now on, until what this gives is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @property
    def are_heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    def announce(self, change: Change) -> None:
        """Tell every listener; one that fails is logged and keeps nobody else from hearing."""
        for listener in self._listeners:
            try:
                listener(change)
            except Exception:
                _log.exception("a listener to the changes of jobs failed")
