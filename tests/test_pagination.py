"""Listings: the first page, every item, every page."""

import pytest

from llamaclassify import Job, PaginationError
from llamaclassify.wire.pagination import Pager


def pager(pages, **options):
    """Page through `pages`: a map from token to (ids, next token)."""

    async def fetch(token):
        fetched.append(token)
        ids, following = pages[token]
        items = [{"id": job_id, "status": "PENDING"} for job_id in ids]
        return {"items": items, "next_page_token": following}

    fetched: list = []
    return Pager(fetch, Job, request="GET /x", **options), fetched


PAGES = {None: (["a", "b"], "t1"), "t1": ([], "t2"), "t2": (["c"], "")}


async def test_iterating_gives_every_item_of_every_page():
    jobs, fetched = pager(PAGES)
    assert [job.id async for job in jobs] == ["a", "b", "c"]
    assert fetched == [None, "t1", "t2"]


async def test_awaiting_gives_the_first_page():
    jobs, fetched = pager(PAGES)
    page = await jobs
    assert [job.id for job in page.items] == ["a", "b"]
    assert page.next_page_token == "t1"
    assert fetched == [None]


async def test_pages_are_asked_for_one_by_one():
    jobs, fetched = pager(PAGES)
    async for page in jobs.pages():
        assert len(page.items) == 2
        break
    assert fetched == [None]


async def test_it_can_start_at_a_token():
    jobs, _ = pager(PAGES, page_token="t2")
    assert [job.id async for job in jobs] == ["c"]


async def test_a_token_that_comes_twice_ends_it():
    jobs, _ = pager({None: (["a"], "t1"), "t1": (["b"], "t1")})
    with pytest.raises(PaginationError, match="'t1' came twice"):
        [job async for job in jobs]
