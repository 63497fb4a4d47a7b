"""The rows that are in work: a bounded window over the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from fanwise.dispatch.bell import Bell
from fanwise.graph.scope import Task
from fanwise.graph.state import RowState
from fanwise.quick import maker

from .arms import Arm
from .nodes import AgentNode
from .rows import Row
from .settings import Settings


class Asked(NamedTuple):
    """A task for an agent."""

    node: AgentNode
    task: Task
    key: str
    earlier: bool
    """Whether it was sent in an earlier session, and may be answered."""
    first: int = 0
    """Number of its first attempt, where that was made for an equal task and its row is the first to need it now."""


@dataclass(slots=True, eq=False, kw_only=True)
class RowRun:
    """One row on one arm, while it is in the window."""

    number: int
    row_id: str
    size: int
    arm: Arm
    state: RowState
    is_noted: bool
    """Whether all its tasks are noted as they are needed: another row had its number, or its graph is another."""
    uncounted: list[Asked] = field(default_factory=list["Asked"], init=False)
    """Tasks of an earlier session whose requests are not counted among what the row has sent."""
    asked: list[Asked] = field(default_factory=list["Asked"], init=False)
    """In a resumed run, its tasks for agents, in the order in which they were ready."""


new_row_run = maker(RowRun)


class Window:
    """Knows which rows are in work, and whether there is room for more; used by one event loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._rows: dict[int, int] = {}
        """On how many arms each row in the window is not done."""
        self._bytes = 0
        self.read_all = False
        """Whether the rows were read to their end."""
        self.changed = Bell()
        """Rung when something has ended."""

    def __len__(self) -> int:
        """Return how many rows are in work."""
        return len(self._rows)

    def end_rows(self) -> None:
        """Take note that no row comes any more."""
        self.read_all = True

    def open(self, row: Row, arms: int) -> None:
        """Take a row that runs on so many arms."""
        self._rows[row.number] = arms
        self._bytes += row.size

    def close(self, run: RowRun) -> bool:
        """Take the end of a row on one arm; returns whether it was the last."""
        self._rows[run.number] -= 1
        if self._rows[run.number]:
            return False
        del self._rows[run.number]
        self._bytes -= run.size
        self.changed.ring()
        return True

    def is_full(self, queued: int, held: int = 0) -> bool:
        """Return whether there is enough in work: rows, bytes of them, or live errands that wait to be sent.

        Args:
            queued: Live errands that wait to be sent.
            held: Errands that wait until others have told something: their rows are in nobody's way.
        """
        if not self._rows:
            return False
        settings = self._settings
        enough = settings.window_calls is not None and queued >= settings.window_calls
        return enough or len(self._rows) - held >= settings.window_rows or self._bytes >= settings.window_bytes
