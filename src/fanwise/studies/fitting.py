"""Whether labels can be what an output says, and whether a score can be had of one: seen before anything is paid."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from fanwise.canonical import dumps, plain
from fanwise.engine.rows import Record, Row, RowTypes
from fanwise.errors import FanwiseError
from fanwise.graph.nodes import GraphSpec
from fanwise.graph.rehearse import rehearse
from fanwise.graph.types import RecordKind, kind_of
from fanwise.jsonable import as_object

from .labels import Score, Scoring


def check_fit(labels: Mapping[str, Any], output: Any) -> tuple[str, str] | None:
    """Return what is wrong with the first label that no output can equal, and what to do; None where all can be right.

    Args:
        labels: By the row's id.
        output: The type of the outputs.
    """
    for row_id, label in labels.items():
        for what, hint in _misfits(label, output):
            return f"the label of row {row_id!r} {what}", hint
    return None


def _misfits(label: Any, output: Any) -> Iterator[tuple[str, str]]:
    kind, fields = kind_of(output), as_object(label)
    if isinstance(kind, RecordKind):
        names = ", ".join(kind.fields)
        if not isinstance(label, Mapping):
            example = f"{next(iter(kind.fields), 'field')}=label"
            yield (
                f"is {label!r}, and an output has fields: {names}",
                f"say of which it is, like {example}, or give a score",
            )
            return
        unknown = [name for name in fields if name not in kind.fields]
        if unknown:
            yield f"has a field {unknown[0]!r} that no output has", f"outputs have {names}"
        for name, value in fields.items():
            if name in kind.fields:
                yield from _misfits(value, kind.fields[name])
        return
    words = _words(output)
    if words and str(label).strip().casefold() not in [word.casefold() for word in words]:
        yield f"is {label!r}, and an output is one of {', '.join(words)}", "write one of them, or give a score"


def _words(output: Any) -> list[str]:
    """Return the values that a type has, as they are compared; none where they are not listed."""
    if get_origin(output) is Literal:
        return [str(value) for value in get_args(output)]
    if isinstance(output, type) and issubclass(output, enum.Enum):
        return [str(member.value) for member in output]
    return []


def check_score(
    graph: GraphSpec,
    rows: Mapping[int, Mapping[str, Any]],
    labels: Mapping[str, Any],
    score: Score,
    id_field: str | None,
) -> None:
    """Try a score on what the stand-ins make of the first row that has a label.

    Args:
        graph: Of the fan-out.
        rows: What was drawn, by number.
        labels: By the row's id.
        score: Holds an output against its label.
        id_field: Field with the row's id.

    Raises:
        ScoringError: It raises, or returns no number from 0 to 1.
    """
    types = RowTypes(graph.param_types, id_field)
    for number, data in rows.items():
        row = types.check(Record(number, number, dict(data), ""))
        if isinstance(row, Row) and row.row_id in labels:
            try:
                output = dumps(plain(rehearse(graph, row.arguments)))
            except (FanwiseError, TypeError, ValueError):
                return  # stand-ins that fail say nothing of a score
            scoring = Scoring(labels, score)
            scoring.of(row.row_id, output)
            scoring.check("the scoring of a rehearsed row; nothing was sent")
            return
