"""Things that are handed on after a while."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from itertools import count
from typing import Generic, TypeVar

import anyio

from .bell import Bell

T = TypeVar("T")


class Timer(Generic[T]):
    """Hands on what it was given when its time has come, the earliest first; used by one event loop."""

    def __init__(self, hand_on: Callable[[T], None]) -> None:
        self._hand_on = hand_on
        self._due: list[tuple[float, int, T]] = []
        self._order = count()
        """Among equal times what came first goes first; and nothing else is compared."""
        self._changed = Bell()

    def __len__(self) -> int:
        return len(self._due)

    def put(self, due: T, wait_s: float) -> None:
        """Hand on what is due after so many seconds."""
        heapq.heappush(self._due, (anyio.current_time() + wait_s, next(self._order), due))
        self._changed.ring()

    async def run(self) -> None:
        """Hand on what is due, until it is cancelled; what is left then stays."""
        while True:
            while self._due and self._due[0][0] <= anyio.current_time():
                self._hand_on(heapq.heappop(self._due)[2])
            with anyio.move_on_at(self._due[0][0] if self._due else math.inf):
                await self._changed.wait()
