"""What is right, by row, and how right an output is."""

from __future__ import annotations

import inspect
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any, cast

from fanwise.engine.load import load_function
from fanwise.engine.rows import Format, read
from fanwise.errors import Mistake, ScoringError, SpecError, UsageError
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.jsonable import as_object
from fanwise.ledger.outcomes import row_outputs

from .checking import Mistakes

Score = Callable[[Any, Any], float]
"""Returns how right an output is, 0 to 1, from the output as JSON data (a model's as a dict by field) and its label.

It is called with these two by position, once for each side of a row that has an output and a label, and once before
anything is paid, with what the stand-ins make of a row. What it raises ends the comparison, and the answers are kept.
"""
ROUNDING = 1e-9
"""How far a score may lie beyond its bounds: a mean of floats may."""
NAMED = 5
"""Outputs that are named where a scoring function fails."""


def check_labels(mistakes: Mistakes, labels: object, score: object) -> None:
    """Add what is wrong with labels before any is read: they are no name, or there is a score and nothing to score by.

    Args:
        mistakes: Where it is added.
        labels: A field of the rows, or a file; None: there are none.
        score: Holds an output against its label; None: nothing was chosen.
    """
    if labels is None:
        if score is not None:
            mistakes.add("score", "there are no labels that it could hold outputs against", "give labels too")
    elif not isinstance(labels, str | Path) or not str(labels):
        mistakes.add("labels", f"{labels!r} is no name", "name a field of the rows, or a JSONL file")


def labels_of(labels: str | Path, rows: Path, form: Format, id_field: str | None) -> dict[str, Any]:
    """Return labels by row id.

    Args:
        labels: A field of the rows, or a JSONL file with an `id` on every line; `category=label` where an output has
            fields: the field of the output, and that of the rows which says what it should be.
        rows: The rows file.
        form: Its format.
        id_field: Field with the row's id.

    Raises:
        SpecError: There is no such field, or the file is none of labels.
    """
    file, id_name = Path(labels), id_field or "id"
    if os.path.isfile(file):  # not of pathlib, which raises where a field has a name that no file could have
        by_id = _labels_of_file(file, id_name)
        message, hint = f"no line of {labels} has a label", f'write lines like {{"{id_name}": "a", "label": "yes"}}'
    else:
        by_id = _labels_of_fields(str(labels), _records(rows, form, id_name))
        message = f"{str(labels)!r} is no file, and no row of {rows} has a field of that name"
        hint = "name one of the two"
    if not by_id:
        raise SpecError((Mistake("labels", message, hint),))
    return by_id


def _labels_of_fields(name: str, records: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """Return labels that are fields of the rows: one, or `category=label,urgency=other` where outputs have fields."""
    if "=" not in name:
        return {row_id: data[name] for row_id, data in records if name in data}
    pairs = [part.partition("=")[::2] for part in name.split(",")]
    fields = {field.strip(): of.strip() for field, of in pairs}
    labels = {row_id: {field: data[of] for field, of in fields.items() if of in data} for row_id, data in records}
    return {row_id: label for row_id, label in labels.items() if label}


def _labels_of_file(file: Path, id_name: str) -> dict[str, Any]:
    if not file.stat().st_size:
        return {}
    labels = {row_id: _label(data, id_name) for row_id, data in _records(file, "jsonl", id_name)}
    return {row_id: label for row_id, label in labels.items() if label != {}}


def _records(file: Path, form: Format, id_name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the records that can be read, each with its id, else its number."""
    for record in read(file, form):
        if record.data is not None:
            yield str(record.data.get(id_name, record.number)), record.data


def _label(data: Mapping[str, Any], id_name: str) -> Any:
    """Return what stands beside the id on a line of labels: a value, or an object where it is more than one."""
    values = {name: value for name, value in data.items() if name != id_name}
    return next(iter(values.values())) if len(values) == 1 else values


def scorer(score: str | Score | None) -> Score:
    """Return a scoring function.

    Args:
        score: The function, or its reference `path/file.py:name`; None: equality.

    Raises:
        UsageError: There is no such function, or it cannot be called with an output and its label.
    """
    if score is None:
        return equal
    if isinstance(score, str):
        function = cast("Score", load_function(score))
    elif callable(score):
        function = score
    else:
        raise UsageError(f"{score!r} is no function; give one, or its reference path/file.py:name")
    if inspect.iscoroutinefunction(function):
        raise UsageError(f"{_name(function)} is asynchronous; write it with `def`")
    try:
        inspect.signature(function).bind(None, None)
    except TypeError as error:
        raise UsageError(f"{_name(function)} cannot be called with an output and its label: {error}") from None
    except ValueError:
        pass  # a function of C that does not say what it takes
    return function


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", repr(function))


def equal(output: Any, label: Any) -> float:
    """Return 1 where an output is its label, or the share of a label's fields that it has right."""
    label_fields, output_fields = as_object(label), as_object(output)
    if label_fields and output_fields:
        return fmean(equal(output_fields.get(name), value) for name, value in label_fields.items())
    return float(str(output).strip().casefold() == str(label).strip().casefold())


# How right the rows of a run are -------------------------------------------------------------------

RowOutputs = tuple[str, dict[ArmName, str | None]]
"""A row's id, and by arm its output as JSON; None where the row has failed there."""


def outputs_by_row(db: Book) -> dict[int, RowOutputs]:
    """Return what the rows of a run that have ended came to, by number."""
    outputs: dict[int, RowOutputs] = {}
    for row in row_outputs(db):
        outputs.setdefault(row.row, (row.row_id, {}))[1][row.arm] = row.output
    return outputs


@dataclass(slots=True)
class Scoring:
    """Scores the outputs of a run, and keeps what went wrong: a function that fails on one row is asked for all."""

    labels: Mapping[str, Any]
    """By the row's id."""
    score: Score
    mistakes: list[Mistake] = field(default_factory=list[Mistake])

    def of(self, row_id: str, output: str | None) -> float:
        """Return how right an output is, 0 to 1; a row that failed scores 0: what it should have said is missing.

        Args:
            row_id: Its row, which has a label.
            output: As JSON; None: the row has failed.
        """
        if output is None:
            return 0.0
        label = self.labels[row_id]
        try:
            value: Any = self.score(json.loads(output), label)
        except Exception as error:  # the user's own code
            self._add(row_id, output, f"raised {type(error).__name__}: {error}")
            return 0.0
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not -ROUNDING <= number <= 1 + ROUNDING:
            self._add(row_id, output, f"returned {_short(repr(value))}, which is no number from 0 to 1")
            return 0.0
        return min(max(number, 0.0), 1.0)

    def check(self, subject: str = "the scoring") -> None:
        """Refuse scores that are none.

        Args:
            subject: What has the mistakes, for the message.

        Raises:
            ScoringError: The function has failed; the first rows are named.
        """
        left = len(self.mistakes) - NAMED
        if left > 0:
            self.mistakes[NAMED:] = [Mistake("score", f"so it did for {left:,} more outputs")]
        if self.mistakes:
            raise ScoringError(tuple(self.mistakes), subject)

    def _add(self, row_id: str, output: str, what: str) -> None:
        label = _short(json.dumps(self.labels[row_id], ensure_ascii=False, default=repr))
        message = f"row {row_id!r}: {_name(self.score)} {what}, for output {_short(output)} and label {label}"
        self.mistakes.append(Mistake("score", message))


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."


def quality(db: Book, labels: Mapping[str, Any], score: Score) -> tuple[float, int] | None:
    """Return the mean score of the fan-out's rows that have a label, and how many these are; None where none has.

    Raises:
        SpecError: The function fails on a row, or returns no number from 0 to 1.
    """
    scoring = Scoring(labels, score)
    scores = [
        scoring.of(row_id, by_arm["fanout"])
        for row_id, by_arm in outputs_by_row(db).values()
        if row_id in labels and "fanout" in by_arm
    ]
    scoring.check()
    return (fmean(scores), len(scores)) if scores else None
