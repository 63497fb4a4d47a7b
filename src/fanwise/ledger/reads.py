"""Cache reads against what could have been read, per agent."""

from __future__ import annotations

from dataclasses import dataclass

from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName, RoleName

from .lives import lives

_ARMS = "SELECT DISTINCT arm FROM attempts ORDER BY arm DESC"


@dataclass(slots=True, kw_only=True)
class Reads:
    """One agent's answered requests to one model, in tokens."""

    arm: ArmName
    agent: str
    model: str
    input: int = 0
    """All input, cached or not."""
    read: int = 0
    readable: int = 0
    """What the run had sent to the same model before, within the life of a cache entry, in blocks long enough for it:
    a cache that keeps no order would have read all of it."""

    @property
    def missed(self) -> int:
        """Tokens that could have been read and were not."""
        return max(self.readable - self.read, 0)


def reads(db: Book) -> list[Reads]:
    """Return what each agent read from the cache beside what it could have, the fan-out first, the largest first."""
    accounts: dict[RoleName, Reads] = {}
    for (arm,) in db.execute(_ARMS).fetchall():
        for cacheable in lives(db, arm):
            request = cacheable.request
            role = RoleName(arm, request.agent, request.model)
            account = accounts.setdefault(role, Reads(**role._asdict()))
            account.input += request.prompt
            account.read += request.read
            account.readable += cacheable.readable
    return sorted(sorted(accounts.values(), key=lambda account: -account.input), key=lambda a: a.arm, reverse=True)
