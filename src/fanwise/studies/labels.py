"""What is right, by row: a field of the rows, or a file of labels. A label that is null is none."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fanwise.engine.records import RowsFile
from fanwise.engine.rows import Row, row_id_of
from fanwise.engine.rowsfile import read
from fanwise.errors import Mistake, SpecError
from fanwise.graph.nodes import GraphSpec
from fanwise.job.manifest import Manifest
from fanwise.journal.records import ArmName
from fanwise.jsonable import as_object
from fanwise.paths import fixed_if_file, typed

from .checking import Mistakes


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


def fixed_labels(labels: str | Path) -> str | Path:
    """Return the name of labels with the paths of its files fixed: code that is loaded may change the folder."""
    if isinstance(labels, Path) or os.path.isfile(labels) or "=" not in labels:
        return fixed_if_file(labels)
    pairs = [part.partition("=")[::2] for part in labels.split(",")]
    return ",".join(f"{field}={fixed_if_file(of.strip())}" for field, of in pairs)


def labels_of(labels: str | Path, rows: RowsFile, id_field: str | None) -> dict[str, Any]:
    """Return labels by row id.

    Args:
        labels: A field of the rows, or a JSONL file with an `id` on every line; `category=label` where an output has
            fields: the field of the output, and that of the rows which says what it should be, or a file that does.
        rows: The rows file.
        id_field: Field with the row's id.

    Raises:
        SpecError: There is no such field, or the file is none of labels.
    """
    file, id_name = Path(labels), id_field or "id"
    if os.path.isfile(file):  # not of pathlib, which raises where a field has a name that no file could have
        by_id = _labels_of_file(file, id_name)
        message, hint = (
            f"no line of {typed(labels)} has a label",
            f'write lines like {{"{id_name}": "a", "label": "yes"}}',
        )
    else:
        by_id = _labels_of_fields(str(labels), rows, id_name)
        message = f"{str(labels)!r} is no file, and no row of {typed(rows.path)} has a field of that name"
        hint = "name one of the two"
    if not by_id:
        raise SpecError((Mistake("labels", message, hint),))
    return by_id


def labelled_rows(manifest: Manifest, graphs: Mapping[ArmName, GraphSpec], labels: Mapping[str, Any]) -> int:
    """Return how many rows of a job have a label.

    Args:
        manifest: Of its run.
        graphs: The graph of each arm.
        labels: By the row's id.
    """
    rows = map(manifest.row_types(graphs["fanout"]).check, manifest.records())
    return len({row.row_id for row in rows if isinstance(row, Row) and row.row_id in labels})


def id_in(data: Mapping[str, Any], id_name: str, number: int) -> str:
    """Return the id of the row that a record makes.

    Args:
        data: The record.
        id_name: Field with the id.
        number: Of its line or record.
    """
    return row_id_of(number, data.get(id_name))


def _labels_of_fields(name: str, rows: RowsFile, id_name: str) -> dict[str, Any]:
    """Return labels that are fields of the rows: one, or `category=label,urgency=other` where outputs have fields.

    A field of an output may have a file in place of the field that says what it should be.
    """
    if "=" not in name:
        return _labels_in_rows(name, rows, id_name)
    labels: dict[str, dict[str, Any]] = {}
    for field, of in (part.partition("=")[::2] for part in name.split(",")):
        field, of = field.strip(), of.strip()
        is_file = os.path.isfile(of)
        by_id = _labels_of_file(Path(of), id_name) if is_file else _labels_in_rows(of, rows, id_name)
        for row_id, label in by_id.items():
            fields = as_object(label) if is_file else {}
            labels.setdefault(row_id, {})[field] = fields.get(field, label)
    return dict(labels)


def _labels_in_rows(name: str, rows: RowsFile, id_name: str) -> dict[str, Any]:
    """Return by row id what a field of the rows has; an empty cell of a CSV has nothing."""
    none = (None, "") if rows.format == "csv" else (None,)
    labels = {id_in(data, id_name, number): data.get(name) for number, data in _records(rows)}
    return {row_id: label for row_id, label in labels.items() if label not in none}


def _labels_of_file(file: Path, id_name: str) -> dict[str, Any]:
    if not file.stat().st_size:
        return {}
    labels = {
        row_id_of(number, None) if data.get(id_name) is None else str(data[id_name]): _label(data, id_name)
        for number, data in _records(RowsFile(file, "jsonl"))
    }
    return {row_id: label for row_id, label in labels.items() if label is not None}


def _records(file: RowsFile) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the records that can be read, each with its number."""
    for record in read(file):
        if record.data is not None:
            yield record.number, record.data


def _label(data: Mapping[str, Any], id_name: str) -> Any:
    """Return what stands beside the id on a line of labels: a value, or an object where it is more than one."""
    values = {name: value for name, value in data.items() if name != id_name}
    if len(values) == 1:
        return next(iter(values.values()))
    return {name: value for name, value in values.items() if value is not None} or None
