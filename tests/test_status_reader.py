"""Coalesced polling: looks that are due together share a request."""

import asyncio

import anyio
import pytest
from attrs import Factory, define

from llamaclassify import APIStatusError, InternalServerError, Job, SessionClosedError
from llamaclassify.waiting.clock import Clock
from llamaclassify.waiting.status_reader import StatusReader

from .conftest import Seen


@define
class Server:
    """Jobs by their status, RUNNING where nothing else is said; it remembers what it was asked."""

    statuses: dict[str, str] = Factory(dict)
    gets: list[str] = Factory(list)
    lists: list[list[str]] = Factory(list)
    left_out: set[str] = Factory(set)
    refuses: int | None = None
    largest: int = 0
    fault: Exception | None = None
    answering: asyncio.Event | None = None

    def seen(self, job_id):
        return Seen(Job(id=job_id, status=self.statuses.get(job_id, "RUNNING")))

    async def get(self, job_id):
        self.gets.append(job_id)
        await self._answer()
        return self.seen(job_id)

    async def list(self, job_ids):
        self.lists.append(job_ids)
        await self._answer()
        if self.refuses and len(job_ids) > self.largest:
            raise APIStatusError.of("GET", self.refuses, {"detail": "no"})
        return {job_id: self.seen(job_id) for job_id in job_ids if job_id not in self.left_out}

    async def _answer(self):
        await asyncio.sleep(0)
        if self.answering is not None:
            await self.answering.wait()
        if self.fault is not None:
            raise self.fault


class Moments:
    """A clock that stands still; sleepers wake when it is moved on."""

    def __init__(self):
        self.now = 100.0
        self._sleepers = []

    async def sleep(self, seconds):
        woken = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now + seconds, woken))
        await woken

    async def move_to(self, moment):
        await settle()
        self.now = moment
        for at, woken in self._sleepers:
            if at <= moment and not woken.done():
                woken.set_result(None)
        await settle()


async def settle():
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def time():
    return Moments()


@pytest.fixture
def reader(server, time):
    return StatusReader(server.get, server.list, Clock(now=lambda: time.now, sleep=time.sleep))


async def look(reader, job_id, *moments):
    """Look at these moments, or until the job has ended; gives what was seen."""
    seen = []
    later = iter(moments[1:])

    def saw(sighting, now):
        seen.append(sighting)
        return None if sighting.is_terminal else next(later, None)

    await reader.follow(job_id, moments[0], saw)
    return seen[-1]


def looking(reader, job_ids, *moments):
    return [asyncio.create_task(look(reader, job_id, *moments)) for job_id in job_ids]


def numbered(count):
    return [f"clj-{n}" for n in range(count)]


async def ended(tasks):
    return [seen.job().id for seen in await asyncio.gather(*tasks)]


async def test_looks_at_the_same_moment_share_a_listing(reader, server, time):
    tasks = looking(reader, numbered(50), 101)
    await settle()
    assert not server.lists
    await time.move_to(101)
    assert await ended(tasks) == numbered(50)
    assert server.lists == [numbered(50)]
    assert not server.gets


async def test_looks_that_are_due_at_once_share_too(reader, server):
    assert await ended(looking(reader, numbered(3), 0)) == numbered(3)
    assert server.lists == [numbered(3)]


async def test_one_listing_holds_a_hundred(reader, server, time):
    tasks = looking(reader, numbered(250), 101)
    await time.move_to(101)
    assert await ended(tasks) == numbered(250)
    assert [len(asked) for asked in server.lists] == [100, 100, 50]


async def test_waits_move_on_together_from_look_to_look(reader, server, time):
    server.statuses = {"clj-0": "COMPLETED"}
    tasks = looking(reader, numbered(3), 101, 102, 104)
    for moment in (101, 102, 104):
        await time.move_to(moment)
    assert await ended(tasks) == numbered(3)
    assert server.lists == [numbered(3), ["clj-1", "clj-2"], ["clj-1", "clj-2"]]


async def test_a_task_is_woken_only_to_lead_or_at_the_end(reader, server, time):
    steps = []

    async def counted(job_id):
        await look(reader, job_id, 101, 102, 103, 104)

    class Counting(asyncio.Future):
        def set_result(self, result):
            steps.append(result)
            super().set_result(result)

    asyncio.get_running_loop().create_future = lambda: Counting(loop=asyncio.get_running_loop())
    try:
        tasks = [asyncio.create_task(counted(job_id)) for job_id in numbered(100)]
        for moment in (101, 102, 103, 104):
            await time.move_to(moment)
        await asyncio.gather(*tasks)
    finally:
        del asyncio.get_running_loop().create_future
    assert len(server.lists) == 4
    assert len(steps) < 100 + 20


async def test_a_listing_with_room_left_takes_jobs_along_that_are_due_later(reader, server, time):
    server.statuses["clj-3"] = "COMPLETED"
    tasks = looking(reader, numbered(2), 101) + looking(reader, ["clj-2", "clj-3"], 150)
    await time.move_to(101)
    assert server.lists == [["clj-0", "clj-1", "clj-2", "clj-3"]]
    assert [task.done() for task in tasks] == [True, True, False, True]
    await time.move_to(150)
    assert (await ended(tasks))[2] == "clj-2"
    assert server.gets == ["clj-2"]


async def test_those_seen_the_longest_ago_are_taken_along_first(reader, server, time):
    tasks = looking(reader, numbered(99), 101, 200) + looking(reader, ["old", "new"], 300)
    await time.move_to(101)
    assert server.lists == [[*numbered(99), "old"]]
    tasks += looking(reader, [f"other-{n}" for n in range(99)], 102, 200)
    await time.move_to(102)
    assert server.lists[1][99:] == ["new"]
    await time.move_to(300)
    await ended(tasks)


async def test_a_wait_that_is_dismissed_while_its_job_is_asked_for_alone_is_over(reader, server, time):
    server.left_out = {"clj-1"}
    told = []
    followers = [reader.enlist(job_id, 0, lambda *_: 400.0, told.append) for job_id in numbered(2)]
    leading = asyncio.create_task(reader.attend(followers[0]))
    await settle()
    server.answering = asyncio.Event()
    alone = asyncio.create_task(reader.attend(followers[1]))
    await settle()
    reader.dismiss(followers[1])
    server.answering.set()
    await alone
    assert set(reader._following) == {"clj-0"}
    reader.dismiss(followers[0])
    leading.cancel()
    await asyncio.gather(leading, return_exceptions=True)


async def test_a_lone_look_is_a_get(reader, server, time):
    tasks = looking(reader, ["clj-0"], 101) + looking(reader, ["clj-1"], 102)
    await time.move_to(101)
    await time.move_to(102)
    await ended(tasks)
    assert (server.gets, server.lists) == (["clj-0", "clj-1"], [])


async def test_two_looks_at_one_job_are_one_get(reader, server, time):
    tasks = looking(reader, ["clj-0", "clj-0"], 101)
    await time.move_to(101)
    await ended(tasks)
    assert server.gets == ["clj-0"]


async def test_jobs_that_the_listing_leaves_out_are_fetched_by_id(reader, server, time):
    server.left_out = {"clj-1"}
    tasks = looking(reader, numbered(3), 101)
    await time.move_to(101)
    assert await ended(tasks) == numbered(3)
    assert (len(server.lists), server.gets) == (1, ["clj-1"])


@pytest.mark.parametrize("status", [400, 414, 422])
async def test_a_refused_listing_gives_way_to_gets(reader, server, time, status):
    server.refuses = status
    for moment in (101, 102):
        tasks = looking(reader, numbered(200), moment)
        await time.move_to(moment)
        assert sorted(await ended(tasks)) == sorted(numbered(200))
    assert [len(asked) for asked in server.lists] == [100, 100, 50, 50, 50]
    assert len(server.gets) == 400


async def test_a_listing_that_takes_fewer_gets_fewer(reader, server, time):
    server.refuses, server.largest = 414, 60
    for moment in (101, 102):
        tasks = looking(reader, numbered(100), moment)
        await time.move_to(moment)
        await ended(tasks)
    assert [len(asked) for asked in server.lists] == [100, 50, 50, 50, 50]
    assert not server.gets


async def test_an_error_is_each_waits_own(reader, server, time):
    server.fault = InternalServerError("GET", 503, "")
    tasks = looking(reader, numbered(3), 101)
    await time.move_to(101)
    errors = await asyncio.gather(*tasks, return_exceptions=True)
    assert [error.status for error in errors] == [503] * 3
    assert len({id(error) for error in errors}) == 3


@pytest.mark.parametrize("when", ["asleep", "asking"])
async def test_when_the_look_that_leads_is_cancelled_the_next_takes_over(reader, server, time, when):
    server.answering = asyncio.Event()
    tasks = looking(reader, numbered(3), 101)
    await settle()
    if when == "asking":
        await time.move_to(101)
    tasks[0].cancel()
    await time.move_to(101)
    server.answering.set()
    assert await ended(tasks[1:]) == ["clj-1", "clj-2"]
    assert server.lists[-1] == ["clj-1", "clj-2"]
    assert tasks[0].cancelled()


async def test_a_follower_that_is_cancelled_is_not_asked_for(reader, server, time):
    tasks = looking(reader, numbered(3), 101)
    await settle()
    tasks[1].cancel()
    await time.move_to(101)
    await ended([tasks[0], tasks[2]])
    assert server.lists == [["clj-0", "clj-2"]]


async def test_nothing_is_kept_of_looks_that_have_ended(reader, time):
    tasks = looking(reader, numbered(3), 101)
    await settle()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (reader._open, reader._following) == ({}, {})


@pytest.mark.parametrize("who", [0, 1, 2])
async def test_a_notification_makes_the_look_come_at_once(reader, server, time, who):
    server.statuses["clj-1"] = "COMPLETED"
    tasks = looking(reader, numbered(3), 101)
    await settle()
    reader.notify(f"clj-{who}")
    await settle()
    assert server.gets == [f"clj-{who}"]
    assert [task.done() for task in tasks] == [n == who for n in range(3)]
    await time.move_to(101)
    assert await ended(tasks) == numbered(3)
    assert server.lists == [[job_id for job_id in numbered(3) if job_id != f"clj-{who}"]]


async def test_a_notification_during_a_look_has_it_look_again(reader, server, time):
    server.answering = asyncio.Event()
    [task] = looking(reader, ["clj-0"], 0, 200)
    await settle()
    reader.notify("clj-0")
    server.answering.set()
    await task
    assert server.gets == ["clj-0", "clj-0"]


async def test_a_notification_before_the_wait_is_remembered(reader, server):
    reader.notify("clj-0")
    [task] = looking(reader, ["clj-0"], 200)
    await settle()
    assert task.done()
    assert server.gets == ["clj-0"]


async def test_notifications_of_unknown_jobs_do_not_pile_up(reader):
    for job_id in numbered(3000):
        reader.notify(job_id)
    assert len(reader._heard_of) == 1000


async def test_closing_ends_every_look_that_sleeps(server):
    async def closed(seconds):
        await asyncio.sleep(0)
        raise SessionClosedError("the session is closed")

    reader = StatusReader(server.get, server.list, Clock(now=lambda: 100.0, sleep=closed))
    ends = await asyncio.gather(*looking(reader, numbered(3), 101), return_exceptions=True)
    assert [type(error) for error in ends] == [SessionClosedError] * 3
    assert not server.lists


async def test_an_outer_scope_ends_a_look_that_leads(reader, time):
    with anyio.move_on_after(0.01) as scope:
        await look(reader, "clj-0", 101)
    assert scope.cancelled_caught
    assert not reader._open
