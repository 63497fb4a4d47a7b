"""Cache reads against what could have been read, per agent."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from fanwise.journal.records import ArmName

from .account import PROMPT

_READS = f"""SELECT a.arm, a.agent, SUM({PROMPT}), SUM(e.read),
  CAST(ROUND(SUM(1.0*{PROMPT}*a.readable/MAX(a.chars,1))) AS INT)
  FROM attempts a JOIN ends e ON e.attempt=a.id WHERE e.status='succeeded' AND a.row>0
  GROUP BY 1, 2 ORDER BY 1 DESC, 3 DESC"""


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


def reads(db: sqlite3.Connection) -> list[Reads]:
    """Return what each agent read from the cache beside what it could have, the fan-out first."""
    return [Reads(*row) for row in db.execute(_READS)]
