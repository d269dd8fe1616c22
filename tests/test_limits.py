"""How fast a session asks: windows kept exactly, pushback heeded by the whole session."""

import asyncio

import pytest
from hypothesis import given, strategies as st

from llamaclassify import ClassifySession, ConfigurationError, Rate, RateLimit
from llamaclassify.wire.limits import Limiter

from .conftest import KEY, FakeTime


def limiter(time, limit):
    return Limiter(limit, now=lambda: time.now, sleep=time.sleep)


async def admitted(time, limit, kinds):
    """The moments at which requests of these kinds, asked for one after another, are admitted."""
    limiting = limiter(time, limit)
    moments = []
    for kind in kinds:
        await limiting.admit(kind)
        moments.append(time.now)
    return moments


@given(st.integers(1, 50), st.floats(0.1, 60), st.integers(1, 200))
def test_no_window_holds_more_than_its_rate_allows(count, seconds, requests):
    limit = RateLimit(creates=Rate(count, seconds), uploads=None)
    moments = asyncio.run(admitted(FakeTime(), limit, ["create"] * requests))
    for first, last in zip(moments, moments[count:], strict=False):
        assert last - first >= seconds
    assert moments[-1] - moments[0] <= seconds * 1.02 * (requests / count)


async def test_what_has_no_rate_is_not_held_back(time):
    await admitted(time, RateLimit(creates=Rate(1, 60)), ["other"] * 500)
    assert time.slept == []


async def test_the_free_tier_counts_requests_of_every_kind_together(time):
    moments = await admitted(time, RateLimit.free_tier(), ["create", "upload", "other"] * 20)
    assert moments[19] == moments[0]
    assert moments[20] - moments[0] == pytest.approx(60.6)
    assert moments[40] - moments[0] == pytest.approx(121.2)


async def test_concurrent_requests_keep_the_window_too():
    limiting = Limiter(RateLimit(creates=Rate(5, 0.02), uploads=None))
    loop = asyncio.get_running_loop()
    moments = []

    async def ask():
        await limiting.admit("create")
        moments.append(loop.time())

    await asyncio.gather(*(ask() for _ in range(15)))
    assert moments[10] - moments[0] >= 0.04


async def steady(limiting, time, seconds):
    """Ask as fast as is allowed for so many seconds, 1 ms apart at most, all well; gives how many."""
    until, count = time.now + seconds, 0
    while time.now < until:
        await limiting.admit("other")
        limiting.answered(200)
        time.now += 0.001
        count += 1
    return count


async def test_a_429_holds_the_whole_session_for_a_moment(time):
    limiting = limiter(time, RateLimit.unlimited())
    await steady(limiting, time, 1)
    limiting.answered(429)
    limiting.answered(429)
    before = time.now
    await limiting.admit("other")
    assert time.now - before == pytest.approx(0.25)


class Quota:
    """A server that takes so many requests in each second and refuses the rest."""

    def __init__(self, limiting, time, quota):
        self.limiting, self.time, self.quota = limiting, time, quota
        self.taken: dict[int, int] = {}

    async def ask(self, seconds):
        """Ask as fast as is allowed, at most every 2 ms; gives the good answers and the refusals a second."""
        until, good, refused = self.time.now + seconds, 0, 0
        while self.time.now < until:
            await self.limiting.admit("other")
            second = int(self.time.now)
            fits = self.taken.get(second, 0) < self.quota
            self.limiting.answered(200 if fits else 429)
            self.taken[second] = self.taken.get(second, 0) + fits
            good, refused = good + fits, refused + (not fits)
            self.time.now += 0.002
        return good / seconds, refused / seconds


async def test_the_rate_becomes_what_the_server_takes(time):
    server = Quota(limiter(time, RateLimit.unlimited()), time, 50)
    await server.ask(3)
    good, refused = await server.ask(60)
    assert good >= 50 * 0.8
    assert refused <= 50 * 0.1


async def test_when_the_server_takes_more_again_the_rate_is_unbounded_again(time):
    limiting = limiter(time, RateLimit.unlimited())
    await Quota(limiting, time, 5).ask(5)
    plenty = Quota(limiting, time, 10**6)
    await plenty.ask(20)
    good, refused = await plenty.ask(2)
    assert (good, refused) == (pytest.approx(500, rel=0.01), 0)


async def test_a_429_now_and_then_does_not_strangle_a_session(time):
    limiting = limiter(time, RateLimit.unlimited())
    count = 0
    until = time.now + 30
    while time.now < until:
        count += 1
        await limiting.admit("other")
        limiting.answered(429 if count % 20 == 0 else 200)
        time.now += 0.002
    assert count > 30 * 500 / 2


async def test_retry_after_holds_every_request(time):
    limiting = limiter(time, RateLimit.unlimited())
    limiting.answered(429, 7.0)
    await limiting.admit("other")
    assert time.slept == [7.0]


async def test_a_few_5xx_among_good_answers_slow_nothing(time):
    limiting = limiter(time, RateLimit.unlimited())
    for _ in range(20):
        await steady(limiting, time, 0.01)
        limiting.answered(503)
        limiting.answered(None)
    assert time.slept == []


async def test_nothing_but_5xx_slows_down_to_a_trickle(time):
    limiting = limiter(time, RateLimit.unlimited())
    await steady(limiting, time, 1)
    moments = []
    until = time.now + 20
    while time.now < until:
        await limiting.admit("other")
        limiting.answered(503)
        moments.append(time.now)
        time.now += 0.001
    assert moments[-1] - moments[-2] == pytest.approx(1, rel=0.01)
    assert len(moments) < 2000


def test_a_session_follows_the_server():
    hosted = ClassifySession(KEY)
    assert hosted._transport._retries.limiter._windows["create"]
    elsewhere = ClassifySession(KEY, base_url="http://127.0.0.1:1")
    assert not elsewhere._transport._retries.limiter._windows["create"]
    assert ClassifySession(KEY, rate_limit=None)._transport._retries.limiter is None
    with pytest.raises(ConfigurationError, match="rate_limit"):
        ClassifySession(KEY, rate_limit=40)


async def test_a_hold_is_heeded_by_who_was_waiting_before_it(time):
    limiting = limiter(time, RateLimit(creates=Rate(1, 1), uploads=None))
    await limiting.admit("create")

    async def sleep_and_be_refused(seconds):
        time.now += seconds
        if seconds < 2:
            limiting.answered(429, 30.0)

    limiting._sleep = sleep_and_be_refused
    await limiting.admit("create")
    assert time.now == pytest.approx(1000 + 1.01 + 30)


async def test_who_is_cancelled_while_waiting_takes_no_place():
    limiting = Limiter(RateLimit(creates=Rate(1, 0.05), uploads=None))
    await limiting.admit("create")
    waiting = [asyncio.create_task(limiting.admit("create")) for _ in range(40)]
    await asyncio.sleep(0.005)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    async with asyncio.timeout(0.5):
        await limiting.admit("create")
