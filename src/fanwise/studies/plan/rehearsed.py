"""What a row would do by the stand-ins alone, without any request: the yardstick of an estimate.

How many tasks a row has and how long its prompts and answers are is known from a rehearsal, for
many more rows than are worth simulating or paying for. Costs of the sample are held against it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from fanwise.engine.arms import Arm, row_state
from fanwise.engine.nodes import AgentNode
from fanwise.engine.records import Record
from fanwise.engine.rows import Row, RowTypes
from fanwise.foreign import let_through
from fanwise.graph.outcomes import Done, Outcome
from fanwise.graph.rehearse import carry_out
from fanwise.graph.scope import Task
from fanwise.graph.state import run_all
from fanwise.graph.wire import encode
from fanwise.journal.records import ArmName

from .drawn import Drawn, DrawnRow

LONGEST_S = 10.0
"""After so long no more rows are rehearsed."""
READ, OUTPUT = 0.1, 5.0
"""Prices of reading from the cache and of output, in the input price: near enough for a yardstick."""

Measure = dict[tuple[str, str], float]
"""By arm and agent: about what it costs, in characters of input."""


@dataclass(frozen=True, slots=True)
class Yardstick:
    """Sizes of rows for one agent: about what it costs for each."""

    sizes: Mapping[int, float]
    """By the number of the row."""
    mean: float
    """Over all rows of the file, as far as they were rehearsed."""
    variance: float

    def of(self, number: int) -> float:
        """Return the size of one row."""
        return self.sizes[number]


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """Rows and their measures; the sample first."""

    rows: Mapping[int, Measure]
    weights: Mapping[int, float]
    """How many equal rows each stands for."""

    def yardstick(self, arm: str, agent: str) -> Yardstick:
        """Return the sizes of all rows that were rehearsed, for one agent."""
        sizes = {number: measure.get((arm, agent), 0.0) for number, measure in self.rows.items()}
        mass = sum(self.weights[number] for number in sizes)
        mean = sum(self.weights[number] * size for number, size in sizes.items()) / mass
        variance = sum(self.weights[number] * (size - mean) ** 2 for number, size in sizes.items()) / mass
        return Yardstick(sizes, mean, variance)


def rehearse_rows(arms: Mapping[ArmName, Arm], types: RowTypes, drawn: Drawn) -> Rehearsed:
    """Rehearse the rows of a sample, and as many more as time allows."""
    measures = {row.number: _measure(arms, types, row) for row in drawn.rows}
    end = time.monotonic() + LONGEST_S
    for row in drawn.more:
        if time.monotonic() > end:
            break
        measures[row.number] = _measure(arms, types, row)
    weights = {row.number: row.weight for row in (*drawn.rows, *drawn.more)}
    return Rehearsed(measures, weights)


def _measure(arms: Mapping[ArmName, Arm], types: RowTypes, drawn: DrawnRow) -> Measure:
    row = types.check(Record(number=drawn.number, locator=0, data=drawn.data, raw=""))
    measure: Measure = {}
    if isinstance(row, Row):
        for arm in arms.values():
            run_all(row_state(arm, row), partial(_rehearse, arm, measure))
    return measure


def _rehearse(arm: Arm, measure: Measure, task: Task) -> Outcome:
    """Carry out a task by its stand-in, and add about what it costs to the measure of its row."""
    outcome, node = carry_out(task), arm.nodes[task.node.path]
    if isinstance(node, AgentNode):
        key = (arm.name, node.spec.name)
        measure[key] = measure.get(key, 0.0) + _size(node, task, outcome)
    return outcome


def _size(node: AgentNode, task: Task, outcome: Outcome) -> float:
    """Return about what a task costs, in characters of input at full price."""
    request = node.request(task)
    shared = sum(piece.chars for piece in request.common)
    answer = _length(node.spec.output, outcome.value) if isinstance(outcome, Done) else 0
    return READ * shared + (request.chars() - shared) + OUTPUT * answer


def _length(output: Any, value: object) -> int:
    """Return how long a stand-in's answer is; 0 where it is none of its type."""
    try:
        return len(encode(output, value))
    except BaseException as error:  # the stand-in and what it returns are users' code
        let_through(error)
        return 0
