"""The lines of a body as it arrives."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2


async def lines_of(response: httpx2.Response) -> AsyncIterator[bytes]:
    """Yield the lines of a body without their ends, and without those that are empty.

    A line ends at a line feed and nowhere else: JSON may hold U+2028 and its like as they are, at which
    Python's `str.splitlines`, and with it `aiter_lines`, would cut an answer in two.
    """
    rest = b""
    async for chunk in response.aiter_bytes():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if kept := line.strip():
                yield kept
    if kept := rest.strip():
        yield kept
