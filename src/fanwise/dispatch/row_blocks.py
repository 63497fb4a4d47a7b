"""How many calls show the same blocks of a row: live, one of them writes these and the rest reads; batches never do."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping

from fanwise.context.request import Request

from .errand import Errand
from .role import Role

MOST_ROWS = 64
"""Rows that are counted for one content: the write is two hundredths of the price then."""
MOST_CONTENTS = 50_000
"""Contents that are remembered, about twice the rows that are in work at a time."""


class RowBlocks:
    """Counts rows by the content of their marked blocks, whatever agent is shown them; used by one event loop."""

    def __init__(self, readers: Mapping[tuple[Role, str], int], scale: float = 1.0) -> None:
        """Begin without any.

        Args:
            readers: How many tasks of one row read what a node marks of it, by role and path.
            scale: Rows of the whole job for each that comes here.
        """
        self._readers, self._scale = readers, scale
        self._rows: OrderedDict[int, set[int]] = OrderedDict()
        """Rows that show a content, by its hash; those that came last are last."""
        self._written = set[int]()
        """Contents that a live call was sent with."""

    def has_readers(self) -> bool:
        """Return whether any task shows a marked block of its row."""
        return bool(self._readers)

    def note(self, errand: Errand, request: Request) -> int | None:
        """Take note of what a request shows of its row; returns the hash of what is marked for the cache of it."""
        content = _content(errand, request)
        if content is None:
            return None
        rows = self._rows.setdefault(content, set())
        self._rows.move_to_end(content)
        if len(rows) < MOST_ROWS:
            rows.add(errand.row)
        if len(self._rows) > MOST_CONTENTS:
            self._written.discard(self._rows.popitem(last=False)[0])
        return content

    def sent_live(self, content: int) -> None:
        """Take note that a content was written, whatever comes after it."""
        if content in self._rows:
            self._written.add(content)

    def uses(self, errand: Errand, content: int | None) -> float:
        """Return how many calls share the write of a content; 1: no other shows it, or nothing is marked.

        Where it was written, such as by a pilot, that is paid, whatever this call does: it shares in nothing.
        """
        rows = None if content is None else self._rows.get(content)
        if not rows:
            return 1
        if content in self._written:
            return math.inf
        return (1 + (len(rows) - 1) * self._scale) * self._readers.get((errand.role, errand.node), 1)


def _content(errand: Errand, request: Request) -> int | None:
    """Return the hash of a request's marked blocks of the row; None where none is marked."""
    parts = request.content
    last = next((place for place in range(len(parts) - 1, -1, -1) if parts[place].marked), -1)
    if last < 0 or parts[last].job:
        return None
    shown = (part.content for part in parts[: last + 1] if not part.job)
    return hash((errand.role.arm, errand.role.model, *shown))
