"""Runs beside each other, the oldest first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fanwise.errors import UsageError
from fanwise.job.directory import peeking
from fanwise.job.manifest import Manifest
from fanwise.journal.meta import AGENTS
from fanwise.ledger.changes import changed_words, changes
from fanwise.ledger.history import PastRun
from fanwise.ledger.summary import read_share

from .labels import Score, labels_of, quality, scorer


def history(*folders: str | Path, labels: str | Path | None = None, score: str | Score | None = None) -> list[PastRun]:
    """Return the runs in folders, by the time when they began; nothing of them is changed.

    Args:
        *folders: Run directories, or folders that hold some; without any, the current one.
        labels: What is right: a field of the rows, or a JSONL file with an `id` on every line; None: no quality is
            told.
        score: A function, or its reference `path/file.py:name`, that returns 0 to 1 for an output and its label;
            None: equality.

    Raises:
        UsageError: A folder does not exist, none holds a run, or labels or score cannot be used.
    """
    runs = sorted(_runs(folders or (".",)), key=lambda run: str(run.summary.get("created") or ""))
    if not runs:
        places = ", ".join(map(str, folders)) or "this folder"
        raise UsageError(f"there is no run in {places}: none has a summary.json")
    score_of = scorer(score)
    last_of_graph: dict[str, _Run] = {}
    past: list[PastRun] = []
    for run in runs:
        quality_of_run = None if labels is None else _quality(run, labels, score_of)
        past.append(_past_run(run, last_of_graph.get(run.graph), quality_of_run))
        last_of_graph[run.graph] = run
    return past


@dataclass(frozen=True, slots=True)
class _Run:
    path: Path
    summary: dict[str, Any]

    @property
    def graph(self) -> str:
        """Name of its graph, without its file."""
        return str(self.summary["graph"] or "").rpartition(":")[2]


def _runs(folders: tuple[str | Path, ...]) -> Iterator[_Run]:
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise UsageError(f"there is no folder {str(folder)!r}")
        for file in (folder / "summary.json", *sorted(folder.glob("*/summary.json"))):
            if (file.parent / "journal.db").is_file() and file.is_file():
                yield _Run(file.parent, json.loads(file.read_text(encoding="utf-8")))


def _past_run(run: _Run, before: _Run | None, quality_of_run: tuple[float, int] | None) -> PastRun:
    """Return a run as a line of a history, with what was changed since the run of the same graph before."""
    summary, multiplier = run.summary, run.summary["multiplier"]
    with peeking(run.path) as db:
        agents = AGENTS.of(db).get("fanout", {})
    mean_score, labelled_rows = quality_of_run or (None, 0)
    return PastRun(
        directory=str(run.path),
        created=summary.get("created"),
        graph=run.graph,
        models=tuple(sorted({agent["model"] for agent in agents.values()})),
        changed={} if before is None else _changed(before, run),
        rows=summary["rows"]["read"],
        success=summary["rows"]["succeeded"] / max(summary["rows"]["read"], 1),
        quality=mean_score,
        labelled_rows=labelled_rows,
        cache_read=read_share(summary["tokens"]["fanout"]),
        cost_per_successful_row_usd=summary["cost_per_successful_row_usd"],
        cost_usd=summary["cost_usd"],
        multiplier_tokens=None if multiplier is None else multiplier["tokens"]["mean"],
        multiplier_usd=None if multiplier is None else multiplier["usd"]["mean"],
        offline=summary["offline"],
    )


def _changed(before: _Run, after: _Run) -> dict[str, list[str]]:
    """Return by agent, in words, what was changed between two runs; without those of which nothing was."""
    with peeking(before.path) as old, peeking(after.path) as new:
        return {change.agent: changed_words(change) for change in changes(old, new) if change.changed}


def _quality(run: _Run, labels: str | Path, score: Score) -> tuple[float, int] | None:
    """Return the mean score of a run's labelled rows and their number; None where none has a label."""
    with peeking(run.path) as db:
        manifest = Manifest.of(db)
        by_row = labels_of(labels, manifest.rows, manifest.format, manifest.spec.id_field)
        return quality(db, by_row, score)
