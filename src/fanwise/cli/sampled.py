"""Carrying out the rows of a sample: said and agreed to first, with what they will cost."""

from __future__ import annotations

import sys
from pathlib import Path

from fanwise.studies.plan.plan import CarryOut, SampleRun

from .carrying import carry_out
from .consent import Question
from .ending import BY_SIGNAL, HALTED


def carry_out_sample(question: Question) -> CarryOut:
    """Return what carries out a sample with a display; it ends the program where that was halted or interrupted.

    Args:
        question: Whether to ask before money is spent.
    """

    def ask_and_carry_out(sample: SampleRun) -> None:
        forecast = sample.forecast()
        question.consent(forecast.total(), sample.subject, sample.spec, unpriced=forecast.unpriced)
        status = carry_out(sample.run, as_json=False, out=Path(sample.spec.out or ""), report=False)
        if status == HALTED or status > BY_SIGNAL:
            sys.exit(status)

    return ask_and_carry_out
