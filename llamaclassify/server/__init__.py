"""The embedded server: the classification API on your own machine, with no key and no network.

::

    from llamaclassify.server import LocalServer

    async with LocalServer() as server, ClassifySession("llx-local", base_url=server.url) as session:
        job = await session.create_and_wait(Path("a.pdf"), rules=RULES)

Needs the extra `local`.
"""

from .local import LocalServer
from .store import DataFolderError

__all__ = ["DataFolderError", "LocalServer"]
