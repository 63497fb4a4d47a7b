"""A fan-out and one agent on the same rows: who is right, at what price, in what time."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from shutil import rmtree
from statistics import fmean
from tempfile import mkdtemp
from typing import Any, NamedTuple

from fanwise.dispatch.channel import ChannelChoice
from fanwise.engine.arms import Arm
from fanwise.engine.shown import request_lines
from fanwise.errors import Mistake, SpecError
from fanwise.graph.dag import generations, longest_path, rounds
from fanwise.graph.graphs import Graph
from fanwise.graph.nodes import GraphSpec
from fanwise.job.arms import is_own_baseline
from fanwise.job.directory import holds_run, reading
from fanwise.job.manifest import Manifest, draft, is_edited, rows_of
from fanwise.job.spec import JobSpec
from fanwise.journal.meta import OFFLINE, STATICS
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.ledger.comparison import ArmFigures, Comparison
from fanwise.ledger.multiplier import multiplier
from fanwise.ledger.paired import SIDES, JobSize, PairedRows
from fanwise.ledger.tasks import task_times
from fanwise.ledger.verdict import Pair, judge
from fanwise.units import PICO_PER_USD

from .checking import Mistakes, described, opened
from .labels import RowOutputs, Score, Scoring, check_labels, equal, labels_of, outputs_by_row, scorer
from .plan.drawn import Drawn, draw_sample
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

    Rows are paid for where there is a key; nothing is printed. What was answered is never lost to a mistake in the
    scoring: it stands in the run directory, and a call that names it again scores it and sends nothing.

    Args:
        graph: A graph, or its reference `path/file.py:name`.
        rows: A JSONL, CSV or Parquet file.
        labels: What is right: a field of the rows, or a JSONL file with an `id` on every line; None: an output is as
            good as another.
        score: A function, or its reference `path/file.py:name`, that returns 0 to 1 for an output and its label;
            None: equality.
        sample: Rows to carry out, drawn at random; two or more.
        seed: Another one draws other rows.
        baseline: The single agent: `auto`, or the reference of a graph.
        channel: How requests travel.
        out: Run directory to keep, where `resume` goes on with all rows. Where it holds a run of this job with this
            baseline, its rows are compared as they stand. None: nothing is kept, unless the comparison fails.
        carry_out: Carries out the sample.
        **fields: Further fields of `JobSpec`.

    Raises:
        UsageError: The graph, the rows, the labels or a value cannot be used, or there is nothing to compare.
        HaltedError: The sample was stopped before its end; what was done is kept.
    """
    call = dict(graph=graph, rows=rows, baseline=baseline, channel=channel, out=out, **fields)
    question = _checked(call, labels, score, sample, seed)
    arms = draft(question.spec, question.graphs).arms(question.graphs)
    drawn = draw_sample(question.spec, sample, seed)
    with _directory_of(out) as directory:
        if out is None or not holds_run(directory):
            _check_labels_of(drawn, question)
            subject = f"both sides on {len(drawn.rows)} rows"
            carry_out(SampleRun(spec=replace(question.spec, out=directory), drawn=drawn, subject=subject))
        else:
            _check_same_job(directory, question)
        with reading(directory) as journal:
            return comparison_of(journal.db, arms, question.labels, question.score)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """A comparison that can be made."""

    spec: JobSpec
    graphs: Mapping[ArmName, GraphSpec]
    labels: Mapping[str, Any] | None
    """By the row's id."""
    score: Score


def _checked(
    call: Mapping[str, Any], labels: str | Path | None, score: str | Score | None, sample: int, seed: int
) -> _Question:
    """Return what is to be compared.

    Raises:
        UsageError: Something is wrong with the call; all of it is named.
    """
    mistakes = Mistakes()
    spec = described(mistakes, **call)
    mistakes.check_number("sample", sample, 40, at_least=2)
    mistakes.check_number("seed", seed, 0)
    if call["baseline"] == "none":
        mistakes.add("baseline", "'none' leaves nothing to compare with", "write auto, or the reference of a graph")
    score_of, by_row, graphs = equal, None, dict[ArmName, GraphSpec]()
    with mistakes.of("score"):
        score_of = scorer(score)
    check_labels(mistakes, labels, score)
    if spec is not None:
        graphs = opened(mistakes, spec, baseline=spec.baseline)
        if graphs and mistakes.is_free_of("baseline") and is_own_baseline(graphs):
            alone = "the graph has one agent, so it is its own single agent (1.00 in tokens and in dollars)"
            mistakes.add("baseline", f"there is nothing to compare: {alone}", "name another graph")
        if isinstance(labels, str | Path) and mistakes.is_free_of("rows", "labels", "format", "id_field"):
            with mistakes.of("labels"):
                by_row = labels_of(labels, *rows_of(spec), spec.id_field)
    return _Question(spec=mistakes.refused_or(spec), graphs=graphs, labels=by_row, score=score_of)


@contextmanager
def _directory_of(out: str | Path | None) -> Generator[Path]:
    """Yield the run directory; one that nobody has named is removed again, unless a failure left answers in it.

    Raises:
        UsageError: That of the block, with the place of the answers.
    """
    folder = Path(mkdtemp(prefix="fanwise-compare-")) if out is None else None
    directory = Path(out) if out is not None else Path(folder or "", "run")
    try:
        yield directory
    except BaseException as error:
        if folder is not None and not holds_run(directory):
            rmtree(folder)
        elif isinstance(error, SpecError) and holds_run(directory):
            raise SpecError((*error.mistakes, _kept(directory)), error.subject) from None
        if holds_run(directory):
            error.add_note(f"the answers are kept in {directory}")
        raise
    if folder is not None:
        rmtree(folder)


def _kept(directory: Path) -> Mistake:
    return Mistake("out", f"the answers are kept in {directory}", "name it in the next call, which sends nothing again")


def _check_labels_of(drawn: Drawn, question: _Question) -> None:
    """Check that a row which is to be carried out has a label: without any there is nothing to pay for.

    Raises:
        SpecError: None has.
    """
    id_name, labels = question.spec.id_field or "id", question.labels
    if labels is not None and not any(str(row.data.get(id_name, row.number)) in labels for row in drawn.rows):
        message = f"none of the {len(drawn.rows)} rows that were drawn has a label"
        raise SpecError((Mistake("labels", message, f"are they by the rows' {id_name!r}? else draw more rows"),))


def _check_same_job(directory: Path, question: _Question) -> None:
    """Check that what a directory holds answers the question.

    Raises:
        SpecError: It is another job's, or of the same before its agents were edited.
    """
    with reading(directory) as journal:
        manifest, before = Manifest.of(journal), STATICS.of(journal)
    wanted = Manifest.begun(question.spec, *rows_of(question.spec))
    differences = [
        f"its {what} is {has}, not {asked}"
        for what, has, asked in (
            ("graph", manifest.graph, wanted.graph),
            ("rows file", manifest.rows, wanted.rows),
            ("baseline", manifest.spec.baseline, wanted.spec.baseline),
        )
        if has != asked
    ]
    if differences:
        message = f"{directory} holds another run: {', '.join(differences)}"
        raise SpecError((Mistake("out", message, "choose another directory"),))
    if is_edited(manifest, before, question.graphs):
        message = f"{directory} holds answers from before the agents were edited"
        raise SpecError((Mistake("out", message, f"choose another directory, or `fanwise resume {directory}` first"),))


def comparison_of(db: Book, arms: Mapping[ArmName, Arm], labels: Mapping[str, Any] | None, score: Score) -> Comparison:
    """Return what the rows of a run with a baseline have come to.

    Args:
        db: Its journal.
        arms: Both of them.
        labels: By the row's id; None: an output is as good as another.
        score: Holds an output against its label.

    Raises:
        SpecError: No row has both arms, or none of them a label, or the score fails.
    """
    outputs, size = outputs_by_row(db), JobSize(db)
    scoring = None if labels is None else Scoring(labels, score)
    outcomes = _outcomes(db, outputs, size, scoring)
    if scoring is not None:
        scoring.check()
    left_out = len(outputs) - len(outcomes)
    if not outcomes:
        why = "none of the rows has a label" if left_out else "no row has an output or a failure on both sides"
        raise SpecError((Mistake("labels" if left_out else "rows", f"there is nothing to compare: {why}"),))
    fanout = {row: outcome for row, (outcome, _) in outcomes.items()}
    baseline = {row: outcome for row, (_, outcome) in outcomes.items()}
    margin = MARGIN if labels is not None else 1.0  # without labels nothing is known of quality
    return Comparison(
        simulated=OFFLINE.of(db) is True,
        shape=tuple(shape(arms["fanout"])),
        verdict=judge([_pair(*pair) for pair in outcomes.values()], margin),
        fanout=_figures(db, arms["fanout"], fanout, size),
        baseline=_figures(db, arms["baseline"], baseline, size),
        labelled=labels is not None,
        job_rows=size.rows,
        left_out=left_out,
        cut_off=sum(outcome.cut_off for outcome in baseline.values()),
        multiplier=multiplier(db),
    )


class _Outcome(NamedTuple):
    """What a row has come to on one arm."""

    cost: int
    """At the size of the job, as `JobSize` counts it."""
    score: float
    """0 to 1."""
    good: bool
    """Whether it counts as successful."""
    cut_off: bool
    """Whether the single agent's answer was cut off in this row."""


def _outcomes(
    db: Book, outputs: Mapping[int, RowOutputs], size: JobSize, scoring: Scoring | None
) -> dict[int, tuple[_Outcome, _Outcome]]:
    """Return what rows have come to in the fan-out and in the baseline, by number.

    Rows that have not ended on both arms, that have a cost which is not known, or no label, are left out.
    """
    outcomes: dict[int, tuple[_Outcome, _Outcome]] = {}
    for row in PairedRows(db):
        row_id, by_arm = outputs[row.row]
        if scoring is not None and row_id not in scoring.labels:
            continue
        both: list[_Outcome] = []
        for arm, cost, status in zip(SIDES, (row.fanout, row.baseline), row.statuses, strict=True):
            if scoring is None:
                score, good = float(by_arm[arm] is not None), status == "succeeded"
            else:
                score = scoring.of(row_id, by_arm[arm])
                good = score >= 1
            both.append(_Outcome(size.cost(cost), score, good, row.cut_off))
        outcomes[row.row] = (both[0], both[1])
    return outcomes


def _pair(fanout: _Outcome, baseline: _Outcome) -> Pair:
    return Pair(
        fanout=fanout.cost,
        baseline=baseline.cost,
        fanout_score=fanout.score,
        baseline_score=baseline.score,
        fanout_good=fanout.good,
        baseline_good=baseline.good,
        cut_off=baseline.cut_off,
    )


def _figures(db: Book, arm: Arm, outcomes: Mapping[int, _Outcome], size: JobSize) -> ArmFigures:
    """Return the figures of an arm over some of its rows."""
    dollars = sum(outcome.cost for outcome in outcomes.values()) / (size.rows * PICO_PER_USD)
    scores = [outcome.score for outcome in outcomes.values() if not outcome.cut_off]
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
        cost_usd=dollars / len(outcomes),
        per_success_usd=dollars / good if good else None,
        score=fmean(scores) if scores else 0.0,
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
