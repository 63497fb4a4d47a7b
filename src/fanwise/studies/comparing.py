"""What rows have come to on both sides of a run, held together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean
from typing import Any

from fanwise.engine.arms import Arm
from fanwise.engine.shown import request_lines
from fanwise.errors import Mistake, SpecError
from fanwise.graph.dag import longest_path, rounds, side_by_side
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.ledger.comparison import ArmFigures, Comparison
from fanwise.ledger.evidence import Pair
from fanwise.ledger.layouts import answers_of_earlier_layouts
from fanwise.ledger.looks import Look
from fanwise.ledger.measuring import multiplier
from fanwise.ledger.paired import SIDES, JobSize, PairedRows
from fanwise.ledger.standing import standing
from fanwise.ledger.tasks import task_times
from fanwise.ledger.verdict import judge
from fanwise.rendering.layouts import earlier_layouts
from fanwise.units import PICO_PER_USD

from .scorer import Scorer
from .scoring import RowOutputs, Scored, Scoring, outputs_by_row


def comparison_of(
    db: Book,
    arms: Mapping[ArmName, Arm],
    labels: Mapping[str, Any] | None,
    score: Scorer[Any, Any, Any] | None,
    labelled_rows: int | None = None,
    looks: Sequence[Look] = (),
    notes: Sequence[str] = (),
) -> Comparison:
    """Return what the rows of a run with a baseline have come to.

    Args:
        db: Its journal.
        arms: Both of them.
        labels: By the row's id; None: an output is as good as another.
        score: Says how right an output is; None: whether it is its label.
        labelled_rows: Rows of the job with a label; None: all.
        looks: Those that were made before.
        notes: What is to be known of the run.

    Raises:
        SpecError: No row has both arms, or none of them a label, or the score fails.
        RunDirectoryError: Outputs were purged, or rows are not in their file any more.
    """
    outputs, size = outputs_by_row(db, scored=labels is not None), JobSize(db)
    scoring = None
    if labels is not None:
        scored = None if score is None else (score, Scored.of_run(db, arms["fanout"].graph, outputs, labels))
        scoring = Scoring(labels, scored)
    outcomes = _outcomes(db, outputs, size, scoring, {name: arm.graph.output_type for name, arm in arms.items()})
    if scoring is not None:
        scoring.check()
    left_out = len(outputs) - len(outcomes)
    if not outcomes:
        raise SpecError((_nothing_to_compare(left_out),))
    fanout, baseline = ({row: both[side] for row, both in outcomes.items()} for side in (0, 1))
    in_points = any(0 < outcome.score < 1 for both in outcomes.values() for outcome in both)
    pairs = [_pair(*both, in_points=in_points) for both in outcomes.values()]
    return Comparison(
        simulated=standing(db).offline is True,
        shape=tuple(shape(arms["fanout"])),
        verdict=judge(
            pairs,
            job_rows=size.rows,
            labelled_rows=labelled_rows,
            looks=looks,
            labelled=labels is not None,
            in_points=in_points,
        ),
        fanout=_figures(db, arms["fanout"], fanout, size, in_points=in_points),
        baseline=_figures(db, arms["baseline"], baseline, size, in_points=in_points),
        labelled=labels is not None,
        in_points=in_points,
        job_rows=size.rows,
        labelled_rows=size.rows if labelled_rows is None else labelled_rows,
        left_out=left_out,
        cut_off=sum(outcome.cut_off for outcome in baseline.values()),
        multiplier=multiplier(db, size),
        notes=(*filter(None, [earlier_layouts(answers_of_earlier_layouts(db))]), *notes),
    )


def _nothing_to_compare(left_out: int) -> Mistake:
    why = "none of the rows has a label" if left_out else "no row has an output or a failure on both sides"
    return Mistake("labels" if left_out else "rows", f"there is nothing to compare: {why}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What a row has come to on one arm."""

    cost: int
    """At the size of the job, as `JobSize` counts it."""
    score: float
    """0 to 1."""
    good: bool
    """Whether it counts as successful."""
    cut_off: bool
    """Whether the single agent's answer was cut off in this row."""

    def points(self, *, in_points: bool) -> float:
        """Return what the dollars of the row have bought: a success or none, or its score."""
        return self.score if in_points else float(self.good)


def _outcomes(
    db: Book,
    outputs: Mapping[int, RowOutputs],
    size: JobSize,
    scoring: Scoring | None,
    types: Mapping[ArmName, Any],
) -> dict[int, tuple[_Outcome, _Outcome]]:
    """Return what rows have come to in the fan-out and in the baseline, by number.

    Rows that have not ended on both arms, that have a cost which is not known, or no label, are left out.

    Args:
        db: The journal.
        outputs: Of its rows.
        size: Of the job.
        scoring: Holds outputs against labels; None: there are none.
        types: Of the outputs, by arm.
    """
    outcomes: dict[int, tuple[_Outcome, _Outcome]] = {}
    for row in PairedRows(db):
        row_id, by_arm = outputs[row.row]
        if scoring is not None and row_id not in scoring.labels:
            continue
        both: list[_Outcome] = []
        for arm, cost, status in zip(SIDES, (row.fanout, row.baseline), row.statuses, strict=True):
            if scoring is None:
                score, good = float(status != "failed"), status == "succeeded"
            else:
                score = scoring.of(row.row, row_id, by_arm[arm], types[arm])
                good = score >= 1
            both.append(_Outcome(cost=size.cost(cost), score=score, good=good, cut_off=row.cut_off))
        outcomes[row.row] = (both[0], both[1])
    return outcomes


def _pair(fanout: _Outcome, baseline: _Outcome, *, in_points: bool) -> Pair:
    return Pair(
        fanout=fanout.cost,
        baseline=baseline.cost,
        fanout_score=fanout.score,
        baseline_score=baseline.score,
        fanout_points=fanout.points(in_points=in_points),
        baseline_points=baseline.points(in_points=in_points),
        cut_off=baseline.cut_off,
    )


def _figures(db: Book, arm: Arm, outcomes: Mapping[int, _Outcome], size: JobSize, *, in_points: bool) -> ArmFigures:
    """Return the figures of an arm over some of its rows."""
    dollars = sum(outcome.cost for outcome in outcomes.values()) / (size.rows * PICO_PER_USD)
    scores = [outcome.score for outcome in outcomes.values() if not outcome.cut_off]
    points = sum(outcome.points(in_points=in_points) for outcome in outcomes.values())
    seconds, tokens = list[float](), 0
    for row, times in groupby(task_times(db, arm.name), key=lambda time: time.row):
        if row in outcomes:
            by_node: dict[str, float] = {}
            for time in times:
                by_node[time.node] = max(by_node.get(time.node, 0.0), time.seconds)
                tokens += time.tokens
            seconds.append(longest_path(arm.graph, by_node))
    return ArmFigures(
        cost_usd=dollars / len(outcomes),
        per_success_usd=dollars / points if points else None,
        score=fmean(scores) if scores else 0.0,
        good=sum(outcome.good for outcome in outcomes.values()),
        tokens=tokens / len(outcomes),
        seconds=fmean(seconds) if seconds else 0.0,
    )


def shape(arm: Arm) -> Iterator[str]:
    """Yield what the shape of a graph says before any run."""
    agents, depth, widest = arm.agents(), rounds(arm.graph), side_by_side(arm.graph)
    together = f"up to {widest} side by side" if widest > 1 else "each waits for the one before"
    yield f"{len(agents)} agents in {depth} round{'s' if depth != 1 else ''}, {together}"
    for path, lines in request_lines(arm).items():
        yield from (f"{path}: {line}" for line in lines if line.startswith("sent again"))
