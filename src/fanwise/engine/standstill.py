"""Seeing that a run stands still: rows are in work, and nothing goes on that could bring them on."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import anyio.lowlevel

LOOK_S = 1.0
"""How often is looked."""
LOOKS = 2
"""Looks in a row that have to see it: what has only just come is sent at once."""
TURNS = 10
"""Turns of the event loop before a look. On a busy machine a turn may take longer than the time between two looks, and
what is handed on from one task to the next is in nobody's hands for a turn."""


async def standstill(is_still: Callable[[], bool], ended: anyio.Event) -> bool:
    """Return True once a run was seen to stand still, False when it has ended.

    Args:
        is_still: Whether nothing goes on.
        ended: Set when it has ended.
    """
    seen = 0
    while seen < LOOKS:
        with anyio.move_on_after(LOOK_S):
            await ended.wait()
            return False
        for _ in range(TURNS):
            await anyio.lowlevel.checkpoint()
        seen = seen + 1 if is_still() else 0
    return True
