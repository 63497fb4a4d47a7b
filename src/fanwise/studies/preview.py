"""The requests of a row before any run: made as a run makes them, and sent to nobody."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from fanwise.engine.arms import Arm, row_state
from fanwise.engine.nodes import AgentNode, StepNode, keyed
from fanwise.engine.offline import offline_outcome
from fanwise.engine.rows import Row, row_id_of
from fanwise.errors import UsageError
from fanwise.foreign import let_through, reason
from fanwise.graph.dag import tasks_before
from fanwise.graph.graphs import Graph
from fanwise.graph.outcomes import Failed
from fanwise.graph.scope import Task
from fanwise.job.manifest import Manifest, draft
from fanwise.journal.records import ArmName

from .checking import Mistakes, described, opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A request that a run would send."""

    row: str
    """Id of the row."""
    task: str
    """Such as `draft`, or `research[2]`."""
    body: dict[str, Any]
    """The Messages body of a live call, but for `metadata`, which names the run."""
    after: tuple[str, ...]
    """Tasks of agents that come before it: what it shows of them is what their stand-ins answer."""


def preview(
    graph: Graph[..., Any] | str,
    rows: str | Path,
    row: str | None = None,
    task: str | None = None,
    *,
    side: ArmName = "fanout",
    **fields: Any,
) -> list[Preview]:
    """Return requests of a row as a run would send them; nothing is sent, and no run directory is made.

    Steps run, and where a later task is named the stand-ins of the agents before it; a stand-in that asks for a tool
    is replaced by a valid value. Servers of tools are asked for their tools, as a run does.

    Args:
        graph: A graph, or its reference `path/file.py:name`.
        rows: A JSONL, CSV or Parquet file.
        row: Id of a row; None: the first valid one.
        task: A task such as `research[2]`, or all of its items by `research`; None: all that need no agent's answer.
        side: `baseline` for the single agent.
        **fields: Further fields of `JobSpec`: `format`, `encoding`, `id_field`, `schemas`, `baseline`.

    Raises:
        UsageError: The graph, the rows or a value cannot be used, or there is no such row or task.
    """
    mistakes = Mistakes()
    baseline = "none" if side == "fanout" else fields.get("baseline") or "auto"
    spec = described(mistakes, graph=graph, rows=rows, **{**fields, "baseline": baseline})
    graphs = {} if spec is None else opened(mistakes, spec, baseline=baseline)
    spec = mistakes.refused_or(spec)
    if side not in graphs:
        raise UsageError("the graph has one agent and is its own baseline: --side fanout shows its requests")
    manifest = draft(spec, graphs)
    arm = manifest.arms(graphs)[side]
    return _Walk(arm, _row(manifest, arm, row), task).requests()


def _row(manifest: Manifest, arm: Arm, row_id: str | None) -> Row:
    """Return a row by its id, or by its number where it has none.

    Raises:
        UsageError: No valid row is it.
    """
    by_number = row_id_of(int(row_id), None) if row_id is not None and row_id.isdecimal() else None
    types, numbered, reasons = manifest.row_types(arm.graph), None, list[str]()
    for record in manifest.records():
        row = types.check(record)
        if not isinstance(row, Row):
            reasons.append(f"record {record.number}: {row}")
        elif row_id is None or row.row_id == row_id:
            return row
        elif row.row_id == by_number:
            numbered = row
    if numbered is not None:
        return numbered
    aside = f"; {len(reasons)} were set aside, the first for this: {reasons[0]}" if reasons else ""
    which = "no row is valid" if row_id is None else f"no valid row is called {row_id!r}"
    raise UsageError(f"{which} in {manifest.rows}{aside}")


class _Walk:
    """A row carried out offline, as far as the requests that are wanted need it."""

    def __init__(self, arm: Arm, row: Row, wanted: str | None) -> None:
        """Begin.

        Args:
            arm: The graph.
            row: The row.
            wanted: Task, or path of tasks; None: those that need no agent's answer.
        """
        self._arm, self._row, self._wanted = arm, row, wanted
        self._before = _agents_before(arm)
        self._previews: list[Preview] = []
        self._seen: list[str] = []
        self._failures: list[str] = []

    def requests(self) -> list[Preview]:
        """Return the requests that are wanted.

        Raises:
            UsageError: There is none.
        """
        state = row_state(self._arm, self._row)
        ready = state.start()
        while ready:
            task = ready.pop(0)
            node = self._arm.nodes[task.node.path]
            self._seen.append(task.label)
            if isinstance(node, AgentNode):
                self._look_at(node, task)
            elif self._wanted in (task.label, task.node.path):
                raise UsageError(f"task {task.label!r} is a step: it runs here and sends nothing")
            if isinstance(node, StepNode) or self._wanted is not None:
                outcome = offline_outcome(node, task)
                if isinstance(outcome, Failed):
                    self._failures.append(f"{outcome.task} failed ({outcome.kind}): {outcome.message}")
                ready += state.finish(task, outcome)
        if not self._previews:
            self._refuse()
        return self._previews

    def _look_at(self, node: AgentNode, task: Task) -> None:
        """Render the request of a task where it is wanted."""
        after = self._before[task.node.path]
        is_wanted = not after if self._wanted is None else self._wanted in (task.label, task.node.path)
        if not is_wanted:
            return
        try:
            task = keyed(self._row.row_id, self._arm.name, node, task).task
            body = node.request(task).body(run_id="")
        except BaseException as error:  # of a serializer, which is users' code
            let_through(error)
            raise UsageError(f"the request of {task.label!r} cannot be made: {reason(error)}") from None
        del body["metadata"]
        self._previews.append(Preview(row=self._row.row_id, task=task.label, body=body, after=after))

    def _refuse(self) -> NoReturn:
        """Say why there is no request.

        Raises:
            UsageError: Always.
        """
        has = f"it has {', '.join(self._seen) or 'none'}"
        why = "".join(f"; {failure}" for failure in self._failures)
        if self._wanted is None:
            raise UsageError(
                f"no task of row {self._row.row_id!r} asks an agent before others have answered; {has}{why}"
            )
        raise UsageError(f"row {self._row.row_id!r} has no task {self._wanted!r}; {has}{why}")


def _agents_before(arm: Arm) -> dict[str, tuple[str, ...]]:
    """Return by path of an agent's node the agents' tasks that what it is shown depends on, in the graph's order."""
    before = tasks_before(arm.graph)
    agents = [node.node.path for node in arm.agents()]
    return {path: tuple(other for other in agents if other in before[path]) for path in agents}
