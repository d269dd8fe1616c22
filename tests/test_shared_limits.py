"""One budget for many: never more than the rate together, in turn, whatever becomes of one of them."""

import asyncio
import json
import os
import pickle
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import anyio
import pytest
from hypothesis import given, strategies as st

from llamaclassify import (
    ClassifySession,
    ConfigurationError,
    HostBudget,
    PollPolicy,
    Rate,
    RateBudget,
    RateLimit,
)
from llamaclassify.wire.shared_limits import Ledger, SharedBudget

from .budget_process import LIMIT
from .conftest import KEY, RULES

CREATES = RateLimit(creates=Rate(10, 1.0), uploads=None)


class MemoryBudget(SharedBudget):
    """A budget whose ledger is an object, on the test's clock."""

    def __init__(self, ledger, time):
        super().__init__(ledger.limit, now=lambda: time.now, sleep=time.sleep)
        self.ledger = ledger

    async def _reserve(self, kind):
        return self.ledger.reserve(kind, self._now())

    def _hold(self, seconds):
        self.ledger.hold(self._now() + seconds)


def members(time, count, limit=CREATES):
    ledger = Ledger(limit)
    return [MemoryBudget(ledger, time) for _ in range(count)]


def fits(moments, rate):
    return all(
        last - first >= rate.seconds for first, last in zip(moments, moments[rate.count :], strict=False)
    )


KINDS = st.sampled_from(["create", "upload", "other"])
RATES = st.builds(Rate, st.integers(1, 20), st.floats(0.1, 60))


@given(RATES, st.none() | RATES, st.lists(st.tuples(KINDS, st.floats(0, 3)), max_size=120))
def test_no_window_holds_more_than_its_rate_allows(creates, requests, asked):
    limit = RateLimit(creates=creates, uploads=None, requests=requests)
    ledger, now, places = Ledger(limit), 100.0, []
    for kind, pause in asked:
        now += pause
        place = ledger.reserve(kind, now)
        if place.is_taken:
            places.append((kind, now + place.seconds))
        else:
            assert place.seconds > 0
    assert fits([at for kind, at in places if kind == "create"], creates)
    if requests is not None:
        assert fits([at for _, at in places], requests)


async def test_the_whole_rate_is_given_to_whoever_asks(time):
    [alone] = members(time, 1)
    start = time.now
    for _ in range(300):
        await alone.admit("create")
    assert 300 / (time.now - start) == pytest.approx(10, rel=0.05)
    assert max(time.slept) < 0.2  # spread over time


async def test_members_take_turns(time):
    busy, idle = members(time, 2)
    for _ in range(25):
        await busy.admit("create")
    before = time.now
    await idle.admit("create")
    assert time.now - before <= 0.21


async def test_what_is_far_off_is_asked_for_again(time):
    limit = RateLimit(creates=Rate(2, 60), uploads=None, requests=Rate(1000, 1))
    one, other = members(time, 2, limit)
    for _ in range(2):
        await one.admit("create")
    before = time.now
    assert not (place := one.ledger.reserve("create", time.now)).is_taken
    assert 50 < place.seconds < 60
    await other.admit("other")
    assert time.now - before < 0.1  # nobody's place in an hour stands in the way of those before it
    await one.admit("create")
    assert time.now - before == pytest.approx(60.5, abs=0.2)


async def test_the_place_of_a_cancelled_request_is_the_next_ones(time):
    [budget] = members(time, 1)
    for _ in range(10):
        await budget.admit("create")
    budget._sleep = lambda _: anyio.sleep_forever()
    with anyio.move_on_after(0.01):
        await budget.admit("create")
    budget._sleep, before = time.sleep, budget.ledger.taken
    await budget.admit("create")
    assert budget.ledger.taken == before
    await budget.admit("create")
    assert budget.ledger.taken != before


async def test_a_place_too_old_is_left(time):
    [budget] = members(time, 1)
    budget._places["create"] = time.now - 10
    await budget.admit("create")
    assert budget.ledger.taken == [[time.now]]


async def test_a_429_holds_everybody(time):
    one, other = members(time, 2)
    one.answered(429, 7.0)
    before = time.now
    await other.admit("create")
    assert time.now - before == pytest.approx(7.0)


async def test_a_refusal_that_asks_for_no_pause_holds_one_member(time):
    one, other = members(time, 2)
    one.answered(200)
    one.answered(503)
    one.answered(429)
    before = time.now
    await other.admit("create")
    assert time.now == before
    await one.admit("create")
    assert time.now - before == pytest.approx(0.25)


async def test_a_place_is_not_used_after_a_hold(time):
    [budget] = members(time, 1)
    for _ in range(10):
        await budget.admit("create")

    async def refused(seconds):
        budget._sleep = time.sleep
        budget.answered(429, 7.0)
        await time.sleep(seconds)

    budget._sleep = refused
    await budget.admit("create")
    assert budget.ledger.taken[0][-1] == time.now


async def test_what_has_no_rate_is_not_asked_for(time):
    [budget] = members(time, 1)
    await budget.admit("other")
    assert budget.ledger.taken == [[]]
    assert time.slept == []
    budget.answered(429)
    await budget.admit("other")
    assert time.slept == [0.25]


def test_a_clock_that_has_started_again():
    before = Ledger(CREATES)
    for _ in range(10):
        before.reserve("create", 5000.0)
    after = Ledger(CREATES)
    after.go_on(before.taken, before.held, 3.0)
    assert after.reserve("create", 3.0).seconds == 0
    later = Ledger(CREATES)
    later.go_on(before.taken, before.held, 5000.2)
    assert later.reserve("create", 5000.2).seconds > 0.5


async def sharing(path, *arguments):
    program = Path(__file__).with_name("budget_process.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.budget_process", path, *arguments, cwd=program.parent.parent
    )
    return await process.wait()


def taken(path):
    with closing(sqlite3.connect(path)) as connection:
        return json.loads(connection.execute("SELECT taken FROM ledger").fetchone()[0])


async def test_processes_share_it_and_one_that_is_killed_is_not_waited_for(tmp_path):
    path = tmp_path / "budget"
    ended = await asyncio.gather(*(sharing(path, "60") for _ in range(3)), sharing(path, "60", "20"))
    assert ended[:3] == [0, 0, 0]
    assert ended[3] < 0
    _, every_place = taken(path)
    assert 3 * 60 + 20 < len(every_place) <= 3 * 60 + 22
    assert every_place == sorted(every_place)
    assert fits(every_place, LIMIT.creates)


async def test_a_session_is_paced_by_it(server, tmp_path):
    budget = HostBudget(tmp_path / "budget", RateLimit(creates=Rate(1000, 1.0), uploads=None))
    poll = PollPolicy(initial=0.005, maximum=0.02, timeout=10)
    async with (
        ClassifySession(KEY, base_url=server.url, poll=poll, rate_limit=budget) as one,
        ClassifySession(KEY, base_url=server.url, poll=poll, rate_limit=budget) as two,
    ):
        documents = [(f"invoice-{number}.txt", b"x") for number in range(20)]
        outcomes = await one.classify_many(documents, rules=RULES)
        outcomes += await two.classify_many(documents, rules=RULES)
    assert all(outcome.ok for outcome in outcomes)
    [places] = taken(tmp_path / "budget")
    assert len(places) == 40


async def test_another_limit_while_it_is_in_use(tmp_path):
    path = tmp_path / "budget"
    await HostBudget(path, RateLimit(creates=Rate(1, 60.0))).admit("create")
    with pytest.raises(ConfigurationError, match=r"limit: the budget is in use .*count=1"):
        await HostBudget(path, RateLimit(creates=Rate(2, 60.0))).admit("create")


async def test_another_limit_when_nobody_uses_it(tmp_path):
    path = tmp_path / "budget"
    await HostBudget(path, RateLimit(creates=Rate(1, 0.001))).admit("create")
    await asyncio.sleep(0.01)
    await HostBudget(path).admit("create")
    assert [len(window) for window in taken(path)] == [1, 0]


async def test_a_file_that_is_no_budget(tmp_path):
    (text := tmp_path / "text").write_text("this is no database, and long enough to be taken for one" * 50)
    with pytest.raises(
        ConfigurationError, match=r"rate budget: .*text: is no rate budget; give another file"
    ):
        await HostBudget(text).admit("create")
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE mine (id)")
    with pytest.raises(ConfigurationError, match=r"other.db: is a database, but no rate budget"):
        await HostBudget(tmp_path / "other.db").admit("create")
    with pytest.raises(ConfigurationError, match=r"rate budget: .*unable to open"):
        await HostBudget(tmp_path / "nowhere" / "budget").admit("create")


async def test_a_hold_is_every_processes(tmp_path):
    one, other = (HostBudget(tmp_path / "budget", CREATES) for _ in range(2))
    await one.admit("create")
    one.answered(429, 30.0)
    await one._reserve("create")  # its thread does one thing after another
    place = await other._reserve("create")
    assert not place.is_taken
    assert 20 < place.seconds < 30


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
async def test_after_a_fork(tmp_path):
    budget = HostBudget(tmp_path / "budget")
    await budget.admit("create")
    budget._process = -1  # as the child of a fork finds it
    with pytest.raises(ConfigurationError, match="HostBudget: was used before a fork"):
        await budget.admit("create")


async def test_another_process_is_given_it_by_value(tmp_path):
    budget = HostBudget(tmp_path / "budget", CREATES)
    await budget.admit("create")
    copy = pickle.loads(pickle.dumps(budget))  # noqa: S301
    await copy.admit("create")
    assert len(taken(tmp_path / "budget")[0]) == 2


def test_what_it_is_made_of():
    assert isinstance(HostBudget("budget"), RateBudget)
    with pytest.raises(ConfigurationError, match="limit: expected a RateLimit, got int"):
        HostBudget("budget", 40)
    with pytest.raises(ConfigurationError, match="limit: has no rate"):
        HostBudget("budget", RateLimit.unlimited())
