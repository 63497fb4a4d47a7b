"""Making records durable while a run is under way: where that fails, nothing more is sent."""

from __future__ import annotations

from typing import Protocol

from fanwise.errors import NotKeptError
from fanwise.journal.port import Journal


class Halts(Protocol):
    """Who can stop the run."""

    def halt(self, reason: str) -> None:
        """Stop the run: no request will do."""
        ...


async def kept(journal: Journal, sink: Halts) -> bool:
    """Make durable what was added so far; where that cannot be done, halt the run and return False."""
    try:
        await journal.commit()
    except NotKeptError as error:
        sink.halt(error.reason)
        return False
    return True
