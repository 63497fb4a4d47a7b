"""How right the outputs of a run are, held against labels: equal to them, or as a scorer says."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from fanwise.engine.rows import Row
from fanwise.errors import Mistake, OutputError, RunDirectoryError, ScoringError
from fanwise.foreign import let_through, reason, shown
from fanwise.graph.kinds import RecordKind, UnionKind, kind_of
from fanwise.graph.nodes import GraphSpec
from fanwise.graph.revive import revive
from fanwise.graph.types import name as type_name
from fanwise.graph.types import unclear
from fanwise.job.manifest import Manifest
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.jsonable import as_object
from fanwise.ledger.outcomes import row_outputs, rows_numbered

from .scorer import Scorer, scorer_name

ROUNDING = 1e-9
"""How far a score may lie beyond its bounds: a mean of floats may."""
NAMED = 5
"""Outputs that are named where a scorer fails."""


def equal(output: Any, label: Any, of: Any = Any) -> float:
    """Return 1 where an output is its label, or the share of a label's fields that it has right.

    Args:
        output: As JSON data.
        label: Likewise.
        of: The type of the output, where it is known: what it calls equal is equal, such as decimals of 1.0 and 1.00.
    """
    label_fields, output_fields = as_object(label), as_object(output)
    if label_fields and output_fields:
        types = _field_types(of)
        parts = ((output_fields.get(name), value, types.get(name, Any)) for name, value in label_fields.items())
        return fmean(equal(*part) for part in parts)
    return float(_is_written_alike(output, label) or _is_same(output, label, of))


def _field_types(of: Any) -> Mapping[str, Any]:
    """Return the types of a record's fields by name; none where it is no record, or one of several."""
    kind = kind_of(of)
    kinds = [kind_of(member) for member in kind.members] if isinstance(kind, UnionKind) else [kind]
    records = [kind.fields for kind in kinds if isinstance(kind, RecordKind)]
    return records[0] if len(records) == 1 else {}


def _is_same(output: Any, label: Any, of: Any) -> bool:
    """Return whether an output and its label are equal as values of a type; what is none of it is equal to nothing."""
    if unclear(of):
        return False
    try:
        return bool(revive(of, output) == revive(of, label))
    except OutputError:
        return False
    except BaseException as error:  # of an `__eq__`, which is users' code
        let_through(error)
        return False


def _is_written_alike(output: Any, label: Any) -> bool:
    """Return whether an output and its label are the same number, or the same text but for case and space around."""
    if type(output) in (int, float):  # as numbers: 1 is 1.0, whoever wrote the labels
        try:
            return output == float(label)
        except (TypeError, ValueError, OverflowError):
            return False
    return str(output).strip().casefold() == str(label).strip().casefold()


# What a run holds ----------------------------------------------------------------------------------

RowOutputs = tuple[str, dict[ArmName, str | None]]
"""A row's id, and by arm its output as JSON; None where the row has failed there."""


def outputs_by_row(db: Book, *, scored: bool) -> dict[int, RowOutputs]:
    """Return what the rows of a run that have ended came to, by number.

    Args:
        db: Its journal.
        scored: Whether they are held against labels.

    Raises:
        RunDirectoryError: They are, and were purged: what is not there any more is not wrong.
    """
    outputs: dict[int, RowOutputs] = {}
    for row in row_outputs(db):
        if scored and row.output is None and row.status != "failed":
            raise RunDirectoryError("its content was purged: there is no output that labels could be held against")
        outputs.setdefault(row.row, (row.row_id, {}))[1][row.arm] = row.output
    return outputs


@dataclass(frozen=True, slots=True)
class Scored:
    """What a scorer is given of a run."""

    graph: GraphSpec
    """What the outputs are of."""
    rows: Mapping[int, Any]
    """What the graph took, by number."""

    @classmethod
    def of_run(cls, db: Book, graph: GraphSpec, outputs: Mapping[int, RowOutputs], labels: Mapping[str, Any]) -> Scored:
        """Return what a scorer is given of the rows of a run that have a label; the rows file is read once.

        Args:
            db: Its journal.
            graph: Its fan-out.
            outputs: Of its rows that have ended.
            labels: By the row's id.

        Raises:
            RunDirectoryError: A row is not in its file any more as it was when it ran.
            UsageError: The file is gone.
        """
        manifest = Manifest.of(db)
        types, rows = manifest.row_types(graph), dict[int, Any]()
        ran = rows_numbered(db, [number for number, (row_id, _) in outputs.items() if row_id in labels])
        for record in manifest.records() if ran else ():
            if record.number in ran:
                row = types.check(record)
                if isinstance(row, Row) and row.hash == ran[record.number].hash:
                    rows[record.number] = row_value(row)
        gone = [row.row_id for number, row in ran.items() if number not in rows]
        if gone:
            raise RunDirectoryError(f"row {gone[0]!r} is not in {manifest.rows} any more as it was when it ran")
        return cls(graph, rows)

    def output(self, row_id: str, text: str) -> Any:
        """Return an output as an object of the type that the graph returns.

        Raises:
            RunDirectoryError: It is of another graph, or of this one before it was edited.
        """
        try:
            return revive(self.graph.output_type, json.loads(text))
        except OutputError as error:
            what = f"the output of row {row_id!r} is no {type_name(self.graph.output_type)}, which graph"
            raise RunDirectoryError(f"{what} {self.graph.name!r} returns: {error}") from None


def row_value(row: Row) -> Any:
    """Return what a graph took of a row: a value, or where it takes several a dict of them by name."""
    values = list(row.arguments.values())
    return values[0] if len(values) == 1 else row.arguments


# How right it is -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Scoring:
    """Scores the outputs of a run, and keeps what went wrong: a scorer that fails on one row is asked for all."""

    labels: Mapping[str, Any]
    """By the row's id."""
    score: tuple[Scorer[Any, Any, Any], Scored] | None
    """A scorer, with what it is given; None: equality."""
    mistakes: list[Mistake] = field(default_factory=list[Mistake])

    def of(self, row: int, row_id: str, output: str | None, output_type: Any = Any) -> float:
        """Return how right an output is, 0 to 1; a row that failed scores 0: what it should have said is missing.

        Args:
            row: Number of its row.
            row_id: The row's id, which has a label.
            output: As JSON; None: the row has failed.
            output_type: Its type, or one whose values are equal where its are: equality is that of its values.

        Raises:
            RunDirectoryError: It is none of the graph.
        """
        if output is None:
            return 0.0
        if self.score is None:
            return equal(json.loads(output), self.labels[row_id], output_type)
        scorer, scored = self.score
        value = scored.output(row_id, output)
        return self._of(row_id, output, scorer, lambda: scorer(value, scored.rows[row], self.labels[row_id]))

    def _of(self, row_id: str, output: str, scorer: Scorer[Any, Any, Any], score: Callable[[], Any]) -> float:
        """Return what a scorer says, 0 where that is no score."""
        try:
            value = score()
        except BaseException as error:  # the user's own code
            let_through(error)
            self._add(row_id, output, f"{scorer_name(scorer)} raised {reason(error)}")
            return 0.0
        try:
            number = float(value)
        except BaseException as error:  # such as of its `__float__`
            let_through(error)
            number = math.nan
        if not -ROUNDING <= number <= 1 + ROUNDING:
            what = f"{scorer_name(scorer)} returned {_short(shown(value))}, which is no number from 0 to 1"
            self._add(row_id, output, what)
            return 0.0
        return min(max(number, 0.0), 1.0)

    def check(self, subject: str = "the scoring") -> None:
        """Refuse scores that are none.

        Args:
            subject: What has the mistakes, for the message.

        Raises:
            ScoringError: The scorer has failed; the first rows are named.
        """
        left = len(self.mistakes) - NAMED
        if left > 0:
            self.mistakes[NAMED:] = [Mistake("score", f"so it did for {left:,} more outputs")]
        if self.mistakes:
            raise ScoringError(tuple(self.mistakes), subject)

    def _add(self, row_id: str, output: str, what: str) -> None:
        label = _short(json.dumps(self.labels[row_id], ensure_ascii=False, default=repr))
        message = f"row {row_id!r}: {what}, for output {_short(output)} and label {label}"
        if not any(mistake.message == message for mistake in self.mistakes):  # both sides may have said the same
            self.mistakes.append(Mistake("score", message))


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
