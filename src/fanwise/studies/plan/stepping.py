"""Steps that are carried out before a job begins: what they make of a row decides which tasks are equal."""

from __future__ import annotations

import time

from fanwise.graph.outcomes import Outcome
from fanwise.graph.rehearse import carry_out
from fanwise.graph.scope import Task

LONGEST_S = 10.0
"""After so long none is carried out any more: what they make of rows is not known then."""


class Stepping:
    """Carries out steps as a session would, as long as that takes little time in all."""

    def __init__(self) -> None:
        self._seconds = 0.0

    @property
    def is_too_long(self) -> bool:
        """Whether it has taken too much time."""
        return self._seconds > LONGEST_S

    def outcome(self, task: Task) -> Outcome | None:
        """Return what a step comes to; None of a task of an agent, and where that would take too long."""
        if task.node.target.spec is not None or self.is_too_long:
            return None
        begun = time.perf_counter()
        outcome = carry_out(task)
        self._seconds += time.perf_counter() - begun
        return outcome
