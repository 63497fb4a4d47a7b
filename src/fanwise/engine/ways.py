"""How a request of an earlier session was asked: in which way it was told the form of its answer, and by which node.

The same task may be asked in another way after an edit, since agents lay out their requests together, or by a later
version. A batch that was sent before is read all the same, and what a text says does not tell which way it was. Where
the node itself was edited, or is gone, nobody can read the answer before the graph is as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from fanwise.journal.meta import OPEN_STATICS, OPEN_WAYS, STATICS, WAYS
from fanwise.journal.port import Journal
from fanwise.journal.records import ArmName

from .arms import Arm, statics
from .nodes import AgentNode


def keep_asked(journal: Journal, arms: Mapping[ArmName, Arm]) -> None:
    """Keep how a session that begins asks, and how the batches were asked that earlier ones have left open."""
    ways = {f"{name} {node.node.path}": node.shape.way for name, arm in arms.items() for node in arm.agents()}
    nodes, left = statics(arms), [str(batch.intent) for batch in journal.open_batches()]
    known_ways, known_nodes = OPEN_WAYS.of(journal), OPEN_STATICS.of(journal)
    other_ways = _asked_otherwise(left, known_ways, WAYS.of(journal), ways)
    other_nodes = _asked_otherwise(left, known_nodes, STATICS.of(journal), nodes)
    WAYS.keep(journal, ways)
    STATICS.keep(journal, nodes)
    if other_ways or known_ways:
        OPEN_WAYS.keep(journal, other_ways)
    if other_nodes or known_nodes:
        OPEN_STATICS.keep(journal, other_nodes)


def _asked_otherwise(
    left: Sequence[str], known: Mapping[str, dict[str, str]], before: dict[str, str], present: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """Return by open batch how it was asked, where that is not how this session asks.

    Args:
        left: The open batches.
        known: Those of them that the session before has found already.
        before: How that session has asked.
        present: How this one does.
    """
    other = {intent: known[intent] for intent in left if intent in known}
    if before != present:
        other |= {intent: before for intent in left if intent not in known}
    return other


class AskedAs(NamedTuple):
    """How an attempt was asked."""

    way: str
    """In which way it was told the form of its answer; empty: nobody has kept it."""
    is_readable: bool
    """Whether its node is here, and has not been edited since."""


class AskedBefore:
    """How the requests were asked that earlier sessions have left in batches."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._ways, self._statics = OPEN_WAYS.of(journal), OPEN_STATICS.of(journal)

    def of(self, arm: ArmName, path: str, node: AgentNode | None, attempt: int) -> AskedAs:
        """Return how an attempt was asked at a node.

        Args:
            arm: Of the attempt.
            path: Of the node.
            node: What is there now, if anything is.
            attempt: Its number.
        """
        name, own_way = f"{arm} {path}", "" if node is None else node.shape.way
        served = self._journal.attempt(attempt) if self._ways or self._statics else None
        if served is None:
            return AskedAs(own_way, node is not None)
        intent = str(served.attempt.intent)
        before = self._statics.get(intent, {}).get(name)
        ways = self._ways.get(intent)
        way = own_way if ways is None else ways.get(name, "")
        return AskedAs(way, node is not None and before in (None, node.static))
