"""The embedded server: the classification API on your own machine, with no key and no network.

::

    async with LocalServer() as server:
        async with ClassifySession("llx-local", base_url=server.url) as session:
            ...

Needs the extra `local`.
"""

from .local import LocalServer
from .store import DataFolderError

__all__ = ["DataFolderError", "LocalServer"]
