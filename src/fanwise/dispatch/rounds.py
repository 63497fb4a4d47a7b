"""How many rounds of batches a deadline leaves time for, and which stages have them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from fanwise.graph.dag import rounds
from fanwise.graph.nodes import GraphSpec
from fanwise.graph.stages import in_batches
from fanwise.journal.records import ArmName

from .errand import Errand
from .role import Role

BATCH_S = 3_600.0
"""Seconds of a batch before any was seen: most end within an hour ("Batch processing", read 2026-11-23)."""
AGAIN = 256
"""Errands after which the best stages are looked for anew."""
SLOWEST = 0.9
"""Share of the batches seen that a deadline counts on to be faster."""


class Rounds:
    """How many rounds of batches a deadline leaves time for, and for which stages that is best."""

    def __init__(self, graphs: Mapping[ArmName, GraphSpec], spare_s: Callable[[], float]) -> None:
        """Begin without having seen a batch.

        Args:
            graphs: The graph of each arm.
            spare_s: Gives the seconds before batches have to be left.
        """
        self._graphs, self._spare_s = graphs, spare_s
        self._depths = {arm: rounds(graph) for arm, graph in graphs.items()}
        self._batches_s = deque[float](maxlen=100)
        """Seconds that batches took, the last of them."""
        self._savings: dict[Role, dict[str, float]] = {}
        """What a batch saves on an errand, on average, in picodollars, by role and node: each node is a stage."""
        self._best: dict[tuple[Role, str, int], bool] = {}
        """Whether a batch is best for a node with a number of rounds; forgotten now and then, since savings move."""
        self._looks = 0
        """Errands for which the best stages were asked."""

    def batch_ended(self, seconds: float) -> None:
        """Learn how long a batch took."""
        self._batches_s.append(seconds)

    def left(self) -> int:
        """Return how many rounds there is time for: one at least, since a batch that is left costs nothing."""
        seen = sorted(self._batches_s)
        slow_s = seen[int(SLOWEST * (len(seen) - 1))] if seen else BATCH_S
        return max(int(self._spare_s() / max(slow_s, 0.001)), 1)

    def has_more(self) -> bool:
        """Return whether there is time for two rounds beside those of the graph."""
        return self.left() >= max(self._depths.values(), default=0) + 2

    def has_time(self, errand: Errand, saving: int) -> bool:
        """Return whether an errand is among the stages that have a batch."""
        nodes = self._savings.setdefault(errand.role, {})
        before = nodes.get(errand.node, float(saving))
        nodes[errand.node] = before + (saving - before) * 0.1
        left = self.left()
        if left >= self._depths.get(errand.role.arm, 0):
            return True
        self._looks += 1
        if self._looks % AGAIN == 0:
            self._best.clear()
        key = (errand.role, errand.node, left)
        if key not in self._best:
            self._best[key] = errand.node in self._stages(errand, left)
        return self._best[key]

    def _stages(self, errand: Errand, left: int) -> frozenset[str]:
        """Return the nodes that a batch is best for, of those that come after an errand's and its own."""
        graph = self._graphs[errand.role.arm]
        seen: dict[str, float] = {}
        for role, nodes in self._savings.items():
            if role.arm == errand.role.arm:
                seen |= nodes
        caps = {node.path: node.target.spec.max_tokens for node in graph.tasks() if node.target.spec is not None}
        # What is not known yet is taken to save in proportion to how long its answers may be.
        per_token = sum(seen.values()) / max(sum(caps.get(node, 0) for node in seen), 1)
        savings = {node: max(round(seen.get(node, per_token * cap)), 0) for node, cap in caps.items()}
        return in_batches(graph, savings, left, start=errand.node)
