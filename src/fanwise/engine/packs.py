"""Packs: tasks of a node that wait for each other, to be shown to the model in one request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from fanwise.dispatch.errand import Errand
from fanwise.journal.records import ArmName, Why

from .nodes import AgentNode


class Packs:
    """Errands that wait for others of their node; used by one event loop.

    A pack goes when it is full, when a batch is about to be filled, or when nothing else goes on that could bring more.
    """

    def __init__(self, submit: Callable[[AgentNode, Sequence[Errand]], None]) -> None:
        """Begin empty.

        Args:
            submit: Takes errands of one task each, which are to be one.
        """
        self._submit = submit
        self._packs: dict[tuple[ArmName, str], _Pack] = {}
        """By arm and path of the node."""
        self.waiting = 0
        """Errands that wait."""

    def put(self, node: AgentNode, errand: Errand) -> None:
        """Take an errand of a node whose agent packs inputs."""
        place = errand.role.arm, errand.node
        pack = self._packs.setdefault(place, _Pack(node, []))
        pack.errands.append(errand)
        self.waiting += 1
        if len(pack.errands) >= node.spec.most_inputs:
            self._send(place)

    def send(self) -> None:
        """Send all that waits."""
        for place in list(self._packs):
            self._send(place)

    def _send(self, place: tuple[ArmName, str]) -> None:
        node, errands = self._packs.pop(place)
        self.waiting -= len(errands)
        self._submit(node, errands)


class _Pack(NamedTuple):
    """Errands of one node."""

    node: AgentNode
    errands: list[Errand]


def why_sent(errands: Sequence[Errand]) -> Why:
    """Return why a pack is sent: its tasks may have been sent before."""
    return "retry" if all(errand.why == "retry" for errand in errands) else "first"
