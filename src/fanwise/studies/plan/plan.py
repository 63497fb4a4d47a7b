"""What a job will cost, before it is paid: calls, tokens, dollars and time, for each channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio

from fanwise.graph.graphs import Graph
from fanwise.job.account import Account
from fanwise.job.job import begin, resume
from fanwise.job.spec import JobSpec
from fanwise.job.watcher import Watcher
from fanwise.journal.records import Channel
from fanwise.ledger.forecast import CHANNELS, Forecast
from fanwise.studies.checking import Mistakes, described, opened

from .drawn import Drawn, draw_contents, draw_sample
from .forecast import forecast_job


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRun:
    """Rows of a job that its models are to carry out, as they would in the whole of it."""

    spec: JobSpec
    """The whole job, with the directory where the answers are kept."""
    drawn: Drawn
    subject: str
    """What is carried out, in words."""
    begun: frozenset[int] | None = None
    """Rows that the directory has already, which go on beside these; None: the run is a new one."""
    changes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Fields of the spec that are different from those of that run."""

    def forecast(self) -> Forecast:
        """Return what these rows will cost; it takes as long as a plan of them."""
        return forecast_job(self.spec, self.drawn.alone(), channels=(self.spec.channel,), alternatives=False)

    async def run(self, watcher: Watcher | None = None) -> Account:
        """Carry them out; the other rows wait for `resume`.

        Args:
            watcher: What a display reads.

        Raises:
            UsageError: Something is wrong with the graph, the rows, the directory or the key.
            HaltedError: They were stopped before their end; what was done is kept.
        """
        only = frozenset(row.number for row in self.drawn.rows)
        if self.begun is not None and self.spec.out is not None:
            return await resume(
                self.spec.out,
                watcher,
                graph=self.spec.graph,
                only=only | self.begun,
                job_rows=self.drawn.valid,
                **self.changes,
            )
        return await begin(self.spec, watcher, only=only, job_rows=self.drawn.valid)


CarryOut = Callable[[SampleRun], None]
"""Carries out the rows of a sample; whoever wants to be asked before money is spent asks in it."""


def carry_out(sample_run: SampleRun) -> None:
    """Carry out the rows of a sample without a display and without a question: the budget of the job bounds them."""
    anyio.run(sample_run.run)


def plan(
    graph: Graph[..., Any] | str,
    *,
    rows: str | Path,
    simulate: int = 20,
    sample: int | None = None,
    out: str | Path | None = None,
    channel: Channel = "live",
    carry_out: CarryOut = carry_out,
    **fields: Any,
) -> Forecast:
    """Return what a job will do and cost, for each channel, with a single agent beside it; prints nothing.

    Without `sample` nothing is sent or paid: stand-ins carry out some rows on an emulator.

    Args:
        graph: A graph, or its reference `path/file.py:name`.
        rows: A JSONL, CSV or Parquet file.
        simulate: Rows that stand-ins carry out, drawn at random.
        sample: Rows that the models carry out and that are paid for, in their place; needs `out`.
        out: Run directory where the sample's answers are kept; `resume` goes on with the other rows.
        channel: How the sample travels.
        carry_out: Carries out the sample.
        **fields: Further fields of `JobSpec`; `baseline` is the single agent that a sample pays for.

    Raises:
        UsageError: The graph, the rows or a value cannot be used.
        HaltedError: The sample was stopped before its end; what was done is kept.
    """
    call = dict(graph=graph, rows=rows, out=out, channel=channel, **fields)
    spec = _checked(call, simulate, sample)
    if sample is None:
        return forecast_job(replace(spec, baseline="auto"), draw_contents(spec, simulate))
    drawn = draw_sample(spec, sample)
    carry_out(SampleRun(spec=spec, drawn=drawn, subject=f"the sample of {len(drawn.rows)} rows"))
    return forecast_job(replace(spec, baseline="auto"), drawn, run=spec.out)


def _checked(call: Mapping[str, Any], simulate: int, sample: int | None) -> JobSpec:
    """Return the job that is to be planned.

    Raises:
        UsageError: Something is wrong with the call; all of it is named.
    """
    mistakes = Mistakes()
    spec = described(mistakes, **call)
    mistakes.check_number("simulate", simulate, 20, at_least=1)
    mistakes.check_number("sample", sample, None, at_least=1)
    if mistakes.is_free_of("channel"):
        mistakes.check_choice("channel", call["channel"], "live", CHANNELS)
    if sample is not None and call["out"] is None:
        mistakes.add("out", "no folder is named, and what a sample is paid for is kept", "name one for the run")
    if sample is None and call["out"] is not None:
        mistakes.add("sample", "a folder is named, and nothing is carried out in it", "give a sample, or no folder")
    if spec is not None:
        opened(mistakes, spec, baseline=spec.baseline)
    return mistakes.refused_or(spec)
