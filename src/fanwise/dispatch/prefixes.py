"""The prefixes that the requests of a run's roles begin with."""

from __future__ import annotations

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
            errand.shared = shared
        return shared

    def key(self, errand: Errand) -> str:
        """Return the key of an errand's prefix, shortened; empty where it has none."""
        return (errand.shared or self.of(errand)).key


def _shared(errand: Errand) -> Shared:
    prefixes = [prefix for prefix in errand.request().prefixes() if prefix.job]  # shortest first
    if not prefixes or prefixes[-1].tokens < errand.role.facts.cache_minimum:
        return NOT_SHARED
    return Shared(prefixes[-1], prefixes[-1].key[:16])
