"""Carrying out the rows of a sample: said and agreed to first, with what they will cost."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

from fanwise.job.account import Account
from fanwise.job.job import begin
from fanwise.job.spec import JobSpec
from fanwise.job.watcher import Watcher
from fanwise.journal.records import Channel
from fanwise.studies.plan.drawn import Drawn
from fanwise.studies.plan.plan import make

from .common import HALTED, INTERRUPTED, carry_out
from .consent import asking


def carry_out_sample(spec: JobSpec, drawn: Drawn, channel: Channel, what: str, options: dict[str, Any]) -> None:
    """Carry out the rows of a sample alone; ends the program where that was halted or interrupted.

    Args:
        spec: The whole job.
        drawn: The sample.
        channel: For which the price is said.
        what: What is carried out, for the question.
        options: Of the command: whether to ask, and from which price on.
    """
    forecast = make(spec, replace(drawn, valid=len(drawn.rows), more=()), channels=(channel,), alternatives=False)
    asking(options).consent(forecast.total(), what, spec, unpriced=forecast.unpriced)
    only = frozenset(row.number for row in drawn.rows)

    async def work(watcher: Watcher) -> Account:
        return await begin(spec, watcher, only=only)

    status = carry_out(work, as_json=False, out=str(spec.out), report=False)
    if status in (HALTED, INTERRUPTED):
        sys.exit(status)
