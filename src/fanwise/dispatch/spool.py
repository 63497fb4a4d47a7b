"""The body of a batch while it is filled: on disk where it is large, and read from there while it is sent.

Most of a request it has in common with others; that is kept once, and put in front of each on the way out.
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import AsyncIterator
from pathlib import Path

IN_MEMORY_BYTES = 1_000_000
"""What is larger goes to disk."""
CHUNK_BYTES = 64_000
_HEAD, _TAIL = b'{"requests":[', b"]}"
_OPEN, _ID = b'{"params":', b',"custom_id":"%b"}'


class Spool:
    """Requests of one batch, each serialised as `{"params": ..., "custom_id": ...}`, one after another."""

    def __init__(self, folder: Path | None = None) -> None:
        """Begin an empty body.

        Args:
            folder: Where the file is kept while it is large; it has no name there and dies with the process.
        """
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES, dir=None if folder is None else str(folder))  # noqa: SIM115 - closed by `close`
        self._heads: dict[bytes, int] = {}
        """What requests begin with, in the order in which it came."""
        self._head = array("I")
        """With which of them each request begins."""
        self._length = array("I")
        """Bytes of the rest of each request."""
        self._tail = bytearray()
        """Rests that are not in the file yet: a write for each costs more than the request."""
        self._rests = 0
        """Bytes of all rests."""
        self._size = len(_HEAD) + len(_TAIL)

    def __len__(self) -> int:
        return len(self._length)

    @property
    def closed(self) -> bool:
        """Whether it was forgotten."""
        return self._file.closed

    @property
    def size(self) -> int:
        """Bytes of the whole body."""
        return self._size

    def add(self, custom_id: str, head: bytes, rest: bytes) -> None:
        """Append a request whose parameters are these two pieces of JSON.

        Raises:
            OSError: There is no room for it on disk.
        """
        more = rest + _ID % custom_id.encode()
        length = len(more)
        self._size += len(_OPEN) + len(head) + length + (1 if self._length else 0)
        self._head.append(self._heads.setdefault(head, len(self._heads)))
        self._length.append(length)
        self._rests += length
        self._tail += more
        if len(self._tail) >= CHUNK_BYTES:
            self._flush()

    def drop(self) -> None:
        """Take the last request out again."""
        length, head = self._length.pop(), list(self._heads)[self._head.pop()]
        self._size -= len(_OPEN) + len(head) + length + (1 if self._length else 0)
        self._rests -= length
        if length <= len(self._tail):
            del self._tail[len(self._tail) - length :]
            return
        self._tail.clear()
        self._file.seek(self._rests)
        self._file.truncate()

    def flush(self) -> None:
        """Write what is still in memory of a body on disk.

        Raises:
            OSError: There is no room for it.
        """
        self._flush()
        self._file.flush()

    def _flush(self) -> None:
        self._file.write(self._tail)
        self._tail.clear()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body in pieces; nothing can be added after that."""
        self._flush()
        self._file.seek(0)
        heads, first = list(self._heads), 0
        sizes = [len(_OPEN) + len(head) for head in heads]
        separator, between = _HEAD + _OPEN, b"," + _OPEN
        while first < len(self):
            last, size = first, 0
            while last < len(self) and size < CHUNK_BYTES:
                size += sizes[self._head[last]] + self._length[last]
                last += 1
            lengths = self._length[first:last]
            rests, pieces = self._file.read(sum(lengths)), list[bytes]()
            end = 0
            for head, length in zip(self._head[first:last], lengths, strict=True):
                pieces += (separator, heads[head], rests[end : end + length])
                separator, end = between, end + length
            yield b"".join(pieces)
            first = last
        yield _TAIL if len(self) else _HEAD + _TAIL

    def close(self) -> None:
        """Forget the body."""
        self._tail.clear()
        self._file.close()
