"""Cache reads against what could have been read, per agent."""

from __future__ import annotations

from typing import NamedTuple

from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.journal.tables import select

_READS = """SELECT arm, agent, SUM(prompt) AS input, SUM(cache_read) AS read,
  CAST(ROUND(SUM(1.0*prompt*readable/MAX(chars,1))) AS INT) AS readable
  FROM paid WHERE status='succeeded' AND serves GROUP BY arm, agent ORDER BY arm DESC, SUM(prompt) DESC"""


class Reads(NamedTuple):
    """One agent's answered requests, in tokens."""

    arm: ArmName
    agent: str
    input: int
    """All input, cached or not."""
    read: int
    readable: int
    """What the run had sent to the same model before: a cache without a shortest prefix, an order or an end
    of its entries would have read all of it."""

    @property
    def missed(self) -> int:
        """Tokens that could have been read and were not."""
        return max(self.readable - self.read, 0)


def reads(db: Book) -> list[Reads]:
    """Return what each agent read from the cache beside what it could have, the fan-out first."""
    return list(select(db, Reads, _READS))
