"""What a row would do by the stand-ins alone, without any request: the yardstick of an estimate.

How many tasks a row has and how long its prompts and answers are is known from a rehearsal, for
many more rows than are worth simulating or paying for. Costs of the sample are held against it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fanwise.engine.arms import Arm, row_state
from fanwise.engine.nodes import AgentNode
from fanwise.engine.rows import Record, Row, RowTypes
from fanwise.graph.rehearse import carry_out
from fanwise.graph.state import Done, Outcome, Task, run_all
from fanwise.graph.wire import encode
from fanwise.journal.records import ArmName

from .drawn import DrawnRow

LONGEST_S = 10.0
"""After so long no more rows are rehearsed."""
READ, OUTPUT = 0.1, 5.0
"""Prices of reading from the cache and of output, in the input price: near enough for a yardstick."""

Measure = dict[tuple[str, str], float]
"""By arm and agent: about what it costs, in characters of input."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """Rows and their measures; the sample first."""

    rows: dict[int, Measure]

    def of(self, number: int, arm: str, agent: str) -> float:
        """Return the measure of one row."""
        return self.rows[number].get((arm, agent), 0.0)

    def mean(self, arm: str, agent: str) -> float:
        """Return the mean over all rows that were rehearsed."""
        return sum(self.of(number, arm, agent) for number in self.rows) / len(self.rows)


def rehearse_rows(
    plans: Mapping[ArmName, Arm], types: RowTypes, sample: Iterable[DrawnRow], more: Iterable[DrawnRow]
) -> Rehearsed:
    """Rehearse the rows of a sample, and as many more as time allows."""
    found: dict[int, Measure] = {}
    for row in sample:
        found[row.number] = _measure(plans, types, row)
    end = time.monotonic() + LONGEST_S
    for row in more:
        if time.monotonic() > end:
            break
        found[row.number] = _measure(plans, types, row)
    return Rehearsed(found)


def _measure(plans: Mapping[ArmName, Arm], types: RowTypes, drawn: DrawnRow) -> Measure:
    row = types.check(Record(drawn.number, 0, drawn.data, ""))
    measure: Measure = {}
    if not isinstance(row, Row):
        return measure
    for plan in plans.values():

        def outcome(task: Task, plan: Arm = plan) -> Outcome:
            result = carry_out(task)
            node = plan.nodes[task.node.path]
            if isinstance(node, AgentNode):
                key = (plan.name, node.spec.name)
                measure[key] = measure.get(key, 0.0) + _size(node, task, result)
            return result

        run_all(row_state(plan, row), outcome)
    return measure


def _size(node: AgentNode, task: Task, result: Outcome) -> float:
    """Return about what a task costs, in characters of input at full price."""
    request = node.request(task)
    shared = sum(piece.chars for piece in request.common)
    answer = len(encode(node.spec.output, result.value)) if isinstance(result, Done) else 0
    return READ * shared + (request.chars() - shared) + OUTPUT * answer
