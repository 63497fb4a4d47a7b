"""A fan-out and one agent on the same rows: who is right, at what price, in what time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

from fanwise.dispatch.channel import ChannelChoice
from fanwise.engine.arms import Arm
from fanwise.engine.shown import request_lines
from fanwise.errors import UsageError
from fanwise.graph.dag import generations, longest_path, rounds
from fanwise.graph.graphs import Graph
from fanwise.graph.nodes import GraphSpec
from fanwise.job.arms import arms_of
from fanwise.job.directory import reading
from fanwise.job.manifest import draft, rows_of
from fanwise.job.spec import JobSpec
from fanwise.journal.meta import OFFLINE
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.ledger.allotment import allotted
from fanwise.ledger.comparison import ArmFigures, Comparison
from fanwise.ledger.outcomes import row_outputs
from fanwise.ledger.tasks import task_times
from fanwise.ledger.verdict import Pair, judge
from fanwise.units import PICO_PER_USD

from .labels import Score, labels_of, scorer
from .plan.drawn import draw_sample
from .plan.plan import CarryOut, SampleRun, carry_out

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
    drawn = draw_sample(spec, sample, seed)
    graphs = arms_of(spec.graph, spec.baseline)
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
        UsageError: No row has both sides, or none of them a label.
    """
    costs = {(one.row, one.arm): one for one in allotted(db)}
    share = min(len({row for row, _ in costs}) / max(job_rows, 1), 1.0)
    outcomes = _outcomes(db)
    pairs: list[Pair] = []
    kept: list[int] = []
    left_out = 0
    for row, (row_id, both) in outcomes.items():
        known = [costs.get((row, arm)) for arm in ("fanout", "baseline")]
        if len(both) < 2 or None in known or any(one is not None and one.unknown for one in known):
            left_out += 1
            continue
        if labels is not None and row_id not in labels:
            left_out += 1
            continue
        label = None if labels is None else labels[row_id]
        first, second = (_score(both[arm], label, score, labelled=labels is not None) for arm in ("fanout", "baseline"))
        prices = [(one.own + one.shared * share) / PICO_PER_USD for one in known if one is not None]
        pairs.append(Pair(prices[0], prices[1], first, second, first >= 1, second >= 1))
        kept.append(row)
    if not pairs:
        why = "no row has an output or a failure on both sides" if not left_out else "none of the rows has a label"
        raise UsageError(f"there is nothing to compare: {why}")
    fanout = _figures(db, "fanout", arms["fanout"].graph, pairs, kept)
    baseline = _figures(db, "baseline", arms["baseline"].graph, pairs, kept)
    margin = MARGIN if labels is not None else 1.0  # without labels nothing is known of quality
    return Comparison(
        simulated=OFFLINE.of(db) is True,
        shape=tuple(shape(arms["fanout"])),
        verdict=judge(pairs, margin),
        fanout=fanout,
        baseline=baseline,
        labelled=labels is not None,
        job_rows=job_rows,
        left_out=left_out,
    )


def _outcomes(db: Book) -> dict[int, tuple[str, dict[str, str | None]]]:
    found: dict[int, tuple[str, dict[str, str | None]]] = {}
    for row, row_id, arm, text in row_outputs(db):
        found.setdefault(row, (row_id, {}))[1][arm] = text
    return found


def quality(db: Book, labels: Mapping[str, Any], score: Score) -> tuple[float, int] | None:
    """Return the mean score of the fan-out's rows that have a label, and how many these are; None where none has.

    A row that failed scores 0: what it should have said is missing.
    """
    scores = [
        _score(both["fanout"], labels[row_id], score, labelled=True)
        for row_id, both in _outcomes(db).values()
        if row_id in labels and "fanout" in both
    ]
    return (fmean(scores), len(scores)) if scores else None


def _score(output: str | None, label: Any, score: Score, *, labelled: bool) -> float:
    if output is None:
        return 0.0
    return min(max(float(score(json.loads(output), label)), 0.0), 1.0) if labelled else 1.0


def _figures(db: Book, arm: ArmName, graph: GraphSpec, pairs: list[Pair], rows: list[int]) -> ArmFigures:
    prices = [getattr(one, arm) for one in pairs]
    scores = [getattr(one, f"{arm}_score") for one in pairs]
    good = sum(getattr(one, f"{arm}_good") for one in pairs)
    wanted = set(rows)
    seconds, tokens = list[float](), 0
    for row, times in groupby(task_times(db, arm), key=lambda time: time.row):
        if row not in wanted:
            continue
        nodes: dict[str, float] = {}
        for time in times:
            nodes[time.node] = max(nodes.get(time.node, 0.0), time.seconds)
            tokens += time.tokens
        seconds.append(longest_path(graph, nodes))
    return ArmFigures(
        cost_usd=fmean(prices),
        per_success_usd=sum(prices) / good if good else None,
        score=fmean(scores),
        good=good,
        tokens=tokens / len(pairs),
        seconds=fmean(seconds) if seconds else 0.0,
    )


def shape(plan: Arm) -> Iterator[str]:
    """Yield what the shape of a graph says before any run."""
    agents = plan.agents()
    paths = {node.node.path for node in agents}
    wide = max((len(paths.intersection(some)) for some in generations(plan.graph)), default=0)
    deep = rounds(plan.graph)
    together = f"up to {wide} side by side" if wide > 1 else "each waits for the one before"
    yield f"{len(agents)} agents in {deep} round{'s' if deep != 1 else ''}, {together}"
    for path, lines in request_lines(plan).items():
        yield from (f"{path}: {line}" for line in lines if line.startswith("sent again"))
