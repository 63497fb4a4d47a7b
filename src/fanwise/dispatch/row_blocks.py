"""How many calls show the same blocks of a row: live, one of them writes these and the rest reads; batches never do."""

from __future__ import annotations

import math
from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import NamedTuple

from fanwise.context.request import Request
from fanwise.journal.records import ArmName, Channel

from .errand import Errand
from .jobpart import WHOLE, JobPart
from .role import Role

MOST_ROWS = 64
"""Rows that are counted for one content: the write is two hundredths of the price then."""
MOST_CONTENTS = 50_000
"""Contents that are remembered, about twice the rows that are in work at a time."""


class Readers(NamedTuple):
    """Who reads what a node marks of its row."""

    tasks: int = 1
    """Tasks of one row."""
    of_every_row: bool = False
    """Whether every row comes to the node: it stands in no branch and in no list."""


ONE = Readers()


class Content(NamedTuple):
    """What a request marks of its row."""

    shown: int
    """Hash of the blocks, whoever is shown them."""
    entry: int
    """Hash of them with the arm and the model: what one call has written and others read."""


class RowBlocks:
    """Counts rows by the content of their marked blocks; used by one event loop.

    All rows that show a content are counted for a node that every row comes to, whichever agent they have come to so
    far: what its first call costs depends on those that are still to come.
    """

    def __init__(self, readers: Mapping[tuple[Role, str], Readers], part: JobPart = WHOLE) -> None:
        """Begin without any.

        Args:
            readers: Who reads what a node marks of its row, by role and path.
            part: Of the job, that comes here.
        """
        self._readers, self._part = readers, part
        self._rows: OrderedDict[int, set[int]] = OrderedDict()
        """Rows by what they show, by `shown` and by `entry`; those that came last are last."""
        self._shown: dict[int, int] = {}
        """By row in work what it shows of the blocks that rows repeat."""
        self._written = set[int]()
        """Contents that a live call was sent with."""
        self._chosen: dict[int, dict[tuple[Role, float], Channel]] = {}
        """By content how its calls travel, by role and by how many share its write."""
        self._came = Counter[tuple[ArmName, str]]()
        """Rows that have come to a node which not every row comes to."""

    def has_readers(self) -> bool:
        """Return whether any task shows a marked block of its row."""
        return bool(self._readers)

    def row_comes(self, row: int, shown: int) -> None:
        """Take note of a row, with a hash of what it shows of the blocks that rows repeat."""
        self._shown[row] = shown
        self._add(hash((None, shown)), row)

    def row_ends(self, row: int) -> None:
        """Forget a row, but for that it has shown what it did."""
        self._shown.pop(row, None)

    def note(self, errand: Errand, request: Request) -> Content | None:
        """Take note of what a request shows of its row; returns what is marked for the cache of it."""
        content = _content(errand, request)
        if content is None:
            return None
        self._add(content.shown, errand.row)
        is_new = self._add(content.entry, errand.row)
        if is_new and not self._readers_of(errand).of_every_row:
            self._came[errand.role.arm, errand.node] += 1
        return content

    def _add(self, key: int, row: int) -> bool:
        """Count a row; returns whether it had not been counted yet."""
        rows = self._rows.setdefault(key, set())
        self._rows.move_to_end(key)
        is_new = row not in rows and len(rows) < MOST_ROWS
        if is_new:
            rows.add(row)
        if len(self._rows) > 2 * MOST_CONTENTS:
            oldest, _ = self._rows.popitem(last=False)
            self._written.discard(oldest)
            self._chosen.pop(oldest, None)
        return is_new

    def _readers_of(self, errand: Errand) -> Readers:
        return self._readers.get((errand.role, errand.node), ONE)

    def sent_live(self, content: Content) -> None:
        """Take note that a content was written, whatever comes after it."""
        if content.entry in self._rows:
            self._written.add(content.entry)

    def uses(self, errand: Errand, content: Content | None) -> float:
        """Return how many calls of the job share the write of a content; 1: no other shows it, or nothing is marked.

        Where it was written, such as by a pilot, that is paid, whatever this call does: it shares in nothing.
        """
        if content is None or content.entry not in self._rows:
            return 1
        if content.entry in self._written:
            return math.inf
        readers, arm, row = self._readers_of(errand), errand.role.arm, errand.row
        if readers.of_every_row:
            of_row = self._rows.get(hash((None, self._shown.get(row))), ())
            rows = self._part.showing(arm, row, max(len(self._rows[content.shown]), len(of_row)))
        else:
            rows = self._part.showing(arm, row, len(self._rows[content.entry]), came=self._came[arm, errand.node])
        return rows * readers.tasks

    def alike(self, errand: Errand, content: Content | None, uses: float, cheaper: Channel) -> Channel:
        """Return how a call travels: as the first did that shares the same write, whatever else each of them shows.

        Were some to go in batches, the others would share in the write by fewer than it was counted on.

        Args:
            errand: The call.
            content: What it marks of its row.
            uses: How many share the write.
            cheaper: The channel in which it would cost less itself.
        """
        if content is None or uses <= 1 or math.isinf(uses):
            return cheaper
        return self._chosen.setdefault(content.entry, {}).setdefault((errand.role, uses), cheaper)


def _content(errand: Errand, request: Request) -> Content | None:
    """Return what a request marks of its row; None where it marks nothing."""
    parts = request.content
    last = next((place for place in range(len(parts) - 1, -1, -1) if parts[place].marked), -1)
    if last < 0 or parts[last].job:
        return None
    shown = tuple(part.content for part in parts[: last + 1] if not part.job)
    return Content(hash(shown), hash((errand.role.arm, errand.role.model, shown)))
