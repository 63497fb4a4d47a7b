"""Carrying out the rows of a sample: said and agreed to first, with what they will cost."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

from fanwise.job.account import Account
from fanwise.job.job import Job
from fanwise.job.watcher import Watcher
from fanwise.journal.records import Channel
from fanwise.studies.plan.drawn import Drawn
from fanwise.studies.plan.plan import Asked, make

from .common import HALTED, INTERRUPTED, carry_out
from .consent import asking, consent


def carry_out_sample(
    job: Job, asked: Asked, drawn: Drawn, channel: Channel, what: str, options: dict[str, Any], *, both: bool
) -> None:
    """Carry out the rows of a sample alone; ends the program where that was halted or interrupted.

    Args:
        job: The whole job.
        asked: What the plan of it is made of.
        drawn: The sample.
        channel: For which the price is said.
        what: What is carried out, for the question.
        options: Of the command: whether to ask, and from which price on.
        both: Whether the single agent's price is said with the fan-out's.
    """
    planned = make(asked, replace(drawn, valid=len(drawn.rows), more=()), channels=(channel,), alternatives=False)
    price = planned.total() if both else planned.price(channel)
    consent(price, what, job.options, unpriced=planned.unpriced, **asking(options))
    only = frozenset(row.number for row in drawn.rows)

    async def work(watcher: Watcher) -> Account:
        return await job.run(watcher, only=only)

    status = carry_out(work, as_json=False, out=str(job.out), report=False)
    if status in (HALTED, INTERRUPTED):
        sys.exit(status)
