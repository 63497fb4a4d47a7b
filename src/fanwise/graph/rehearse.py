"""A graph on plain values: the stand-in bodies answer, nothing is sent."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import partial
from typing import Any

import anyio

from fanwise.errors import FanwiseError

from .nodes import GraphSpec
from .samples import sample
from .state import Done, Failed, Outcome, RowState, Task, run_all


class TaskFailedError(FanwiseError):
    """A task that the result of a rehearsal needs has failed."""

    def __init__(self, task: str, kind: str, message: str) -> None:
        super().__init__(task, kind, message)
        self.task, self.kind, self.message = task, kind, message

    def __str__(self) -> str:
        return f"task {self.task!r} failed ({self.kind}): {self.message}"


def rehearse(spec: GraphSpec, arguments: Mapping[str, Any]) -> Any:
    """Run a traced graph on plain values.

    Args:
        spec: The graph.
        arguments: One value per parameter.

    Returns:
        The value that the graph returns.

    Raises:
        TaskFailedError: A task that the result needs has failed.
    """
    state = RowState(spec.template, {slot: arguments[name] for name, slot in spec.params.items()})
    outcome = run_all(state, _carry_out)
    if isinstance(outcome, Done):
        return outcome.value
    cause = outcome if isinstance(outcome, Failed) else outcome.cause
    raise TaskFailedError(cause.task, cause.kind, cause.message)


def _carry_out(task: Task) -> Outcome:
    target = task.node.target
    try:
        return Done(stand_in(target.body, task.values))
    except NotImplementedError:
        if target.spec is not None:
            return Done(sample(target.spec.output))
        return Failed(task.label, "raised", "not implemented")
    except Exception as error:  # a stand-in is the user's own code; its failure is an outcome
        return Failed(task.label, "raised", f"{type(error).__name__}: {error}")


def stand_in(body: Any, values: Mapping[str, Any]) -> Any:
    """Call a body with values; an async one is run to its end.

    Raises:
        NotImplementedError: The body is no stand-in: it raises this, or is `...`.
    """
    if is_empty(body):
        raise NotImplementedError
    if inspect.iscoroutinefunction(body):
        return anyio.run(partial(body, **values))
    return body(**values)


def is_empty(body: Any) -> bool:
    """Return whether a body is only a docstring or `...`, and so no stand-in."""
    code = getattr(body, "__code__", None)
    if code is None or code.co_names or len(code.co_code) > 16:
        return False
    constants = [constant for constant in code.co_consts if not isinstance(constant, str)]
    return all(constant in (None, Ellipsis) for constant in constants) and not code.co_freevars and _returns_none(code)


def _returns_none(code: Any) -> bool:
    import dis

    return all(
        one.opname in ("RESUME", "RETURN_CONST", "LOAD_CONST", "RETURN_VALUE", "NOP") and one.argval in (None, 0)
        for one in dis.get_instructions(code)
        if one.opname != "NOP"
    )
