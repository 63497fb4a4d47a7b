"""What was answered is made durable soon, also where nothing else is sent that would wait for it."""

from __future__ import annotations

import anyio

from fanwise.dispatch.keeping import Halts, kept
from fanwise.journal.port import Journal

from .equal import EqualTasks
from .intake import Counters

KEEP_S = 0.1
"""Seconds between two commits: an answer is durable within two of them. A request that is sent commits on its own."""


class Keeper:
    """Commits what nobody waits for; only what is durable then counts as done."""

    def __init__(self, journal: Journal, counters: Counters, equal: EqualTasks, sink: Halts) -> None:
        self._journal, self._counters, self._equal, self._sink = journal, counters, equal, sink

    async def run(self) -> None:
        """Work until it is cancelled."""
        while True:
            await anyio.sleep(KEEP_S)
            await self.keep()

    async def keep(self) -> None:
        """Make durable what was added so far, and count the rows of it as done."""
        ended = self._counters.ended()
        self._equal.keeping()
        if await kept(self._journal, self._sink):
            self._counters.keep(ended)
            self._equal.kept()
