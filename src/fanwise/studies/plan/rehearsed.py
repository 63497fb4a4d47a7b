"""What a row would do by the stand-ins alone, without any request: the yardstick of an estimate.

How many tasks a row has and how long its prompts and answers are is known from a rehearsal, for
many more rows than are worth simulating or paying for. Costs of the sample are held against it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fanwise.engine.arms import Arm, row_state
from fanwise.engine.nodes import AgentNode, keyed
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
    works: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict[tuple[str, str], Sequence[str]])
    """By arm and agent: what its tasks have in common with equal ones, as the stand-ins answer."""

    def yardstick(self, arm: str, agent: str, parts: Mapping[int, float] | None = None) -> Yardstick:
        """Return the sizes of all rows that were rehearsed, for one agent.

        Args:
            arm: Its arm.
            agent: Its name.
            parts: What counts of a row, by its number; None: all of it.
        """
        part = parts or {}
        sizes = {number: measure.get((arm, agent), 0.0) for number, measure in self.rows.items()}
        weights = {number: self.weights[number] * part.get(number, 1.0) for number in sizes}
        mass = sum(weights.values())
        mean = sum(weights[number] * size for number, size in sizes.items()) / mass
        variance = sum(weights[number] * (size - mean) ** 2 for number, size in sizes.items()) / mass
        return Yardstick(sizes, mean, variance)


def rehearse_rows(arms: Mapping[ArmName, Arm], types: RowTypes, drawn: Drawn) -> Rehearsed:
    """Rehearse the rows of a sample, and as many more as time allows."""
    rehearsal = _Rehearsal(arms, types)
    measures = {row.number: rehearsal.measure(row) for row in drawn.rows}
    end = time.monotonic() + LONGEST_S
    for row in drawn.more:
        if time.monotonic() > end:
            break
        measures[row.number] = rehearsal.measure(row)
    weights = {row.number: row.weight for row in (*drawn.rows, *drawn.more)}
    return Rehearsed(measures, weights, rehearsal.works)


class _Rehearsal:
    """Carries out rows by the stand-ins."""

    def __init__(self, arms: Mapping[ArmName, Arm], types: RowTypes) -> None:
        self._arms, self._types = arms, types
        self.works: dict[tuple[str, str], list[str]] = {}

    def measure(self, drawn: DrawnRow) -> Measure:
        """Return about what a row costs."""
        row = self._types.check(Record(number=drawn.number, locator=0, data=drawn.data, raw=""))
        measure: Measure = {}
        if isinstance(row, Row):
            for arm in self._arms.values():
                run_all(row_state(arm, row), partial(self._carry_out, arm, row, measure))
        return measure

    def _carry_out(self, arm: Arm, row: Row, measure: Measure, task: Task) -> Outcome:
        """Carry out a task by its stand-in, and add about what it costs to the measure of its row."""
        outcome, node = carry_out(task), arm.nodes[task.node.path]
        if isinstance(node, AgentNode):
            key = (arm.name, node.spec.name)
            measure[key] = measure.get(key, 0.0) + _size(node, task, outcome)
            if node.shared:
                self.works.setdefault(key, []).append(_work(arm, row, node, task))
        return outcome


def _work(arm: Arm, row: Row, node: AgentNode, task: Task) -> str:
    """Return what a task has in common with equal ones; empty where its values cannot be sent."""
    try:
        return keyed(row.row_id, arm.name, node, task).work
    except BaseException as error:  # of a serializer, which is users' code
        let_through(error)
        return ""


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
