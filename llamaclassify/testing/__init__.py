"""A server for the tests of what you build on this package: scripted, with faults, on a clock that you move.

With pytest there is nothing to import: the fixtures ``classify_server`` and ``classify_session`` are there
as soon as the package is installed. Without it::

    from llamaclassify.testing import ClassifyServer

    with ClassifyServer() as server:
        server.script("invoice-*.pdf", type="invoice")
        async with server.session() as session:
            job = await session.create_and_wait(("invoice-1.pdf", b"anything"), rules=RULES)

Needs the extra ``local``.
"""

from .clock import ManualClock
from .server import ClassifyServer

__all__ = ["ClassifyServer", "ManualClock"]
