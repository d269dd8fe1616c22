"""The status reader: looks that are due at the same moment share one request.

There is no task in the background. The first wait to join a moment's group leads: it sleeps until then, asks
for all that have joined it, and hands out the answers. A wait that is to look again then moves on to a later
group, without its task being woken. When the one that leads is cancelled, the next takes over.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum

import anyio
from anyio.lowlevel import checkpoint
from attrs import Factory, define

from ..errors import APIStatusError, LlamaClassifyError
from ..models import Job
from .clock import Clock
from .looking import Sighting

MOST = 100
"""So many jobs can be asked for with one listing."""
_REFUSALS = frozenset({400, 404, 405, 413, 414, 422, 431})
"""Statuses by which a server refuses to list by ids, or to list so many."""
_DUE = float("-inf")
_HEARD_OF = 1000
"""So many notifications of jobs that nobody waits for yet are kept."""


class _Instead(Enum):
    """What there is for a job where there is no sighting."""

    AGAIN = "ask again, at once"
    ALONE = "ask for this job alone"


_Answer = Sighting[Job] | LlamaClassifyError | _Instead
_Saw = Callable[[Sighting[Job]], float | None]


@define(eq=False)
class _Follower:
    """One wait: in which group it is, or how it has ended."""

    job_id: str
    saw: _Saw
    group: _Group | None = None
    error: LlamaClassifyError | None = None
    is_alone: bool = False
    is_over: bool = False
    hurried: bool = False
    woken: asyncio.Future[None] | None = None

    async def until_woken(self) -> None:
        self.woken = asyncio.get_running_loop().create_future()
        await self.woken

    def wake(self) -> None:
        if self.woken is not None and not self.woken.done():
            self.woken.set_result(None)


@define(eq=False)
class _Group:
    """The waits that share a request; the first of them leads."""

    at: float
    followers: dict[_Follower, None] = Factory(dict)
    sleep: anyio.CancelScope | None = None
    asked: bool = False

    @property
    def leader(self) -> _Follower | None:
        return next(iter(self.followers), None)

    def disbanded(self) -> list[_Follower]:
        """Let all go, who now have their answers."""
        followers = list(self.followers)
        self.followers.clear()
        for follower in followers:
            follower.group = None
        return followers


class StatusReader:
    """Follows the jobs of one session, with as few requests as that takes."""

    def __init__(
        self,
        fetch: Callable[[str], Awaitable[Sighting[Job]]],
        fetch_all: Callable[[Sequence[str]], Awaitable[Mapping[str, Sighting[Job]]]],
        clock: Clock,
    ) -> None:
        """Read with `fetch`, one job by its id, and `fetch_all`, up to 100 of which it may leave some out."""
        self._fetch = fetch
        self._fetch_all = fetch_all
        self._clock = clock
        self._most = MOST
        self._open: dict[float, _Group] = {}
        self._following: dict[str, list[_Follower]] = {}
        self._heard_of: dict[str, bool] = {}

    async def follow(self, job_id: str, at: float, saw: _Saw) -> None:
        """Look at a job at a moment of the clock, and again whenever `saw` says when; None ends it.

        Raises:
            LlamaClassifyError: What a request for it raised.
        """
        follower = _Follower(job_id, saw)
        self._following.setdefault(job_id, []).append(follower)
        try:
            self._join(follower, _DUE if self._heard_of.pop(job_id, False) else at)
            while not follower.is_over:
                if follower.is_alone:
                    follower.is_alone = False
                    self._hand_out(follower, await self._fetch(job_id))
                elif follower.group is not None and follower.group.leader is follower:
                    await self._lead(follower.group)
                else:
                    await follower.until_woken()
        finally:
            self._leave(follower)
            self._forget(follower)
        if follower.error is not None:
            raise follower.error

    def notify(self, job_id: str) -> None:
        """Have the waits on a job look at once; the next one, where there is none now."""
        followers = self._following.get(job_id)
        if followers is None:
            self._heard_of[job_id] = True
            if len(self._heard_of) > _HEARD_OF:
                del self._heard_of[next(iter(self._heard_of))]
            return
        for follower in followers:
            if follower.group is None or follower.group.asked:
                follower.hurried = True  # what is being asked may be answered too early
            else:
                self._join(follower, _DUE)

    def _forget(self, follower: _Follower) -> None:
        followers = self._following[follower.job_id]
        followers.remove(follower)
        if not followers:
            del self._following[follower.job_id]

    def _join(self, follower: _Follower, at: float) -> None:
        """Move a wait on to the group of a moment."""
        self._leave(follower)
        if at <= self._clock.now():
            at = _DUE
        group = self._open.get(at)
        if group is None or len(group.followers) >= self._most:
            group = self._open[at] = _Group(at)
            follower.wake()  # to lead it
        group.followers[follower] = None
        follower.group = group

    def _leave(self, follower: _Follower) -> None:
        group, follower.group = follower.group, None
        if group is None:
            return
        led = group.leader is follower
        del group.followers[follower]
        if not led:
            return
        if group.sleep is not None:
            group.sleep.cancel()
        if group.leader is not None:
            group.leader.wake()
        else:
            self._close(group)

    async def _lead(self, group: _Group) -> None:
        """Sleep until the group's moment, ask for all its jobs and hand out the answers."""
        try:
            if not await self._asks_now(group):
                return
            job_ids = list(dict.fromkeys(follower.job_id for follower in group.followers))
            answers = await self._read(job_ids)
        except LlamaClassifyError as error:
            self._close(group)
            # Each wait adds what it knows to an error of its own.
            for follower in group.disbanded():
                self._hand_out(follower, copy.copy(error))
        else:
            for follower in group.disbanded():
                self._hand_out(follower, answers.get(follower.job_id, _Instead.ALONE))

    def _hand_out(self, follower: _Follower, answer: _Answer) -> None:
        """Give a wait its answer: that ends it, or moves it on to its next look."""
        if answer is _Instead.ALONE:
            follower.is_alone = True
            follower.wake()
            return
        if isinstance(answer, LlamaClassifyError):
            follower.error, at = answer, None
        else:
            at = _DUE if isinstance(answer, _Instead) else follower.saw(answer)
        if at is None:
            follower.is_over = True
            follower.wake()
        else:
            self._join(follower, _DUE if follower.hurried else at)
            follower.hurried = False

    async def _asks_now(self, group: _Group) -> bool:
        """Sleep until the group's moment and let nobody join any more; False: the one that leads has left."""
        if group.asked:
            return True
        with anyio.CancelScope() as group.sleep:
            if group.at == _DUE:
                await checkpoint()  # all that are due now may join
            else:
                await self._clock.sleep(max(0.0, group.at - self._clock.now()))
        if group.sleep.cancelled_caught:
            return False
        group.sleep = None
        self._close(group)
        return True

    def _close(self, group: _Group) -> None:
        """Let nobody join any more."""
        group.asked = True
        if self._open.get(group.at) is group:
            del self._open[group.at]

    async def _read(self, job_ids: list[str]) -> Mapping[str, Sighting[Job] | _Instead]:
        if len(job_ids) == 1:
            return {job_ids[0]: await self._fetch(job_ids[0])}
        if len(job_ids) > self._most:  # it was less while they slept
            return dict.fromkeys(job_ids, _Instead.AGAIN)
        try:
            return await self._fetch_all(job_ids)
        except APIStatusError as error:
            if error.status not in _REFUSALS:
                raise
            if len(job_ids) <= self._most:  # else another listing was refused meanwhile
                self._most = len(job_ids) // 2 if self._most == MOST else 1
            return dict.fromkeys(job_ids, _Instead.AGAIN)
