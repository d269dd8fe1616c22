"""The status reader: looks that are due at the same moment share one request.

There is no task in the background. The first wait to join a moment's group leads: it sleeps until then, asks
for all that have joined it, and hands out the answers. A wait that is to look again then moves on to a later
group. When the one that leads is cancelled, the next takes over. A wait may have a task of its own
(`follow`), or none for as long as it has nothing to do (`enlist`): thousands of waits then cost little.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import Enum
from itertools import islice

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
_Saw = Callable[[Sighting[Job], float], float | None]


@define(eq=False)
class Follower:
    """One wait: in which group it is, or how it has ended.

    Attributes:
        job_id: The job.
        saw: Is told of each look; gives when the next one is due, None to end.
        call: Called when there is something to do for it, or it has ended.
    """

    job_id: str
    saw: _Saw
    call: Callable[[Follower], None]
    group: _Group | None = None
    error: LlamaClassifyError | None = None
    is_over: bool = False
    is_alone: bool = False
    is_attended: bool = False
    is_hurried: bool = False

    @property
    def is_sleeping(self) -> bool:
        """Whether it is in a group that has not asked yet."""
        return self.group is not None and not self.group.asked


@define(eq=False)
class _Group:
    """The waits that share a request; the first of them leads."""

    at: float
    followers: dict[Follower, None] = Factory(dict)
    under_way: anyio.CancelScope | None = None
    asked: bool = False

    @property
    def leader(self) -> Follower | None:
        return next(iter(self.followers), None)

    def disbanded(self) -> list[Follower]:
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
        self._following: dict[str, list[Follower]] = {}
        self._heard_of: dict[str, bool] = {}

    async def follow(self, job_id: str, at: float, saw: _Saw) -> None:
        """Look at a job at a moment of the clock, and again whenever `saw` says when; None ends it.

        Raises:
            LlamaClassifyError: What a request for it raised.
        """
        called = asyncio.Event()
        follower = self.enlist(job_id, at, saw, lambda _: called.set())
        try:
            while not follower.is_over:
                called.clear()
                await self.attend(follower)
                await called.wait()
        finally:
            self.dismiss(follower)
        if follower.error is not None:
            raise follower.error

    def enlist(self, job_id: str, at: float, saw: _Saw, call: Callable[[Follower], None]) -> Follower:
        """Have a job looked at likewise; `call` is called when that is over, or a task must `attend`."""
        follower = Follower(job_id, saw, call)
        self._following.setdefault(job_id, []).append(follower)
        self._join(follower, _DUE if self._heard_of.pop(job_id, False) else at)
        return follower

    def dismiss(self, follower: Follower) -> None:
        """Look no more for a wait; whoever led goes, another takes over."""
        follower.is_over = True
        followers = self._following.get(follower.job_id, [])
        if follower in followers:
            followers.remove(follower)
            if not followers:
                del self._following[follower.job_id]
        self._leave(follower)

    async def attend(self, follower: Follower) -> None:
        """Do what there is to do for a wait: to lead its group, or to ask for its job alone."""
        if follower.is_attended:
            return
        follower.is_attended = True
        try:
            while not follower.is_over:
                if follower.is_alone:
                    await self._ask_alone(follower)
                elif follower.group is not None and follower.group.leader is follower:
                    await self._lead(follower.group)
                else:
                    return
        finally:
            follower.is_attended = False

    def notify(self, job_id: str) -> None:
        """Have the waits on a job look at once; the next one, where there is none now."""
        followers = self._following.get(job_id)
        if followers is None:
            self._heard_of[job_id] = True
            if len(self._heard_of) > _HEARD_OF:
                del self._heard_of[next(iter(self._heard_of))]
            return
        for follower in followers:
            if follower.is_sleeping:
                self._join(follower, _DUE)
            else:
                follower.is_hurried = True  # what is being asked may be answered too early

    def _call(self, follower: Follower) -> None:
        if follower.is_over or not follower.is_attended:
            follower.call(follower)

    def _join(self, follower: Follower, at: float) -> None:
        """Move a wait on to the group of a moment."""
        self._leave(follower)
        if at <= self._clock.now():
            at = _DUE
        group = self._open.get(at)
        if group is None or len(group.followers) >= self._most:
            group = self._open[at] = _Group(at)
        group.followers[follower] = None
        follower.group = group
        if group.leader is follower:
            self._call(follower)

    def _leave(self, follower: Follower) -> None:
        group, follower.group = follower.group, None
        if group is None:
            return
        led = group.leader is follower
        del group.followers[follower]
        if not led:
            return
        if group.under_way is not None:
            group.under_way.cancel()
        if group.leader is not None:
            self._call(group.leader)
        else:
            self._close(group)

    async def _lead(self, group: _Group) -> None:
        """Sleep until the group's moment, ask for all its jobs and hand out the answers."""
        answers: Mapping[str, _Answer] = {}
        passengers: list[str] = []
        with anyio.CancelScope() as group.under_way:
            try:
                await self._sleep(group)
                job_ids = list(dict.fromkeys(f.job_id for f in group.followers))
                passengers = self._passengers(len(job_ids))
                answers = await self._read(job_ids, passengers)
            except LlamaClassifyError as error:
                self._close(group)
                # Each wait adds what it knows to an error of its own.
                answers = {f.job_id: error for f in group.followers}
        if group.under_way.cancelled_caught:
            return  # whoever led was called away
        now = self._clock.now()  # the same for all: those that are due together next time stay together
        for follower in group.disbanded():
            answer = answers.get(follower.job_id, _Instead.ALONE)
            self._hand_out(follower, copy.copy(answer) if isinstance(answer, Exception) else answer, now)
        for job_id in passengers:
            self._set_down(job_id, answers.get(job_id), now)

    def _passengers(self, asked: int) -> list[str]:
        """Choose jobs to fill a listing up with: it costs one request either way, and some may have ended.

        Those that were seen the longest ago come first.
        """
        if not 1 < asked < self._most:
            return []
        waiting = islice(self._following.items(), 2 * MOST)
        sleeping = (job_id for job_id, followers in waiting if followers[0].is_sleeping)
        return list(islice(sleeping, self._most - asked))

    def _set_down(self, job_id: str, answer: _Answer | None, now: float) -> None:
        """Tell the waits on a passenger if it has ended; else they look when they were to."""
        followers = self._following.pop(job_id, None)
        if followers is None:
            return
        self._following[job_id] = followers
        if not isinstance(answer, _Instead | LlamaClassifyError | None) and answer.is_terminal:
            for follower in list(followers):
                if follower.is_sleeping:
                    self._leave(follower)
                    self._hand_out(follower, answer, now)

    async def _sleep(self, group: _Group) -> None:
        """Sleep until the group's moment, and let nobody join any more."""
        if group.asked:
            return
        if group.at == _DUE:
            await checkpoint()  # all that are due now may join
        else:
            await self._clock.sleep(max(0.0, group.at - self._clock.now()))
        self._close(group)

    def _close(self, group: _Group) -> None:
        group.asked = True
        if self._open.get(group.at) is group:
            del self._open[group.at]

    def _hand_out(self, follower: Follower, answer: _Answer, now: float) -> None:
        """Give a wait its answer: that ends it, or moves it on to its next look."""
        if follower.is_over:
            return  # dismissed while its job was asked for
        if answer is _Instead.ALONE:
            follower.is_alone = True
            self._call(follower)
            return
        at: float | None = _DUE
        if isinstance(answer, LlamaClassifyError):
            follower.error, at = answer, None
        elif not isinstance(answer, _Instead):
            at = follower.saw(answer, now)
        if at is None:
            self.dismiss(follower)
            self._call(follower)
        else:
            self._following[follower.job_id] = self._following.pop(follower.job_id)  # the latest seen
            self._join(follower, _DUE if follower.is_hurried else at)
            follower.is_hurried = False

    async def _ask_alone(self, follower: Follower) -> None:
        follower.is_alone = False
        try:
            answer: _Answer = await self._fetch(follower.job_id)
        except LlamaClassifyError as error:
            answer = error
        self._hand_out(follower, answer, self._clock.now())

    async def _read(self, job_ids: list[str], passengers: list[str]) -> Mapping[str, _Answer]:
        if len(job_ids) == 1:
            return {job_ids[0]: await self._fetch(job_ids[0])}
        if len(job_ids) > self._most:  # it was less while they slept
            return dict.fromkeys(job_ids, _Instead.AGAIN)
        try:
            return await self._fetch_all(job_ids + passengers)
        except APIStatusError as error:
            if error.status not in _REFUSALS:
                raise
            asked = len(job_ids) + len(passengers)
            if asked <= self._most:  # else another listing was refused meanwhile
                self._most = asked // 2 if self._most == MOST else 1
            return dict.fromkeys(job_ids, _Instead.AGAIN)
