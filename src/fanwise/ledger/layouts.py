"""Answers that stay though they were asked in another layout than the last session has: a fresh run has none of them.

An edit may change what agents share, and other rows what is worth a breakpoint. What was answered before is not asked
again, and was paid as it was sent then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

from fanwise.journal.meta import LAYOUTS
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.journal.tables import select

_SENT = """SELECT arm, agent, channel, (SELECT MAX(id) FROM sessions s WHERE s.started<=p.sent) AS session,
    SUBSTR(blocks,INSTR(blocks,' ')+1,17) AS layout, prefix<>'' AS is_marked, COUNT(*) AS answers
  FROM paid p WHERE serves AND status='succeeded' AND blocks<>'' GROUP BY 1,2,3,4,5,6"""


class _Sent(NamedTuple):
    """Answers that were asked alike."""

    arm: ArmName
    agent: str
    channel: str
    session: int
    layout: str
    """Key of the blocks that the requests of its node had in common, and perhaps the beginning of what stood next."""
    is_marked: int
    """Whether rows had a prefix in common that could be read."""
    answers: int


def answers_of_earlier_layouts(db: Book) -> dict[ArmName, int]:
    """Return by side how many answers that count were asked in another layout than the last session would.

    With other blocks, in another order or with other breakpoints; or with none that rows have in common, where calls of
    their agent in another session have some: such as a few rows in a batch, which became many.
    """
    (sessions,) = db.execute("SELECT COUNT(*) FROM sessions").fetchone()
    counts = Counter[ArmName](fanout=0, baseline=0)
    sent = list(select(db, _Sent, _SENT)) if sessions > 1 else []
    marked = {(of.arm, of.agent, of.channel, of.session) for of in sent if of.is_marked}
    layouts = LAYOUTS.of(db)
    for of in sent:
        role = of.arm, of.agent, of.channel
        was_unmarked = (*role, of.session) not in marked and any(other[:3] == role for other in marked)
        if was_unmarked or not _is_present(of.layout, layouts.get(of.arm, {}).get(of.agent, ())):
            counts[of.arm] += of.answers
    return dict(counts)


def _is_present(layout: str, present: Collection[str]) -> bool:
    """Return whether a layout is one of those that an agent has now; where nothing is known of these, it is.

    Args:
        layout: Its key; an earlier version has kept the blocks in it alone, and no breakpoints.
        present: Keys of those of today.
    """
    key = layout.split(" ")[0]
    return not present or key in present or ("." not in key and any(other.startswith(key) for other in present))
