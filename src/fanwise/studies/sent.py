"""The tasks of a run as they were sent: found again by their rows, alone or with the others of their pack."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache

from fanwise.context.request import Request
from fanwise.engine.arms import Arm, row_state
from fanwise.engine.meaning import LONGER
from fanwise.engine.nodes import AgentNode, task_key
from fanwise.engine.rows import Row
from fanwise.errors import OutputError, UsageError
from fanwise.graph.outcomes import Done, Failed, Outcome
from fanwise.graph.revive import revive
from fanwise.graph.scope import Task
from fanwise.graph.state import run_all
from fanwise.journal.reader import JournalReader
from fanwise.ledger.tasks import SentRequest, inputs_of, requests_of


class PacksSent:
    """The requests of packs in which a task of a run was sent, made again."""

    def __init__(self, journal: JournalReader, arm: Arm, node: AgentNode, row_of: Callable[[str], Row]) -> None:
        """Begin.

        Args:
            journal: Of the run.
            arm: Whose task it is.
            node: Of the task.
            row_of: Gives a row by its id, or raises `UsageError`.
        """
        self._journal, self._arm, self._node, self._row_of = journal, arm, node, row_of
        self._tasks = cache(self._found)

    def first(self, key: str) -> Request | None:
        """Return the request of the first pack in which a task was sent; None: in none, or not all of it is there."""
        attempts = [sent.attempt for sent in requests_of(self._journal.db, key)] if self._node.spec.packs else []
        tasks = next((tasks for attempt in attempts if (tasks := self._tasks(attempt))), None)
        return None if tasks is None else self._node.pack_request(tasks)

    def is_unchanged(self, sent: SentRequest) -> bool:
        """Return whether a request is that of a pack as it can be made now."""
        tasks = self._tasks(sent.attempt) if self._node.spec.packs else None
        return bool(tasks) and sent.request_hash in {
            self._node.pack_request(tasks or (), factor=factor).hash() for factor in (1, LONGER)
        }

    def is_incomplete(self, attempt: int) -> bool:
        """Return whether an attempt was that of a pack of which not all can be found any more."""
        return self._node.spec.packs and self._tasks(attempt) is None

    def _found(self, attempt: int) -> tuple[Task, ...] | None:
        """Return the tasks that an attempt has shown; none where that was one, None where one cannot be found."""
        inputs = inputs_of(self._journal.db, attempt)
        if len(inputs) < 2:
            return ()
        try:
            rows = [(self._row_of(row_id), label) for row_id, label in inputs]
            return tuple([find_task(self._journal, self._arm, row, label)[0] for row, label in rows])
        except UsageError:
            return None


def find_task(journal: JournalReader, arm: Arm, row: Row, label: str) -> tuple[Task, str]:
    """Return a task of a row and its key: the row is gone through by its outcomes until the task is ready.

    Raises:
        UsageError: The row has no such task, or what it needs was purged.
    """
    seen: dict[str, tuple[Task, str]] = {}

    def outcome(task: Task) -> Outcome:
        node = arm.nodes[task.node.path]
        key = task_key(row.row_id, arm.name, node, task)
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
            return Done(revive(node.output, json.loads(text)))
        except OutputError as error:
            return Failed(task.label, "invalid_output", str(error))

    run_all(row_state(arm, row), outcome)
    if label not in seen:
        raise UsageError(f"row {row.row_id!r} has no task {label!r}; it has {', '.join(seen) or 'none'}")
    return seen[label]
