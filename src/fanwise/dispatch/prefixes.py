"""The prefixes that the requests of a run's roles begin with."""

from __future__ import annotations

from collections.abc import Sequence

from fanwise.context.parts import Prefix

from .errand import Errand, Shared
from .role import Role

NOT_SHARED = Shared(None, "")


class Prefixes:
    """Knows what requests begin with; used by one event loop."""

    def __init__(self) -> None:
        self._nodes: dict[Role, dict[str, Shared]] = {}
        """By role and node: it is the same for every row. By node too, since the requests of two nodes that ask
        one role may have another order."""

    def of(self, errand: Errand) -> Shared:
        """Return what the requests of an errand's node begin with."""
        shared = errand.shared
        if shared is None:
            nodes, node = self._nodes.setdefault(errand.role, {}), errand.node
            shared = nodes.get(node)
            if shared is None:
                shared = nodes[node] = _shared(errand)
            errand.begins_with(shared)
        return shared

    def key(self, errand: Errand) -> str:
        """Return the key of an errand's prefix, shortened; empty where it has none."""
        return (errand.shared or self.of(errand)).key


def _shared(errand: Errand) -> Shared:
    minimum = errand.role.facts.cache_minimum
    prefixes = [prefix for prefix in errand.request().prefixes() if prefix.job and prefix.tokens >= minimum]
    if not prefixes:
        return NOT_SHARED
    *fronts, longest = prefixes  # shortest first
    return Shared(longest, longest.short_key, tuple(front.short_key for front in fronts))


def sharers(nodes: Sequence[Sequence[Prefix]]) -> dict[str, float]:
    """Return, by the key of each node's longest prefix, how many nodes' requests read it once it is written.

    One whose requests have only the front of it in common counts as that part. Pure.

    Args:
        nodes: The prefixes that the requests of each node begin with, shortest first.
    """
    tokens = [{prefix.key: prefix.tokens for prefix in prefixes} for prefixes in nodes]
    counts: dict[str, float] = {}
    for prefixes in nodes:
        if prefixes and prefixes[-1].tokens:
            common = [max((other.get(prefix.key, 0) for prefix in prefixes), default=0) for other in tokens]
            counts[prefixes[-1].short_key] = sum(common) / prefixes[-1].tokens
    return counts
