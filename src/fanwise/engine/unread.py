"""An answer that nobody can read for now: its node was edited while it was on its way, or is gone.

It is paid, and belongs to a task that the graph had. So it is kept as it came, by the key of that task, and read when
the graph has this task again: by the type by which it was asked for, since the key holds that.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from fanwise.canonical import dumps

KIND = "unread"
"""Kind of the outcome of a task whose answer is kept as it came."""
MESSAGE = "its agent was edited while the answer was on its way; it is read when the agent is as it was"


class Unread(NamedTuple):
    """An answer as it came."""

    attempt: int
    way: str
    """In which way it was asked for, as `AskedAs` has it."""
    text: str

    def kept(self) -> str:
        """Return it as the text by which a journal has it."""
        return dumps([self.attempt, self.way, self.text])

    @classmethod
    def of(cls, kept: str) -> Unread:
        """Return it of the text by which a journal has it."""
        return cls(*json.loads(kept))
