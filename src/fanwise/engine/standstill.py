"""Seeing that a run stands still: rows are in work, and nothing goes on that could bring them on."""

from __future__ import annotations

from collections.abc import Callable

import anyio

LOOK_S = 1.0
"""How often is looked."""
LOOKS = 2
"""Looks in a row that have to see it: what has only just come is sent at once."""


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
        seen = seen + 1 if is_still() else 0
    return True
