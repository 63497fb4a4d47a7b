"""What is right, by row, and how right an output is."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any, cast

from fanwise.engine.rows import Format, read
from fanwise.errors import UsageError
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName
from fanwise.jsonable import as_object
from fanwise.ledger.outcomes import row_outputs

Score = Callable[[Any, Any], float]
"""Returns how right an output is, 0 to 1, from the output as JSON data and its label."""


def labels_of(labels: str | Path, rows: Path, form: Format, id_field: str | None) -> dict[str, Any]:
    """Return labels by row id.

    Args:
        labels: A field of the rows, or a JSONL file with an `id` on every line.
        rows: The rows file.
        form: Its format.
        id_field: Field with the row's id.

    Raises:
        UsageError: There is no such field, or the file is none of labels.
    """
    file, id_name = Path(labels), id_field or "id"
    if file.is_file():
        by_id = {row_id: _label(data, id_name) for row_id, data in _records(file, "jsonl", id_name)}
    else:
        field = str(labels)
        by_id = {row_id: data[field] for row_id, data in _records(rows, form, id_name) if field in data}
    if not by_id:
        raise UsageError(f"--labels {labels}: it is no file, and no row has a field of that name")
    return by_id


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
        UsageError: There is no such function.
    """
    if score is None:
        return equal
    if callable(score):
        return score
    place, _, name = score.rpartition(":")
    spec = importlib.util.spec_from_file_location("_fanwise_score", place) if Path(place).is_file() else None
    if spec is None or spec.loader is None:
        raise UsageError(f"--score {score!r} names no function; write path/file.py:name")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function = getattr(module, name, None)
    if not callable(function):
        raise UsageError(f"there is no function {name!r} in {place}")
    return cast("Score", function)


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


def score_of(output: str | None, label: Any, score: Score) -> float:
    """Return how right an output is, 0 to 1; a row that failed scores 0: what it should have said is missing."""
    return 0.0 if output is None else min(max(float(score(json.loads(output), label)), 0.0), 1.0)


def quality(db: Book, labels: Mapping[str, Any], score: Score) -> tuple[float, int] | None:
    """Return the mean score of the fan-out's rows that have a label, and how many these are; None where none has."""
    scores = [
        score_of(by_arm["fanout"], labels[row_id], score)
        for row_id, by_arm in outputs_by_row(db).values()
        if row_id in labels and "fanout" in by_arm
    ]
    return (fmean(scores), len(scores)) if scores else None
