"""A fan-out and one agent on the same rows: who is right, at what price, in what time."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from fanwise.engine.records import Record
from fanwise.errors import Mistake, SpecError
from fanwise.graph.graphs import Graph
from fanwise.graph.nodes import GraphSpec
from fanwise.job.arms import is_own_baseline
from fanwise.job.directory import holds_run, reading
from fanwise.job.manifest import Manifest, draft, rows_of
from fanwise.job.rowsmark import changed_since
from fanwise.job.spec import JobSpec
from fanwise.journal.records import ArmName
from fanwise.ledger.comparison import Comparison
from fanwise.ledger.tasks import chosen_channel
from fanwise.paths import fixed_reference, typed

from .checking import Mistakes, described, opened
from .comparing import comparison_of
from .fitting import check_fit, check_scorer, check_sides
from .going_on import SAMPLE, check_same_job, first_rows, more_rows
from .labels import check_labels, fixed_labels, labelled_rows, labels_of
from .looking import keep_looks, looks_of, question_of
from .plan.plan import CarryOut, SampleRun, carry_out
from .scorer import Scorer, scorer


def compare(
    graph: Graph[..., Any] | str,
    *,
    rows: str | Path,
    labels: str | Path | None = None,
    score: str | Scorer[Any, Any, Any] | None = None,
    sample: int | None = None,
    seed: int = 0,
    baseline: str = "auto",
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
        labels: What is right: a field of the rows, `category=label` for that of a field of the output (or
            `category=FILE`), or a JSONL file with an `id` on every line; rows without one, or with null, are not drawn.
            None: the share of rows that are answered is the quality.
        score: A `Scorer`, or its reference `path/file.py:name`; None: equality. It is tried on a rehearsed row before
            anything is paid.
        sample: Rows to carry out, drawn at random; two or more. None: 40, or those that `out` holds.
        seed: Another one draws other rows.
        baseline: The single agent: `auto`, or the reference of a graph.
        out: Run directory to keep, where `resume` goes on with all rows. Where it holds a run of this job with this
            baseline, its rows are compared as they stand, and where `sample` is more than it has, so many are carried
            out beside them. None: nothing is kept, unless the comparison fails.
        carry_out: Carries out the sample.
        **fields: Further fields of `JobSpec`, with its defaults: both sides travel in the channels of a run.

    Raises:
        UsageError: The graph, the rows, the labels or a value cannot be used, or there is nothing to compare.
        ScoringError: The score raises, or returns no number from 0 to 1.
        HaltedError: The sample was stopped before its end; what was done is kept.
    """
    labels = fixed_labels(labels) if isinstance(labels, str | Path) else labels
    score = fixed_reference(score) if isinstance(score, str) else score
    call = dict(graph=graph, rows=rows, baseline=baseline, out=out, **fields)
    question = _checked(call, labels, score, sample, seed)
    manifest = draft(question.spec, question.graphs)
    with _directory_of(question.spec.out) as directory:
        if out is None or not holds_run(directory):
            spec = replace(question.spec, out=directory)
            run: SampleRun | None = first_rows(spec, SAMPLE if sample is None else sample, seed, question.labels)
        else:
            check_same_job(directory, question.spec, question.graphs)
            more = sample is not None
            run = more_rows(directory, question.spec, sample, seed, fields, labels=question.labels) if more else None
        if run is not None:
            _check_drawn(run, manifest, question)
            carry_out(run)
        # Where anything was carried out, the session has said whether the file has changed.
        return _held_together(directory, manifest, question, (labels, score), is_looked_at=run is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """A comparison that can be made."""

    spec: JobSpec
    graphs: Mapping[ArmName, GraphSpec]
    labels: Mapping[str, Any] | None
    """By the row's id."""
    score: Scorer[Any, Any, Any] | None
    """None: an output is right where it is its label."""


def _checked(
    call: Mapping[str, Any], labels: str | Path | None, score: object, sample: int | None, seed: int
) -> _Question:
    """Return what is to be compared.

    Raises:
        UsageError: Something is wrong with the call; all of it is named.
    """
    mistakes = Mistakes()
    spec = described(mistakes, **call)
    mistakes.check_number("sample", sample, None, at_least=2)
    mistakes.check_number("seed", seed, 0)
    if call["baseline"] == "none":
        mistakes.add("baseline", "'none' leaves nothing to compare with", "write auto, or the reference of a graph")
    graphs = {} if spec is None else opened(mistakes, spec, baseline=spec.baseline)
    score_of, by_row = None, None
    with mistakes.of("score"):
        score_of = scorer(score, graphs.get("fanout"))
    check_labels(mistakes, labels, score)
    if graphs and mistakes.is_free_of("baseline"):
        _check_baseline(mistakes, graphs, scored=score is not None)
    is_readable = mistakes.is_free_of("rows", "labels", "format", "id_field")
    if spec is not None and isinstance(labels, str | Path) and is_readable:
        with mistakes.of("labels"):
            by_row = labels_of(labels, rows_of(spec), spec.id_field)
            if score is None:
                _check_fit(mistakes, by_row, graphs)
    return _Question(spec=mistakes.refused_or(spec), graphs=graphs, labels=by_row, score=score_of)


def _check_baseline(mistakes: Mistakes, graphs: Mapping[ArmName, GraphSpec], *, scored: bool) -> None:
    """Add why the two sides cannot be held together."""
    if is_own_baseline(graphs):
        alone = "the graph has one agent, so it is its own single agent (1.00 in tokens and in dollars)"
        mistakes.add("baseline", f"there is nothing to compare: {alone}", "name another graph")
    elif scored and "baseline" in graphs and (why := check_sides(graphs)) is not None:
        mistakes.add("baseline", why, "name a graph that returns the same")


def _check_fit(mistakes: Mistakes, labels: Mapping[str, Any], graphs: Mapping[ArmName, GraphSpec]) -> None:
    """Add the first label that an output of a side can never equal."""
    misfits = (check_fit(labels, graph.output_type) for graph in graphs.values())
    first = next(filter(None, misfits), None)
    if first is not None:
        mistakes.add("labels", *first)


def _held_together(
    directory: Path, manifest: Manifest, question: _Question, asked_by: tuple[Any, Any], *, is_looked_at: bool
) -> Comparison:
    """Return what the rows in a directory have come to, and keep the look.

    Args:
        directory: It holds the run.
        manifest: Of the job.
        question: What is compared.
        asked_by: Labels and score as the call has named them.
        is_looked_at: Whether nothing was carried out, so that nobody has said what became of the rows file.
    """
    with reading(directory) as journal:
        arms = manifest.arms(question.graphs)
        asked = question_of(arms, chosen_channel(journal.db), *asked_by)
        looks = looks_of(directory, asked)
        notes = changed_since(journal, rows_of(question.spec).path) if is_looked_at else []
        labelled = None if question.labels is None else labelled_rows(manifest, question.graphs, question.labels)
        comparison = comparison_of(journal.db, arms, question.labels, question.score, labelled, looks, notes)
        keep_looks(directory, asked, comparison.verdict.decides.looks)
        return comparison


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
            raise type(error)((*error.mistakes, _kept(directory)), error.subject) from None
        if holds_run(directory):
            error.add_note(f"the answers are kept in {typed(directory)}")
        raise
    if folder is not None:
        rmtree(folder)


def _kept(directory: Path) -> Mistake:
    return Mistake(
        "out", f"the answers are kept in {typed(directory)}", "name it in the next call, which sends nothing again"
    )


def _check_drawn(run: SampleRun, manifest: Manifest, question: _Question) -> None:
    """Check that a row which is to be carried out has a label, and try the scorer: else there is nothing to pay for.

    Raises:
        SpecError: No row has a label.
        ScoringError: The scorer raises, or returns no number from 0 to 1.
    """
    id_name, labels, rows = question.spec.id_field or "id", question.labels, run.drawn.rows
    if labels is None:
        return
    if not rows:
        message = f"none of the {run.drawn.valid:,} rows has a label"
        raise SpecError((Mistake("labels", message, f"are they by the rows' {id_name!r}?"),))
    if question.score is not None:
        records = (Record(number=row.number, locator=row.number, data=row.data, raw="") for row in rows)
        check_scorer(question.score, manifest, question.graphs["fanout"], records, labels)
