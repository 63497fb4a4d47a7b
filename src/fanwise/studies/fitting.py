"""Whether labels can be what an output says, and whether a score can be had of one: seen before anything is paid."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Literal, cast, get_args, get_origin

from pydantic import PydanticUserError, TypeAdapter

from fanwise.canonical import dumps, plain
from fanwise.engine.records import Record
from fanwise.engine.rows import Row
from fanwise.errors import FanwiseError
from fanwise.graph.kinds import LeafKind, MapKind, RecordKind, TupleKind, UnionKind, kind_of
from fanwise.graph.nodes import GraphSpec
from fanwise.graph.rehearse import rehearse
from fanwise.graph.types import is_none, name, strip, unclear
from fanwise.job.manifest import Manifest
from fanwise.journal.records import ArmName
from fanwise.jsonable import as_object

from .scorer import Scorer
from .scoring import Scored, Scoring, row_value

Misfit = tuple[str, str]
"""What is wrong with a label, and what to do."""
OR_SCORE = "or give a score"


def check_fit(labels: Mapping[str, Any], output: Any) -> Misfit | None:
    """Return what is wrong with the first label that no output can equal, and what to do; None where all can be right.

    Args:
        labels: By the row's id.
        output: The type of the outputs.
    """
    for row_id, label in labels.items():
        for what, hint in _misfits(label, output):
            return f"the label of row {row_id!r} {what}", hint
    return None


def _misfits(label: Any, output: Any) -> Iterator[Misfit]:
    kind = kind_of(output)
    if unclear(output):
        return
    if isinstance(kind, UnionKind):
        by_member = [list(_misfits(label, member)) for member in kind.members]
        if all(by_member):  # no member can be what the label says
            yield from by_member[0]
    elif isinstance(kind, RecordKind):
        yield from _record_misfits(label, kind.fields)
    elif isinstance(label, dict) and not isinstance(kind, MapKind | TupleKind):
        yield (
            f"is of fields ({', '.join(as_object(cast('object', label)))}), and an output is {name(output)}",
            f"name a field of the rows alone, {OR_SCORE}",
        )
    elif isinstance(kind, LeafKind):
        yield from _leaf_misfits(label, strip(output))


def _record_misfits(label: Any, fields: Mapping[str, Any]) -> Iterator[Misfit]:
    names = ", ".join(fields)
    if not isinstance(label, dict):
        example = f"{next(iter(fields), 'field')}=label"
        yield f"is {label!r}, and an output has fields: {names}", f"say of which it is, like {example}, {OR_SCORE}"
        return
    parts = as_object(cast("object", label))
    unknown = [field for field in parts if field not in fields]
    if unknown:
        yield f"has a field {unknown[0]!r} that no output has", f"outputs have {names}"
    for field, value in parts.items():
        if field in fields:
            yield from _misfits(value, fields[field])


def _leaf_misfits(label: Any, output: Any) -> Iterator[Misfit]:
    words, text = _words(output), str(label).strip().casefold()
    if words and text not in [word.casefold() for word in words]:
        yield f"is {label!r}, and an output is one of {', '.join(words)}", f"write one of them, {OR_SCORE}"
    elif output in (int, float, Decimal) and not _is_number(text):
        yield f"is {label!r}, and an output is a number", f"write a number, {OR_SCORE}"


def _words(output: Any) -> list[str]:
    """Return the values that a type has, as they are compared; none where they are not listed."""
    if get_origin(output) is Literal:
        return [str(value) for value in get_args(output)]
    if isinstance(output, type) and issubclass(output, enum.Enum):
        return [str(member.value) for member in output]
    if is_none(output):
        return ["None"]
    return ["True", "False"] if output is bool else []


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def check_scorer(
    score: Scorer[Any, Any, Any],
    manifest: Manifest,
    graph: GraphSpec,
    rows: Iterable[Record],
    labels: Mapping[str, Any],
) -> None:
    """Try a scorer on what the stand-ins make of the first row that has a label.

    Args:
        score: Says how right an output is.
        manifest: What the run would be.
        graph: Of the fan-out.
        rows: What was drawn.
        labels: By the row's id.

    Raises:
        ScoringError: It raises, or returns no number from 0 to 1.
    """
    types = manifest.row_types(graph)
    for record in rows:
        row = types.check(record)
        if isinstance(row, Row) and row.row_id in labels:
            try:
                output = dumps(plain(rehearse(graph, row.arguments)))
                scored = Scored(graph, {row.number: row_value(row)})
                scoring = Scoring(labels, (score, scored))
                scoring.of(row.number, row.row_id, output)
            except (FanwiseError, TypeError, ValueError):
                continue  # stand-ins that fail say nothing of a scorer
            scoring.check("the scoring of a rehearsed row; nothing was sent")
            return


def check_sides(graphs: Mapping[ArmName, GraphSpec]) -> str | None:
    """Return why no scorer can be given the outputs of both sides; None where they are of one type."""
    fanout, baseline = graphs["fanout"], graphs["baseline"]
    if _form(fanout.output_type) == _form(baseline.output_type):
        return None
    names = f"{baseline.name!r} returns {name(baseline.output_type)}, and {fanout.name!r} {name(fanout.output_type)}"
    return f"{names}: a scorer is given outputs of one type"


def _form(output: Any) -> Any:
    """Return what says of two types whether they are the same: two files may each define the same model."""
    try:
        return TypeAdapter(output).json_schema()
    except PydanticUserError:
        return output
