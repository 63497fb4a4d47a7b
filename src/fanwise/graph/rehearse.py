"""A graph on plain values: the stand-in bodies answer, nothing is sent."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from fanwise.errors import FanwiseError
from fanwise.foreign import let_through, reason

from .nodes import GraphSpec
from .outcomes import Done, Failed, Outcome
from .samples import sample
from .scope import Task
from .state import RowState, run_all
from .tools import ToolCalled


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
    outcome = run_all(state, carry_out)
    if isinstance(outcome, Done):
        return outcome.value
    cause = outcome if isinstance(outcome, Failed) else outcome.cause
    raise TaskFailedError(cause.task, cause.kind, cause.message)


def carry_out(task: Task) -> Outcome:
    """Return the outcome of a task by its stand-in, or a valid value where it has none.

    Raises:
        ToolCalled: The stand-in asks for a tool whose result is not there yet: that is no failure of its own.
    """
    target = task.node.target
    try:
        return Done(stand_in(target.body, task.values))
    except NotImplementedError:
        if target.spec is not None:
            return Done(sample(target.spec.output))
        return Failed(task.label, "raised", "not implemented")
    except ToolCalled:
        raise
    except BaseException as error:  # a stand-in is the user's own code; its failure is an outcome
        let_through(error)
        return Failed(task.label, "raised", reason(error))


def stand_in(body: Any, values: Mapping[str, Any]) -> Any:
    """Call a body with values; an async one is run to its end.

    Raises:
        NotImplementedError: The body is no stand-in: it raises this, or is `...`.
    """
    if is_empty(body):
        raise NotImplementedError
    return _run_async(partial(body, **values)) if inspect.iscoroutinefunction(body) else body(**values)


def _run_async(work: Callable[[], Awaitable[Any]]) -> Any:
    """Run an asynchronous function to its end and return its value."""
    # Imported here, since they are a tenth of the time in which a graph is defined, and few stand-ins are asynchronous.
    from concurrent.futures import ThreadPoolExecutor

    import anyio

    try:
        anyio.get_current_task()
    except RuntimeError:  # no loop runs here
        return anyio.run(work)
    with ThreadPoolExecutor(1) as thread:  # a loop that runs cannot run another one
        return thread.submit(anyio.run, work).result()


_QUIET = {"RESUME", "NOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE"}
"""Instructions that do nothing but give a constant back."""


def is_empty(body: Any) -> bool:
    """Return whether a body is only a docstring, `...` or `pass`, and so no stand-in."""
    code = getattr(body, "__code__", None)
    if code is None:
        return False
    instructions = list(dis.get_instructions(code))
    if not all(instruction.opname in _QUIET for instruction in instructions):
        return False
    return [
        instruction.argval for instruction in instructions if instruction.opname in ("LOAD_CONST", "RETURN_CONST")
    ] == [None]
