"""The lines of a body as it arrives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from .origin import is_of_network

if TYPE_CHECKING:
    import httpx2


class BrokenBodyError(Exception):
    """A connection broke while a body arrived; the message is the name of the HTTP client's error."""


async def lines_of(response: httpx2.Response) -> AsyncIterator[bytes]:
    """Yield the lines of a body without their ends, and without those that are empty.

    A line ends at a line feed and nowhere else: JSON may hold U+2028 and its like as they are, at which
    Python's `str.splitlines`, and with it `aiter_lines`, would cut an answer in two.

    Raises:
        BrokenBodyError: The connection broke before the end.
        Exception: Something broke here.
    """
    rest = b""
    try:
        async for chunk in response.aiter_bytes():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if kept := line.strip():
                    yield kept
    except Exception as error:  # the HTTP client's, and what passes it: half a chunk, bad compression
        if not is_of_network(error):
            raise
        raise BrokenBodyError(type(error).__name__) from error
    if kept := rest.strip():
        yield kept
