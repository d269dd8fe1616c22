"""What is wrong with a data folder, and what an answer says where the disk fails."""

from __future__ import annotations

import errno
import sqlite3

from ...errors import LlamaClassifyError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class DataFolderError(LlamaClassifyError):
    """The server's data folder cannot be used; the text says why, in one line."""


def is_disk_full(error: Exception) -> bool:
    """Whether something could not be stored for want of room."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL
