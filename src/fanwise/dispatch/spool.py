"""The body of a batch while it is filled: on disk where it is large, and read from there while it is sent."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import AsyncIterator
from pathlib import Path

IN_MEMORY_BYTES = 1_000_000
"""A smaller body stays in memory."""
CHUNK_BYTES = 256_000
_HEAD, _TAIL = b'{"requests":[', b"]}"


class Spool:
    """Requests of one batch, each serialised as `{"custom_id": ..., "params": ...}`, one after another."""

    def __init__(self, folder: Path | None = None) -> None:
        """Begin an empty body.

        Args:
            folder: Where the file is kept while it is large; it has no name there and dies with the process.
        """
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES, dir=None if folder is None else str(folder))  # noqa: SIM115 - closed by `close`
        self._file.write(_HEAD)
        self._starts = array("Q")

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def closed(self) -> bool:
        """Whether it was forgotten."""
        return self._file.closed

    @property
    def size(self) -> int:
        """Bytes of the whole body."""
        return self._file.tell() + len(_TAIL)

    def add(self, request: bytes) -> None:
        """Append a request."""
        start = self._file.tell()
        self._file.write(b"," + request if self._starts else request)
        self._starts.append(start)

    def drop(self) -> None:
        """Take the last request out again."""
        start = self._starts.pop()
        self._file.seek(start)
        self._file.truncate()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body in pieces; nothing can be added after that."""
        end = self._file.tell()
        self._file.seek(0)
        while self._file.tell() < end:
            yield self._file.read(CHUNK_BYTES)
        yield _TAIL

    def close(self) -> None:
        """Forget the body."""
        self._file.close()
