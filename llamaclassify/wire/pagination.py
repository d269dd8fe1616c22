"""Listings: `await` gives the first page, `async for` every item, `pages()` every page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any, Generic, TypeVar

from attrs import field, frozen

from ..errors import PaginationError
from .converter import decode

T = TypeVar("T")


@frozen(kw_only=True)
class Page(Generic[T]):
    """One page of a listing.

    Attributes:
        items: What is on it.
        next_page_token: What asks for the next page; None or empty on the last.
        total_size: How many there are in all, where the server says so; may be an estimate.
    """

    items: tuple[T, ...] = field(converter=tuple)
    next_page_token: str | None = None
    total_size: int | None = None


class Pager(Generic[T]):
    """A listing, not yet asked for: nothing is sent before it is awaited or iterated.

    ::

        async for job in session.list(status=JobStatus.FAILED):  # every one, page after page
            print(job.id, job.error_message)
        first = await session.list(page_size=10)
        print(len(first.items), first.next_page_token)
        async for page in session.list().pages():
            print(len(page.items))

    Raises:
        PaginationError: The server gave the same page token twice.
        APIStatusError, APIConnectionError, ResponseDecodeError: A page could not be had.
    """

    def __init__(
        self,
        fetch: Callable[[str | None], Awaitable[Any]],
        kind: type[T],
        *,
        request: str,
        page_token: str | None = None,
    ) -> None:
        """Page through `fetch`, which asks for the page of a token and gives its JSON."""
        self._fetch = fetch
        self._kind = kind
        self._request = request
        self._first = page_token

    def __await__(self) -> Generator[Any, None, Page[T]]:
        return self._page(self._first).__await__()

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page.items:
                yield item

    async def pages(self) -> AsyncIterator[Page[T]]:
        """Give every page, each asked for when the one before has been used."""
        token = self._first
        seen = {token}
        while True:
            page = await self._page(token)
            yield page
            token = page.next_page_token
            if not token:
                return
            if token in seen:
                message = f"{self._request}: the page token {token!r} came twice"
                raise PaginationError(message)
            seen.add(token)

    async def _page(self, token: str | None) -> Page[T]:
        data = await self._fetch(token)
        page_of: Any = Page
        return decode(page_of[self._kind], data, request=self._request)
