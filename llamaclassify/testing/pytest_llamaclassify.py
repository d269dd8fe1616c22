"""The pytest plugin: ``classify_server`` and ``classify_session``.

pytest imports it at every start wherever the package is installed, by a name of its own beside the package:
what is heavy is imported by the fixtures, in the tests that ask for them.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from llamaclassify import ClassifySession
    from llamaclassify.testing import ClassifyServer


@pytest.fixture
def classify_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ClassifyServer]:
    """A scripted server of the classification API; sessions that are given no key and no URL use it."""
    try:
        from llamaclassify.testing import ClassifyServer  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        pytest.fail(
            f"classify_server needs {missing.name}: pip install 'llamaclassify[local]'", pytrace=False
        )
    with ClassifyServer() as server:
        monkeypatch.setenv("LLAMA_CLOUD_BASE_URL", server.url)
        monkeypatch.setenv("LLAMA_CLOUD_API_KEY", server.api_key)
        yield server


@pytest.fixture
def classify_session(classify_server: ClassifyServer, request: pytest.FixtureRequest) -> ClassifySession:
    """A session with `classify_server` that looks and retries without long pauses; closed after the test."""
    session = classify_server.session()
    test = request.node
    # Not an async fixture: those belong to one plugin's event loop, and this is to work with any.
    if isinstance(test, pytest.Function) and inspect.iscoroutinefunction(test.obj):
        test.obj = _closing(session, test.obj)
    return session


def _closing(session: ClassifySession, test: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(test)
    async def closing(*args: Any, **values: Any) -> Any:
        async with session:
            return await test(*args, **values)

    return closing
