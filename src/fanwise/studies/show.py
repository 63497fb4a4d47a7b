"""A request of a run, rendered again and checked against the hash of what was sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from fanwise.engine.arms import Arm, StepNode, row_state, task_key
from fanwise.engine.rows import Row, fetch
from fanwise.errors import OutputError, UsageError
from fanwise.graph.state import Done, Failed, Outcome, Task, run_all
from fanwise.graph.wire import load
from fanwise.job.directory import reading
from fanwise.job.manifest import Manifest
from fanwise.journal.reader import JournalReader
from fanwise.ledger.outcomes import row_named
from fanwise.ledger.tasks import requests_of


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a task, and whether the request is still the same."""

    number: int
    same: bool


@dataclass(frozen=True, slots=True)
class Rendered:
    """A task's request, made again."""

    body: dict[str, Any]
    attempts: tuple[Attempt, ...]
    answer: str | None
    """The output as canonical JSON, where there is one."""


def rendered(directory: str, row_id: str, label: str, arm: str) -> Rendered:
    """Return the request of one task, rendered from the rows file, the graph and the journal.

    Raises:
        UsageError: There is no such run, row or task, or its row is not in the file any more.
    """
    with reading(directory) as journal:
        manifest = Manifest.of(journal)
        plans = manifest.arms(manifest.graphs())
        if arm not in plans:
            raise UsageError(f"the run has no {arm}")
        plan = plans[arm]
        row = _row(journal, manifest, plan, row_id)
        task, key = _find(journal, plan, row, label)
        node = plan.nodes[task.node.path]
        if isinstance(node, StepNode):
            raise UsageError(f"task {label!r} is a step: it runs here and sends nothing")
        attempts = requests_of(journal.db, key)
        request = node.request(task)
        record = journal.task(key)
        answer = journal.text(record.output or "") if record is not None else None
        # A repair attempt has another tail; its hash is compared to the first attempt's alone.
        checked = tuple(Attempt(number, sha == request.hash() or number > 1) for number, _, sha in attempts)
        return Rendered(request.body(run_id=manifest.run_id), checked, answer)


def _row(journal: JournalReader, manifest: Manifest, plan: Arm, row_id: str) -> Row:
    place = row_named(journal.db, row_id)
    if place is None:
        raise UsageError(f"the run has no row {row_id!r}")
    record = fetch(manifest.rows, manifest.format, place.locator)
    row = None if record is None else manifest.row_types(plan.graph).check(record)
    if not isinstance(row, Row) or row.hash != place.hash:
        raise UsageError(f"row {row_id!r} is not in {manifest.rows} any more as it was when it ran")
    return Row(place.number, row.locator, row_id, row.arguments, row.hash, row.size)


def _find(journal: JournalReader, plan: Arm, row: Row, label: str) -> tuple[Task, str]:
    """Replay the row from the journal until the task with this label is ready."""
    seen: dict[str, tuple[Task, str]] = {}

    def outcome(task: Task) -> Outcome:
        node = plan.nodes[task.node.path]
        key = task_key(row.row_id, plan.name, node, task)
        seen[task.label] = task, key
        record = journal.task(key)
        if record is None or record.status == "failed":
            return Failed(
                task.label,
                record.kind if record else "unknown",
                record.message if record else "no outcome in the journal",
            )
        text = journal.text(record.output or "")
        if text is None:
            raise UsageError(f"the content of {task.label!r} was purged")
        try:
            return Done(load(node.output, json.loads(text)))
        except OutputError as error:
            return Failed(task.label, "invalid_output", str(error))

    run_all(row_state(plan, row), outcome)
    if label not in seen:
        raise UsageError(f"row {row.row_id!r} has no task {label!r}; it has {', '.join(seen) or 'none'}")
    return seen[label]
