"""How many rounds of batches a deadline leaves time for, and which stages have them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fanwise.graph.dag import rounds
from fanwise.graph.nodes import GraphSpec
from fanwise.graph.stages import in_batches
from fanwise.journal.records import ArmName

from .call import Call
from .role import Role

BATCH_S = 3_600.0
"""Seconds of a batch before any was seen: most end within an hour ("Batch processing", read 2026-11-23)."""
AGAIN = 256
"""Calls after which the best stages are looked for anew."""
SLOWEST = 0.9
"""Share of the batches seen that a deadline counts on to be faster."""


@dataclass
class Rounds:
    """How many rounds of batches a deadline leaves time for, and for which stages that is best."""

    graphs: Mapping[ArmName, GraphSpec]
    spare_s: Callable[[], float]
    """Gives the seconds before batches have to be left."""
    seen: deque[float] = field(default_factory=lambda: deque[float](maxlen=100))
    """Seconds that batches took."""
    _savings: dict[Role, dict[str, float]] = field(default_factory=dict[Role, dict[str, float]])
    """What a batch saves on a call, on average, in picodollars, by role and node: each node is a stage."""
    _best: dict[tuple[Role, str, int], bool] = field(default_factory=dict[tuple[Role, str, int], bool])
    """Whether a batch is best for a node with a number of rounds; forgotten now and then, since savings move."""
    _calls: int = 0

    def __post_init__(self) -> None:
        self._depths = {arm: rounds(graph) for arm, graph in self.graphs.items()}

    def left(self) -> int:
        """Return how many rounds there is time for: one at least, since a batch that is left costs nothing."""
        slow = sorted(self.seen)[int(SLOWEST * (len(self.seen) - 1))] if self.seen else BATCH_S
        return max(int(self.spare_s() / max(slow, 0.001)), 1)

    def has_more(self) -> bool:
        """Return whether there is time for two rounds beside those of the graph."""
        return self.left() >= max(self._depths.values(), default=0) + 2

    def has_time(self, call: Call, saving: int) -> bool:
        """Return whether a call is among the stages that have a batch."""
        nodes = self._savings.setdefault(call.role, {})
        before = nodes.get(call.node, float(saving))
        nodes[call.node] = before + (saving - before) * 0.1
        left = self.left()
        if left >= self._depths.get(call.role.arm, 0):
            return True
        self._calls += 1
        if self._calls % AGAIN == 0:
            self._best.clear()
        key = (call.role, call.node, left)
        if key not in self._best:
            self._best[key] = call.node in self._stages(call, left)
        return self._best[key]

    def _stages(self, call: Call, left: int) -> frozenset[str]:
        """Return the nodes that a batch is best for, of those that come after a call's and its own."""
        graph = self.graphs[call.role.arm]
        seen: dict[str, float] = {}
        for role, nodes in self._savings.items():
            if role.arm == call.role.arm:
                seen |= nodes
        caps = {node.path: node.target.spec.max_tokens for node in graph.tasks() if node.target.spec is not None}
        # What is not known yet is taken to save in proportion to how long its answers may be.
        per_token = sum(seen.values()) / max(sum(caps.get(node, 0) for node in seen), 1)
        savings = {node: max(round(seen.get(node, per_token * cap)), 0) for node, cap in caps.items()}
        return in_batches(graph, savings, left, start=call.node)
