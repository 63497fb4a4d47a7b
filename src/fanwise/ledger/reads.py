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
    calls: int = 0
    uncounted: int = 0
    """Of these, replies without usage: what they took, and had read, is in no figure here."""
    input: int = 0
    """All input, cached or not, as far as it is known."""
    read: int = 0
    readable: int = 0
    """What the run had sent to the same model before, within the life of a cache entry, in blocks long enough for it:
    a cache that keeps no order would have read all of it."""

    @property
    def is_known(self) -> bool:
        """Whether anything is known of what it was sent."""
        return self.uncounted < self.calls

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
            account.calls += 1
            account.uncounted += request.cost is None and not request.prompt + request.output
            account.input += request.prompt
            account.read += request.read
            account.readable += cacheable.readable
    return sorted(sorted(accounts.values(), key=lambda account: -account.input), key=lambda a: a.arm, reverse=True)
