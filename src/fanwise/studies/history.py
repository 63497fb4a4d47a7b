"""Runs beside each other, the oldest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from fanwise.errors import RunDirectoryError, SpecError, UsageError
from fanwise.graph.graphs import Graph
from fanwise.job.directory import peeking
from fanwise.job.entries import JOURNAL, check_entries
from fanwise.journal.reader import Book
from fanwise.ledger.account import totals
from fanwise.ledger.changes import Shapes, changed_agents
from fanwise.ledger.history import History, PastRun, UnreadRun
from fanwise.ledger.measuring import multiplier
from fanwise.ledger.standing import agents_of
from fanwise.ledger.summary import FORMAT, read_share
from fanwise.paths import fixed, typed

from .judging import Judge, judge_of, run_directories
from .scorer import Scorer


def history(
    *folders: str | Path,
    labels: str | Path | None = None,
    score: str | Scorer[Any, Any, Any] | None = None,
    graph: Graph[..., Any] | str | None = None,
) -> History:
    """Return the runs in folders, by the time when they began; nothing of them is changed.

    What cannot be read does not keep the others from being read: it is listed apart, with the reason.

    Args:
        *folders: Run directories, or folders that hold some; without any, the current one.
        labels: What is right: a field of the rows, or a JSONL file with an `id` on every line; None: no quality is
            told. Runs whose rows have no such field have no quality.
        score: A `Scorer`, or its reference `path/file.py:name`; None: equality.
        graph: What the runs are of, or its reference: a scorer is given its objects, and no graph is imported that is
            not named. Runs of a graph of another name have no quality.

    Raises:
        UsageError: A folder does not exist, none holds a run, or labels, score or graph cannot be used.
        ScoringError: The score raises, or returns no number from 0 to 1.
    """
    directories = [(directory, fixed(directory)) for directory in run_directories(folders or (".",))]
    judge = judge_of(folders or (".",), labels, score, graph)
    if not directories:
        places = ", ".join(map(str, folders)) or "this folder"
        raise UsageError(f"there is no run in {places}: no folder has a {JOURNAL}")
    runs: list[_Run] = []
    unreadable: list[UnreadRun] = []
    for directory, place in directories:
        try:
            runs.append(replace(_run(place, judge), directory=directory))
        except RunDirectoryError as error:
            unreadable.append(UnreadRun(str(directory), str(error)))
    judge.check()
    return History(tuple(_in_order(runs)), tuple(unreadable))


# A run as it is read -------------------------------------------------------------------------------

Dollars = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$")]


class _Part(BaseModel, strict=True):
    """What a history takes from a `summary.json`, and its parts."""


class _Rows(_Part):
    read: int
    succeeded: int


class _Tokens(_Part):
    input: int | None
    cache_write_5m: int | None
    cache_write_1h: int | None
    cache_read: int | None


class _Arms(_Part):
    fanout: _Tokens


class _Ratio(_Part):
    ratio: float | None = None
    """None: the file is of a time when the multiplier was a mean over rows."""


class _Multiplier(_Part):
    tokens: _Ratio
    usd: _Ratio


class _Unknown(_Part):
    fanout: int
    baseline: int


class _Summary(_Part):
    format: Literal[2]
    graph: str | None
    created: str | None
    rows: _Rows
    tokens: _Arms
    multiplier: _Multiplier | None
    cost_usd: Dollars | None
    cost_per_successful_row_usd: Dollars | None
    offline: bool | None
    attempts_of_unknown_cost: _Unknown | None = None
    """None: the file is of a time when they were not told by side."""

    @property
    def graph_name(self) -> str:
        """Name of its graph, without its file."""
        return (self.graph or "").rpartition(":")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """A run that was read whole."""

    directory: Path
    summary: _Summary
    agents: Shapes
    """Of its fan-out."""
    models: tuple[str, ...]
    unknown: _Unknown
    """Attempts whose cost is not known."""
    multiplier: tuple[float | None, float | None]
    """In tokens and in dollars; None where it was not measured."""
    quality: tuple[float, int] | None
    """Mean score of its rows that have a label, and their number; None where none has."""


def _run(directory: Path, judge: Judge) -> _Run:
    """Read a run.

    Raises:
        RunDirectoryError: It cannot be read.
        UsageError: The score cannot be used.
    """
    check_entries(directory)
    summary = _summary(directory)
    try:
        with peeking(directory) as db:
            agents = agents_of(db, "fanout")
            return _Run(
                directory=directory,
                summary=summary,
                agents=agents,
                models=tuple(sorted({agent["model"] for agent in agents.values()})),
                unknown=summary.attempts_of_unknown_cost or _unknown(db),
                multiplier=_multiplier(summary.multiplier, db),
                quality=judge.quality(db),
            )
    except SpecError as error:  # the scoring fails: everybody's mistake, and the run says where
        mistakes = [replace(mistake, message=f"{typed(directory)}, {mistake.message}") for mistake in error.mistakes]
        raise type(error)(tuple(mistakes), error.subject) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"{type(error).__name__}: {error}"
        raise RunDirectoryError(f"{JOURNAL} does not hold what a run keeps ({what})") from None


def _unknown(db: Book) -> _Unknown:
    """Return how many attempts of each side have a cost that is not known."""
    return _Unknown(fanout=totals(db, "fanout").unknown, baseline=totals(db, "baseline").unknown)


def _multiplier(kept: _Multiplier | None, db: Book) -> tuple[float | None, float | None]:
    """Return a run's multiplier in tokens and in dollars, counted anew where its file has another figure."""
    if kept is None:
        return None, None
    if kept.tokens.ratio is None or kept.usd.ratio is None:
        measured = multiplier(db)
        return (None, None) if measured is None else (measured.tokens.ratio, measured.usd.ratio)
    return kept.tokens.ratio, kept.usd.ratio


def _summary(directory: Path) -> _Summary:
    file = directory / "summary.json"
    try:
        return _Summary.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        name = typed(directory)
        how = f"`fanwise resume {name}` writes it, `fanwise status {name}` tells how far the run is"
        raise RunDirectoryError(f"it has no {file.name}: {how}") from None
    except OSError as error:
        raise RunDirectoryError(f"{file.name} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))
        what = f"{place}: {first['msg']}" if place else first["msg"]
        raise RunDirectoryError(f"{file.name} is no summary of a run in format {FORMAT}: {what}") from None


# Runs beside each other ----------------------------------------------------------------------------


def _in_order(runs: list[_Run]) -> Iterator[PastRun]:
    """Yield runs by the time when they began, each with what was changed since the one of the same graph before."""
    last_of_graph: dict[str, _Run] = {}
    for run in sorted(runs, key=lambda run: run.summary.created or ""):
        before = last_of_graph.get(run.summary.graph_name)
        yield _past_run(run, {} if before is None else changed_agents(before.agents, run.agents))
        last_of_graph[run.summary.graph_name] = run


def _past_run(run: _Run, changed: Mapping[str, Any]) -> PastRun:
    summary, (in_tokens, in_usd) = run.summary, run.multiplier
    mean_score, labelled_rows = run.quality or (None, 0)
    return PastRun(
        directory=str(run.directory),
        created=summary.created,
        graph=summary.graph_name,
        models=run.models,
        changed=dict(changed),
        rows=summary.rows.read,
        success=summary.rows.succeeded / max(summary.rows.read, 1),
        quality=mean_score,
        labelled_rows=labelled_rows,
        cache_read=read_share(summary.tokens.fanout.model_dump()),
        cost_per_successful_row_usd=summary.cost_per_successful_row_usd,
        cost_usd=summary.cost_usd,
        fanout_attempts_of_unknown_cost=run.unknown.fanout,
        attempts_of_unknown_cost=run.unknown.fanout + run.unknown.baseline,
        multiplier_tokens=in_tokens,
        multiplier_usd=in_usd,
        offline=summary.offline,
    )
