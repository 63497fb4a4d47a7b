"""The task plan as data: flat, since strict schemas, by which a model answers, have no recursion and no free maps."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, NoReturn

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
)

from fanwise.canonical import digest, dumps
from fanwise.errors import DefinitionError, Mistake
from fanwise.jsonable import fault_of_text

MOST_CHARS = 1_000_000
"""Of a plan."""
MOST_INT = 2**63
MOST_TASKS_EVER, MOST_GIVES = 1_000, 200
"""Beyond these a plan is not looked at, whatever limits it is given."""


def _whole(text: str) -> str:
    """Return a text of which a file can be written.

    Raises:
        ValueError: Half a surrogate pair stands in it, or a NUL.
    """
    if fault := fault_of_text(text):
        raise ValueError(fault)
    return text


Text = Annotated[StrictStr, AfterValidator(_whole)]
Comparison = Literal["==", "!=", "<", "<=", ">", ">="]
Value = (
    StrictBool
    | Annotated[StrictInt, Field(gt=-MOST_INT, lt=MOST_INT)]
    | Annotated[StrictFloat, Field(allow_inf_nan=False)]
    | Text
    | None
)
"""What a condition compares with."""


class _PlanPart(BaseModel):
    """A part of a plan: nothing in it is converted, and nothing that is not known is ignored."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Give(_PlanPart):
    """What one parameter of an agent is given."""

    parameter: Text
    """Its name; `context` for a block."""
    reference: Text
    """`row.body`, `task.label`, `item`, `item.text`, or `block:handbook/refunds`."""


class Condition(_PlanPart):
    """When a task runs."""

    reference: Text
    compare: Comparison
    value: Value


class PlannedTask(_PlanPart):
    """One task."""

    name: Text
    agent: Text
    gives: tuple[Give, ...] = Field(strict=False, max_length=MOST_GIVES)
    over: Text | None = None
    """A reference to a list: the task runs for each of its items, which are `item` in `gives`."""
    need: int | None = None
    """With `over`: how many items must succeed; failed ones are None then."""
    most: int | None = None
    """With `over`: how many items are taken at most."""
    when: Condition | None = None
    """The task runs only where this holds; it is None elsewhere."""


class TaskPlan(_PlanPart):
    """A DAG of agents over a row."""

    tasks: tuple[PlannedTask, ...] = Field(strict=False, max_length=MOST_TASKS_EVER)
    returns: Text
    """A reference to the task, or a part of its answer, that is the row's output."""
    reason: Text = ""
    """Why it is so; told to people and never to an agent."""

    @property
    def hash(self) -> str:
        """SHA-256 of what it says, its reason among it, hexadecimal."""
        return digest(dumps(self.model_dump()))

    def to_json(self) -> str:
        """Return it as JSON, which `read_plan` reads back to an equal plan."""
        return json.dumps(self.model_dump(), indent=2, ensure_ascii=False)


def read_plan(text: str | bytes, place: str = "task plan") -> TaskPlan:
    """Return the task plan that a JSON text is.

    Args:
        text: The JSON.
        place: What it is called in messages, such as its file.

    Raises:
        DefinitionError: It is no JSON, or has another form; every mistake is listed with its place in the plan.
    """
    if len(text) > MOST_CHARS:
        _refuse(place, [Mistake(place, f"has {len(text):,} characters, more than {MOST_CHARS:,}")])
    try:
        data = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        _refuse(place, [Mistake(place, f"is not JSON: {why}", "write an object with tasks, returns and reason")])
    return plan_from(data, place)


def plan_from(data: Any, place: str = "task plan") -> TaskPlan:
    """Return the task plan that values of JSON are.

    Args:
        data: What a JSON text was read as.
        place: What it is called in messages.

    Raises:
        DefinitionError: It has another form; every mistake is listed with its place in the plan.
    """
    try:
        return TaskPlan.model_validate(data)
    except ValidationError as error:
        _refuse(place, list(_mistakes(error)))


def _refuse(place: str, mistakes: Sequence[Mistake]) -> NoReturn:
    raise DefinitionError(f"task plan {place}" if place != "task plan" else place, tuple(mistakes))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON none of whose names stands twice, of which the last would win without a word."""
    record = dict(pairs)
    if len(record) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r:.60} stands twice in an object")
    return record


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _mistakes(error: ValidationError) -> Iterator[Mistake]:
    """Yield what is wrong with the form of a plan, each place once: of a union every member complains."""
    seen = set[str]()
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        place = _place(problem["loc"])
        if place not in seen:
            seen.add(place)
            extra = problem["type"] == "extra_forbidden"
            yield Mistake(place, "is no field of it; leave it out" if extra else problem["msg"])


def _place(path: tuple[int | str, ...]) -> str:
    """Return a place in a plan as it is written: `tasks[3].gives[1].reference`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif "value" in text.rpartition(".")[2]:  # behind it stand the members of its union
            break
        else:
            text += f".{part}" if text else part
    return text or "task plan"
