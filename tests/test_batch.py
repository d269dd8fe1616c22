"""Fan-out: bounds, order, laziness, and how a batch ends."""

import asyncio
import itertools

import anyio
import pytest
from hypothesis import given, strategies as st

from llamaclassify import (
    AuthenticationError,
    Batch,
    ConfigurationError,
    Job,
    JobFailedError,
    Progress,
    Result,
    SessionClosedError,
)


class Classifier:
    """Classifies by name: ``slow`` never ends, ``bad`` fails, ``key`` has a wrong key."""

    def __init__(self):
        self.running = 0
        self.most = 0
        self.started = []

    async def __call__(self, document):
        self.started.append(document)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await anyio.sleep(3600 if document == "slow" else 0)
        finally:
            self.running -= 1
        if document == "key":
            raise AuthenticationError("POST", 401, {"detail": "no"})
        if document == "closed":
            raise SessionClosedError("the session is closed")
        if document == "bad":
            job = Job(id="clj-bad", status="FAILED")
            raise JobFailedError("failed", job=job, job_id=job.id)
        return Job(id=document, status="COMPLETED", result=Result(confidence=1))


@pytest.fixture
def classify():
    return Classifier()


def numbered(count):
    return [str(number) for number in range(count)]


@given(st.lists(st.sampled_from(["a", "b", "bad"]), max_size=30), st.integers(1, 8))
def test_awaited_it_keeps_the_order_and_the_bound(documents, concurrency):
    classify = Classifier()

    async def collect():
        return await Batch(documents, classify, concurrency=concurrency)

    outcomes = anyio.run(collect)
    assert [(o.index, o.document, o.ok) for o in outcomes] == [
        (index, document, document != "bad") for index, document in enumerate(documents)
    ]
    assert classify.most <= concurrency


async def test_one_bad_document_is_an_outcome_with_its_job(classify):
    good, bad = await Batch(["a", "bad"], classify, concurrency=2)
    assert (good.ok, good.result.confidence, good.error) == (True, 1.0, None)
    assert (bad.ok, bad.result, bad.job.id) == (False, None, "clj-bad")
    assert isinstance(bad.error, JobFailedError)


async def test_an_endless_source_is_read_as_places_become_free(classify):
    pulled = itertools.count()
    async with Batch((str(n) for n in pulled), classify, concurrency=3) as outcomes:
        for _ in range(10):
            await anext(outcomes)
        await anyio.wait_all_tasks_blocked()
    assert next(pulled) <= 10 + 3 + 2
    assert classify.running == 0


async def test_an_async_source(classify):
    async def source():
        for number in range(5):
            await anyio.sleep(0)
            yield str(number)

    assert [o.document for o in await Batch(source(), classify, concurrency=2)] == numbered(5)


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_a_refused_key_ends_the_batch_with_what_was_finished_delivered(classify, concurrency):
    documents = ["a", "b", "key", *numbered(50)]
    seen = []
    with pytest.raises(AuthenticationError):
        async with Batch(documents, classify, concurrency=concurrency) as outcomes:
            async for outcome in outcomes:
                seen.append(outcome.document)
    assert seen[:2] == ["a", "b"]
    assert len(classify.started) < 10
    assert classify.running == 0


async def test_awaited_the_error_carries_what_was_finished(classify):
    with pytest.raises(AuthenticationError) as caught:
        await Batch(["a", "b", "key", "c"], classify, concurrency=1)
    assert [o.document for o in caught.value.outcomes] == ["a", "b"]


async def test_a_source_that_raises_ends_the_batch_after_what_is_under_way(classify):
    def source():
        yield from ["a", "b"]
        raise OSError("the disk is gone")

    seen = []
    with pytest.raises(OSError, match="the disk is gone"):
        async with Batch(source(), classify, concurrency=4) as outcomes:
            async for outcome in outcomes:
                seen.append(outcome.document)
    assert sorted(seen) == ["a", "b"]


async def test_an_error_in_the_callers_loop_comes_out_as_it_is(classify):
    with pytest.raises(KeyError, match="mine"):
        async with Batch(["a", "slow"], classify, concurrency=2) as outcomes:
            async for _ in outcomes:
                raise KeyError("mine")
    assert classify.running == 0


async def test_leaving_early_leaves_nothing_running(classify):
    async with Batch(["a", "slow", "slow"], classify, concurrency=3) as outcomes:
        await anext(outcomes)
        await anyio.wait_all_tasks_blocked()
        assert classify.running == 2
    assert classify.running == 0
    assert len(asyncio.all_tasks()) == 1


async def _drain(batch):
    async with batch as outcomes:
        async for _ in outcomes:
            pass


async def test_cancelling_the_task(classify):
    task = asyncio.create_task(_drain(Batch(["slow"] * 3, classify, concurrency=3)))
    await anyio.wait_all_tasks_blocked()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert classify.running == 0


async def test_asyncio_timeout(classify):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await Batch(["slow"], classify, concurrency=1)
    assert classify.running == 0


async def test_an_outer_cancel_scope(classify):
    with anyio.move_on_after(0.01) as scope:
        await _drain(Batch(["slow"], classify, concurrency=1))
    assert scope.cancelled_caught
    assert classify.running == 0


async def test_it_is_used_once(classify):
    batch = Batch([], classify, concurrency=1)
    assert await batch == []
    with pytest.raises(ConfigurationError, match="has been used"):
        await batch


@pytest.mark.parametrize("concurrency", [0, -1, 1.5, True, None])
async def test_a_concurrency_that_cannot_be_right(classify, concurrency):
    with pytest.raises(ConfigurationError, match="concurrency"):
        Batch([], classify, concurrency=concurrency)


async def test_one_document_instead_of_many_is_refused(classify):
    with pytest.raises(ConfigurationError, match=r"give \[document\]"):
        Batch("dfl-1", classify, concurrency=1)


async def test_what_finishes_in_the_same_moment_as_a_refused_key_is_delivered():
    async def classify(document):
        await anyio.lowlevel.checkpoint()
        if document == "key":
            raise AuthenticationError("POST", 401, {"detail": "no"})
        return Job(id=document, status="COMPLETED", result=Result(confidence=1))

    for _ in range(20):
        with pytest.raises(AuthenticationError) as caught:
            await Batch(["a", "b", "c", "key"], classify, concurrency=4)
        assert [o.document for o in caught.value.outcomes] == ["a", "b", "c"]


async def test_a_source_that_is_left_early_is_closed(classify):
    closed = []

    def source():
        try:
            yield from map(str, itertools.count())
        finally:
            closed.append("source")

    async with Batch(source(), classify, concurrency=2) as outcomes:
        await anext(outcomes)
    assert closed == ["source"]


async def test_awaited_a_source_that_raises_gives_what_was_finished_on_its_error(classify):
    def source():
        yield "a"
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone") as caught:
        await Batch(source(), classify, concurrency=1)
    assert [o.document for o in caught.value.outcomes] == ["a"]


@pytest.mark.parametrize("documents", [5, None, ("a.pdf", b"x")])
async def test_what_is_no_list_of_documents_is_refused(classify, documents):
    with pytest.raises(ConfigurationError, match="documents: expected an iterable"):
        Batch(documents, classify, concurrency=1)


async def test_progress_can_be_read_at_any_time(classify):
    moment = 10.0
    batch = Batch(["a", "bad", "c"], classify, concurrency=1, now=lambda: moment)
    assert batch.progress == Progress(done=0, failed=0, in_flight=0, seconds=0.0, total=3)
    async with batch as outcomes:
        await anext(outcomes)
        moment = 12.0
        assert (batch.progress.done, batch.progress.seconds) == (1, 2.0)
        async for _ in outcomes:
            pass
    moment = 99.0
    assert batch.progress == Progress(done=3, failed=1, in_flight=0, seconds=2.0, total=3)
    assert batch.progress.rate == 1.5


async def test_progress_counts_what_is_in_flight_and_knows_no_total_of_a_stream(classify):
    batch = Batch(iter(["slow", "slow", "a"]), classify, concurrency=3)
    async with batch as outcomes:
        await anext(outcomes)
        assert (batch.progress.in_flight, batch.progress.total) == (2, None)
    assert batch.progress.in_flight == 0


async def test_each_document_that_is_done_is_told(classify):
    told = []
    await Batch(["a", "bad", "c"], classify, concurrency=2, on_progress=told.append)
    assert [(progress.done, progress.failed) for progress in told][-1] == (3, 1)
    assert [progress.done for progress in told] == [1, 2, 3]


async def test_an_error_of_the_callers_callback_ends_the_batch_as_it_is(classify):
    def callback(progress):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine") as caught:
        await Batch(["a", "slow", "slow"], classify, concurrency=3, on_progress=callback)
    assert [outcome.document for outcome in caught.value.outcomes] == ["a"]
    assert classify.running == 0


async def test_a_closed_session_ends_the_batch(classify):
    with pytest.raises(SessionClosedError):
        await Batch(["a", "closed", *numbered(1000)], classify, concurrency=2)
    assert len(classify.started) < 10


@pytest.mark.parametrize("waits", [False, True], ids=["for a place", "for the source"])
async def test_drained_it_finishes_what_is_under_way_and_reads_no_more(waits):
    may_end = anyio.Event()
    begun = []

    async def classify(document):
        begun.append(document)
        await may_end.wait()
        return Job(id=document, status="COMPLETED", result=Result(confidence=1))

    async def source():
        for document in numbered(2 if waits else 9):
            yield document
        await anyio.sleep_forever()

    batch = Batch(source(), classify, concurrency=3 if waits else 2)
    async with batch as outcomes:
        while len(begun) < 2:
            await anyio.sleep(0)
        batch.drain()
        may_end.set()
        assert sorted([outcome.document async for outcome in outcomes]) == ["0", "1"]
    assert (batch.progress.done, batch.progress.in_flight) == (2, 0)


async def test_drained_before_it_began_it_reads_nothing(classify):
    batch = Batch(numbered(9), classify, concurrency=2)
    batch.drain()
    assert await batch == []
