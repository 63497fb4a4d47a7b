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
        self._tail = bytearray(_HEAD)
        """What is not in the file yet: a write for each request costs more than the request."""
        self._written = 0
        """Bytes in the file."""
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
        return self._written + len(self._tail) + len(_TAIL)

    def add(self, request: bytes) -> None:
        """Append a request."""
        start = self._written + len(self._tail)
        if self._starts:
            self._tail += b","
        self._tail += request
        self._starts.append(start)
        if len(self._tail) >= CHUNK_BYTES:
            self._flush()

    def drop(self) -> None:
        """Take the last request out again."""
        start = self._starts.pop()
        if start >= self._written:
            del self._tail[start - self._written :]
            return
        self._tail.clear()
        self._file.seek(start)
        self._file.truncate()
        self._written = start

    def _flush(self) -> None:
        self._file.write(self._tail)
        self._written += len(self._tail)
        self._tail.clear()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body in pieces; nothing can be added after that."""
        self._flush()
        self._file.seek(0)
        while chunk := self._file.read(CHUNK_BYTES):
            yield chunk
        yield _TAIL

    def close(self) -> None:
        """Forget the body."""
        self._tail.clear()
        self._file.close()
