"""The calls that a single agent would have been asked and was not: composed and counted, and not kept."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from fanwise.context.request import Request
from fanwise.engine.arms import Arm, row_state
from fanwise.engine.nodes import AgentNode, task_key
from fanwise.engine.records import Record
from fanwise.engine.rows import Row
from fanwise.engine.rowsfile import fetch
from fanwise.graph.nodes import GraphSpec
from fanwise.graph.outcomes import Done, Failed, Outcome
from fanwise.graph.revive import revive
from fanwise.graph.scope import Task
from fanwise.graph.state import run_all
from fanwise.journal.reader import Book
from fanwise.journal.records import RowRecord
from fanwise.ledger.outcomes import rows_numbered
from fanwise.ledger.tasks import task_output

from .manifest import Manifest

FIRST, LONGEST_S = 20, 5.0
"""By the time that the first rows take, fewer are composed than would take so many seconds: rows may hold files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedCall:
    """The single agent's call for a row; the request itself is not kept."""

    model: str
    chars: int
    shared_tokens: int
    """Tokens of the prefix that all rows share, by the characters of a token."""
    row_tokens: int
    """Tokens of what is marked of the row behind that, likewise."""
    shown_by: int
    """Rows of the job that show this."""
    chars_per_token: float


def composed_calls(db: Book, manifest: Manifest, arm: Arm, numbers: list[int]) -> dict[int, ComposedCall]:
    """Return the calls of rows: of all of them, or of so many as there is time for, whichever these are."""
    (node,), started = arm.agents(), time.monotonic()
    random.Random(1).shuffle(numbers)
    shown = manifest.shown_alike(arm.graph, _records(manifest, rows_numbered(db, numbers)))

    def calls(some: Iterable[int]) -> dict[int, ComposedCall]:
        rows = _read(db, manifest, arm.graph, set(some))
        tasks = {row.number: _asked(db, arm, row) for row in rows}
        return {
            number: _composed_call(node.request(task), shown[number].rows if number in shown else 1)
            for number, task in tasks.items()
            if task is not None
        }

    first = calls(numbers[:FIRST])
    each_s = (time.monotonic() - started) / FIRST
    return first | calls(numbers[FIRST : FIRST + int(LONGEST_S / max(each_s, 1e-6))])


def _asked(db: Book, arm: Arm, row: Row) -> Task | None:
    """Return the single agent's task of a row, behind steps as the fan-out has had them; None where one has failed."""
    ready = row_state(arm, row)
    asked: list[Task] = []

    def outcome(task: Task) -> Outcome:
        node = arm.nodes[task.node.path]
        if isinstance(node, AgentNode):
            asked.append(task)
            return Failed(task.label, "not_asked", "")
        text = task_output(db, task_key(row.row_id, "fanout", node, task))
        return Failed(task.label, "unknown", "") if text is None else Done(revive(node.output, json.loads(text)))

    run_all(ready, outcome)
    return asked[0] if asked else None


def _read(db: Book, manifest: Manifest, graph: GraphSpec, numbers: set[int]) -> Iterator[Row]:
    """Yield the rows with these numbers as they stand in their file; none where it is gone or has changed."""
    types = manifest.row_types(graph)
    places = rows_numbered(db, numbers)
    for number, record in _records(manifest, places):
        row = types.check(record)
        if isinstance(row, Row) and row.hash == places[number].hash:
            yield row._replace(number=number)


def _records(manifest: Manifest, places: Mapping[int, RowRecord]) -> Iterator[tuple[int, Record]]:
    """Yield records of the rows file by the number of their row; none where the file is gone."""
    if not manifest.rows.is_file():
        return
    numbers = {place.locator: number for number, place in places.items()}
    for locator, record in fetch(manifest.rows_file, numbers):
        yield numbers[locator], record


def _composed_call(request: Request, shown_by: int) -> ComposedCall:
    prefixes = request.prefixes()
    shared = max((prefix.tokens for prefix in prefixes if prefix.job), default=0)
    return ComposedCall(
        model=request.model,
        chars=request.chars(),
        shared_tokens=shared,
        row_tokens=max((prefix.tokens for prefix in prefixes), default=0) - shared,
        shown_by=shown_by,
        chars_per_token=request.frame.per_token,
    )
