"""A fan-out and one agent on the same rows: who is right, at what price, in what time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from fanwise.dispatch.channel import ChannelChoice
from fanwise.engine.arms import Arm
from fanwise.engine.shown import request_lines
from fanwise.errors import UsageError
from fanwise.graph.dag import generations, longest_path, rounds
from fanwise.graph.graphs import Graph
from fanwise.job.arms import arms_of, is_own_baseline
from fanwise.job.directory import reading
from fanwise.job.manifest import draft, rows_of
from fanwise.job.spec import JobSpec
from fanwise.journal.meta import OFFLINE
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.ledger.allotment import RowCost, allotted
from fanwise.ledger.comparison import ArmFigures, Comparison
from fanwise.ledger.tasks import task_times
from fanwise.ledger.verdict import Pair, judge
from fanwise.units import PICO_PER_USD

from .labels import RowOutputs, Score, labels_of, outputs_by_row, score_of, scorer
from .plan.drawn import draw_sample
from .plan.plan import CarryOut, SampleRun, carry_out

ARMS: tuple[ArmName, ArmName] = ("fanout", "baseline")
"""The two that are held against each other."""
MARGIN = 0.02
"""By how much worse answers may be to count as equally good."""


def compare(
    graph: Graph[..., Any] | str,
    *,
    rows: str | Path,
    labels: str | Path | None = None,
    score: str | Score | None = None,
    sample: int = 40,
    seed: int = 0,
    baseline: str = "auto",
    channel: ChannelChoice = "live",
    out: str | Path | None = None,
    carry_out: CarryOut = carry_out,
    **fields: Any,
) -> Comparison:
    """Return whether a job should fan out: it and one agent carry out the same rows, and are held together.

    Rows are paid for where there is a key; nothing is printed.

    Args:
        graph: A graph, or its reference `path/file.py:name`.
        rows: A JSONL, CSV or Parquet file.
        labels: What is right: a field of the rows, or a JSONL file with an `id` on every line; None: an output is as
            good as another.
        score: A function, or its reference `path/file.py:name`, that returns 0 to 1 for an output and its label;
            None: equality.
        sample: Rows to carry out, drawn at random.
        seed: Another one draws other rows.
        baseline: The single agent: `auto`, or the reference of a graph.
        channel: How requests travel.
        out: Run directory to keep, where `resume` goes on with all rows; None: nothing is kept.
        carry_out: Carries out the sample.
        **fields: Further fields of `JobSpec`.

    Raises:
        UsageError: The graph, the rows, the labels or a value cannot be used, or there is nothing to compare.
        HaltedError: The sample was stopped before its end; what was done is kept.
    """
    spec = JobSpec(graph=graph, rows=rows, baseline=baseline, channel=channel, out=out, **fields)
    by_row = None if labels is None else labels_of(labels, *rows_of(spec), spec.id_field)
    score_of = scorer(score)
    graphs = arms_of(spec.graph, spec.baseline)
    if is_own_baseline(graphs):
        raise UsageError(
            "there is nothing to compare: the graph has one agent, so it is its own single agent (1.00 in tokens and in"
            " dollars); name another graph with --baseline"
        )
    drawn = draw_sample(spec, sample, seed)
    arms = draft(spec, graphs).arms(graphs)
    with TemporaryDirectory() as folder:
        directory = out or f"{folder}/run"
        subject = f"both sides on {len(drawn.rows)} rows"
        carry_out(SampleRun(spec=replace(spec, out=directory), drawn=drawn, subject=subject))
        with reading(directory) as journal:
            return comparison_of(journal.db, arms, drawn.valid, by_row, score_of)


def comparison_of(
    db: Book,
    arms: Mapping[ArmName, Arm],
    job_rows: int,
    labels: Mapping[str, Any] | None,
    score: Score,
) -> Comparison:
    """Return what the rows of a run with a baseline have come to.

    Args:
        db: Its journal.
        arms: Both of them.
        job_rows: Rows of the whole job, over which what rows share is spread.
        labels: By the row's id; None: an output is as good as another.
        score: Holds an output against its label.

    Raises:
        UsageError: No row has both arms, or none of them a label.
    """
    outputs = outputs_by_row(db)
    outcomes = _outcomes(db, outputs, job_rows, labels, score)
    left_out = len(outputs) - len(outcomes)
    if not outcomes:
        why = "none of the rows has a label" if left_out else "no row has an output or a failure on both sides"
        raise UsageError(f"there is nothing to compare: {why}")
    fanout = {row: outcome for row, (outcome, _) in outcomes.items()}
    baseline = {row: outcome for row, (_, outcome) in outcomes.items()}
    margin = MARGIN if labels is not None else 1.0  # without labels nothing is known of quality
    return Comparison(
        simulated=OFFLINE.of(db) is True,
        shape=tuple(shape(arms["fanout"])),
        verdict=judge([_pair(*pair) for pair in outcomes.values()], margin),
        fanout=_figures(db, arms["fanout"], fanout),
        baseline=_figures(db, arms["baseline"], baseline),
        labelled=labels is not None,
        job_rows=job_rows,
        left_out=left_out,
    )


class _Outcome(NamedTuple):
    """What a row has come to on one arm."""

    dollars: float
    """What rows share spread over all rows of the job."""
    score: float
    """0 to 1."""

    @property
    def good(self) -> bool:
        """Whether it counts as successful."""
        return self.score >= 1


def _outcomes(
    db: Book, outputs: Mapping[int, RowOutputs], job_rows: int, labels: Mapping[str, Any] | None, score: Score
) -> dict[int, tuple[_Outcome, _Outcome]]:
    """Return what rows have come to in the fan-out and in the baseline, by number.

    Rows that have not ended on both arms, that have a cost which is not known, or no label, are left out.
    """
    costs = {(cost.row, cost.arm): cost for cost in allotted(db)}
    share = min(len({row for row, _ in costs}) / max(job_rows, 1), 1.0)

    def outcome(row: int, output: str | None, arm: ArmName, label: Any) -> _Outcome:
        cost, value = costs[row, arm], float(output is not None)
        if labels is not None:
            value = score_of(output, label, score)
        return _Outcome((cost.own + cost.shared * share) / PICO_PER_USD, value)

    outcomes: dict[int, tuple[_Outcome, _Outcome]] = {}
    for row, (row_id, by_arm) in outputs.items():
        if len(by_arm) == len(ARMS) and _is_priced(row, costs) and (labels is None or row_id in labels):
            label = None if labels is None else labels[row_id]
            fanout, baseline = (outcome(row, by_arm[arm], arm, label) for arm in ARMS)
            outcomes[row] = (fanout, baseline)
    return outcomes


def _is_priced(row: int, costs: Mapping[tuple[int, ArmName], RowCost]) -> bool:
    """Return whether all that a row has cost on both arms is known."""
    return all((row, arm) in costs and not costs[row, arm].unknown for arm in ARMS)


def _pair(fanout: _Outcome, baseline: _Outcome) -> Pair:
    return Pair(
        fanout=fanout.dollars,
        baseline=baseline.dollars,
        fanout_score=fanout.score,
        baseline_score=baseline.score,
        fanout_good=fanout.good,
        baseline_good=baseline.good,
    )


def _figures(db: Book, arm: Arm, outcomes: Mapping[int, _Outcome]) -> ArmFigures:
    """Return the figures of an arm over some of its rows."""
    dollars = [outcome.dollars for outcome in outcomes.values()]
    good = sum(outcome.good for outcome in outcomes.values())
    seconds, tokens = list[float](), 0
    for row, times in groupby(task_times(db, arm.name), key=lambda time: time.row):
        if row in outcomes:
            by_node: dict[str, float] = {}
            for time in times:
                by_node[time.node] = max(by_node.get(time.node, 0.0), time.seconds)
                tokens += time.tokens
            seconds.append(longest_path(arm.graph, by_node))
    return ArmFigures(
        cost_usd=fmean(dollars),
        per_success_usd=sum(dollars) / good if good else None,
        score=fmean(outcome.score for outcome in outcomes.values()),
        good=good,
        tokens=tokens / len(outcomes),
        seconds=fmean(seconds) if seconds else 0.0,
    )


def shape(arm: Arm) -> Iterator[str]:
    """Yield what the shape of a graph says before any run."""
    agents = arm.agents()
    paths = {agent.node.path for agent in agents}
    widest = max((len(paths.intersection(names)) for names in generations(arm.graph)), default=0)
    depth = rounds(arm.graph)
    together = f"up to {widest} side by side" if widest > 1 else "each waits for the one before"
    yield f"{len(agents)} agents in {depth} round{'s' if depth != 1 else ''}, {together}"
    for path, lines in request_lines(arm).items():
        yield from (f"{path}: {line}" for line in lines if line.startswith("sent again"))
