"""In which way a request of an earlier session was told the form of its answer: a reply is read by that.

The same task may be asked in another way after an edit, since agents lay out their requests together, or by a later
version. A batch that was sent before is read all the same, and what a text says does not tell which way it was.
"""

from __future__ import annotations

from collections.abc import Mapping

from fanwise.journal.meta import OPEN_WAYS, WAYS
from fanwise.journal.port import Journal
from fanwise.journal.records import ArmName

from .arms import Arm


def keep_ways(journal: Journal, arms: Mapping[ArmName, Arm]) -> None:
    """Keep the ways of a session that begins, and those of the batches that earlier ones have left open."""
    before, known = WAYS.of(journal), OPEN_WAYS.of(journal)
    present = {f"{name} {node.node.path}": node.shape.way for name, arm in arms.items() for node in arm.agents()}
    open_batches = [str(batch.intent) for batch in journal.open_batches()]
    other = {intent: known[intent] for intent in open_batches if intent in known}
    if before != present:
        other |= {intent: before for intent in open_batches if intent not in known}
    WAYS.keep(journal, present)
    if other or known:
        OPEN_WAYS.keep(journal, other)


class AskedWays:
    """The ways of the requests that earlier sessions have left in batches."""

    def __init__(self, journal: Journal) -> None:
        self._journal, self._by_intent = journal, OPEN_WAYS.of(journal)

    def of(self, arm: ArmName, node: str, attempt: int) -> str | None:
        """Return the way of an attempt at a node; None: as the node has it, empty: nobody has kept it."""
        served = self._journal.attempt(attempt) if self._by_intent else None
        ways = None if served is None else self._by_intent.get(str(served.attempt.intent))
        return None if ways is None else ways.get(f"{arm} {node}", "")
