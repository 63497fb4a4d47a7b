"""A session of a run between its three steps: prepared, worked on shard by shard, and closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fanwise.api.client import Api
from fanwise.engine.arms import Arm
from fanwise.engine.elsewhere import AnswersElsewhere
from fanwise.journal.port import Journal
from fanwise.journal.records import ArmName

from .account import Account
from .opening import OpenRun, Terms
from .watcher import Watcher

Ended = Literal["completed", "halted", "interrupted", "detached"]


@dataclass(frozen=True, slots=True)
class Shard:
    """The rows of a run that one worker carries out."""

    numbers: frozenset[int] | None = None
    """Their line or record numbers; None: all rows."""
    job_rows: int = 0
    """Valid rows of the whole job, where it is a sample and they are known; 0: they are not."""


ALL_ROWS = Shard()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardEnd:
    """How the work on a shard has ended."""

    ended: Ended
    reason: str
    """Why it was halted; empty where it was not."""
    covers_file: bool
    """Whether every row that the run takes of its file was read and has ended."""


@dataclass(slots=True, kw_only=True)
class Prepared:
    """A run that can be worked on: checked, connected, and its session begun."""

    run: OpenRun
    terms: Terms
    arms: Mapping[ArmName, Arm]
    """Every arm with the requests that it makes."""
    api: Api
    watcher: Watcher
    elsewhere: AnswersElsewhere | None = None
    """Answers of other runs; None: none are taken."""
    ends: list[ShardEnd] = field(default_factory=list[ShardEnd])
    """One for each shard that was worked on."""
    account: Account | None = field(default=None, init=False)
    """What the session has come to, once it is closed."""

    def settled(self, account: Account) -> None:
        """Take note of what the session has come to: it is closed."""
        self.account = account

    @property
    def journal(self) -> Journal:
        """Where the work is kept."""
        return self.run.directory.journal

    @property
    def ended(self) -> Ended:
        """How the session has ended: as its first shard that was not completed, or interrupted where none has ended."""
        for end in self.ends:
            if end.ended != "completed":
                return end.ended
        return "completed" if self.ends else "interrupted"
