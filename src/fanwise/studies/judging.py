"""How right the rows of past runs were: by labels alone, or by a scorer and the graph that was named for it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from fanwise.errors import Mistake, RunDirectoryError, SpecError, UsageError
from fanwise.graph.graphs import Graph
from fanwise.graph.likeness import type_alike
from fanwise.job.arms import graph_of, reference_of
from fanwise.job.directory import peeking
from fanwise.job.entries import JOURNAL
from fanwise.job.manifest import Manifest
from fanwise.journal.reader import Book
from fanwise.ledger.standing import likeness_of_outputs
from fanwise.paths import fixed_reference

from .checking import Mistakes
from .labels import check_labels, fixed_labels, labels_of
from .scorer import Scorer, scorer
from .scoring import Scored, Scoring, outputs_by_row


def run_directories(folders: Sequence[str | Path]) -> Iterator[Path]:
    """Yield folders that hold a run, each once.

    Raises:
        UsageError: A folder does not exist.
    """
    seen: set[Path] = set()
    for folder in map(Path, folders):
        if not os.path.isdir(folder):
            raise UsageError(f"there is no folder {str(folder)!r}")
        for journal in (folder / JOURNAL, *sorted(folder.glob(f"*/{JOURNAL}"))):
            if os.path.exists(journal) and journal.resolve() not in seen:
                seen.add(journal.resolve())
                yield journal.parent


@dataclass(slots=True, kw_only=True)
class Judge:
    """Says how right the rows of runs were."""

    labels: str | Path | None
    score: Scorer[Any, Any, Any] | None
    """None: an output is right where it is its label."""
    graph: Graph[..., Any] | None
    """What a scorer is given objects of."""
    graph_name: str
    """As its file has it; runs of others are not scored by a scorer."""
    others: set[str] = field(default_factory=set[str])
    """Graphs of runs that were not scored, since they are others."""
    refusals: list[UsageError] = field(default_factory=list[UsageError])
    """Why runs have no labels."""
    labelled: bool = False
    """Whether a run has some."""

    def quality(self, db: Book) -> tuple[float, int] | None:
        """Return the mean score of a run's labelled rows and their number; None where none has a label.

        Raises:
            RunDirectoryError: The run has no manifest, or what it was to be scored by is gone.
            UsageError: The score cannot be used.
        """
        if self.labels is None:
            return None
        manifest = _manifest(db)
        if self.graph is not None and manifest.graph.rpartition(":")[2] != self.graph_name:
            self.others.add(manifest.graph)
            return None
        if not os.path.isfile(self.labels) and not manifest.rows.is_file():
            raise RunDirectoryError(f"its rows file {manifest.rows} is gone, which had the labels")
        try:
            labels = labels_of(self.labels, manifest.rows_file, manifest.spec.id_field)
        except UsageError as error:
            self.refusals.append(error)
            return None
        self.labelled = True
        return self._scored(db, manifest, labels)

    def _scored(self, db: Book, manifest: Manifest, labels: Mapping[str, Any]) -> tuple[float, int] | None:
        outputs = {
            row: (row_id, by_arm)
            for row, (row_id, by_arm) in outputs_by_row(db, scored=True).items()
            if row_id in labels and "fanout" in by_arm
        }
        scored = None
        if self.score is not None and self.graph is not None:
            if not manifest.rows.is_file():
                raise RunDirectoryError(f"its rows file {manifest.rows} is gone, which a scorer is given the rows of")
            scored = self.score, Scored.of_run(db, self.graph.spec, outputs, labels)
        scoring = Scoring(labels, scored)
        of = type_alike(likeness_of_outputs(db))
        scores = [scoring.of(row, row_id, by_arm["fanout"], of) for row, (row_id, by_arm) in outputs.items()]
        scoring.check()
        return (fmean(scores), len(scores)) if scores else None

    def check(self) -> None:
        """Refuse labels that no run has, and a graph that none is of.

        Raises:
            UsageError: There are none, or none is.
        """
        if self.labelled:
            return
        if self.refusals:
            raise self.refusals[0]
        if self.others:
            message = f"no run is of {self.graph_name!r}: they are of {', '.join(sorted(self.others))}"
            raise SpecError((Mistake("graph", message, "name the graph of the runs"),))


def judge_of(
    folders: Sequence[str | Path], labels: str | Path | None, score: object, graph: Graph[..., Any] | str | None
) -> Judge:
    """Return what scores the runs in folders.

    Raises:
        UsageError: Labels, score or graph cannot be used, or there is a score and no graph.
    """
    mistakes, score_of, traced = Mistakes(), None, None
    check_labels(mistakes, labels, score)
    file = fixed_labels(labels) if isinstance(labels, str | Path) else labels  # before any code is loaded
    reference = fixed_reference(score) if isinstance(score, str) else score
    if isinstance(graph, Graph | str):
        with mistakes.of("graph"):
            traced = graph_of(graph)
            traced.spec  # noqa: B018 - traced here, so that its mistakes are told with the others
    elif graph is not None:
        mistakes.add("graph", f"{graph!r} is no graph", "give one, or its reference path/file.py:name")
    if graph is not None and score is None:
        mistakes.add(
            "graph", "nothing is scored by a function, and no graph is needed", "leave it out, or give a score"
        )
    with mistakes.of("score"):
        score_of = scorer(reference, None if traced is None or not mistakes.is_free_of("graph") else traced.spec)
    if score is not None and graph is None:
        what = "a scorer is given objects of the graph, and no graph is imported that is not named"
        mistakes.add("graph", what, f"write {_line(folders, labels, score)}")
    graph_name = "" if traced is None else reference_of(graph if isinstance(graph, str) else traced).rpartition(":")[2]
    return mistakes.refused_or(Judge(labels=file, score=score_of, graph=traced, graph_name=graph_name))


def _line(folders: Sequence[str | Path], labels: object, score: object) -> str:
    """Return how the graph is named that the runs in folders record: it is printed, and imported by nobody."""
    reference = "FILE.py:NAME"
    with suppress(UsageError):
        for directory in run_directories(folders):
            with peeking(directory) as db:
                reference = Manifest.of(db).graph
            break
    if not isinstance(score, str):
        return f"graph={reference!r}"
    words = ["fanwise", "history", *map(str, folders), "--labels", str(labels), "--score", score, "--graph", reference]
    return f"`{shlex.join(words)}`"


def _manifest(db: Book) -> Manifest:
    try:
        return Manifest.of(db)
    except SpecError as error:  # kept by a version that took what this one refuses
        raise RunDirectoryError(f"its manifest cannot be used: {error}") from None
