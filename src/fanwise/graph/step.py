"""`@step`: a plain Python function as a node of the graph."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar, overload

from fanwise.canonical import digest
from fanwise.errors import DefinitionError, Mistake
from fanwise.threads import DEFAULT_TIME_LIMIT_S

from .calls import add_task
from .roundtrip import roundtrip_mistakes
from .signature import file_mistakes, signature_types
from .tracer import active

P = ParamSpec("P")
R = TypeVar("R")


def source_hash(fn: Callable[..., Any]) -> str:
    """Return a hash of a function's source, or of its byte code where there is no source."""
    try:
        return digest(inspect.getsource(fn))
    except (OSError, TypeError):
        code = getattr(fn, "__code__", None)
        return digest(code.co_code if code is not None else repr(fn))


class StepFunction(Generic[P, R]):
    """A plain Python function as a node of the graph: no tokens, it runs here."""

    spec = None

    def __init__(self, fn: Callable[P, R], params: dict[str, Any], output: Any, time_limit_s: float) -> None:
        self.body, self.params, self.output, self.time_limit_s = fn, params, output, time_limit_s
        self.name = fn.__name__
        self.source = source_hash(fn)
        update_wrapper(self, fn)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """In a graph: add a task. Elsewhere: run the function."""
        if active.get() is None:
            return self.body(*args, **kwargs)
        return add_task(self, self.params, self.output, args, kwargs)

    def __repr__(self) -> str:
        return f"<step {self.name}>"


@overload
def step(fn: Callable[P, R], /) -> StepFunction[P, R]: ...
@overload
def step(*, time_limit_s: float = ...) -> Callable[[Callable[P, R]], StepFunction[P, R]]: ...


def step(
    fn: Callable[P, R] | None = None, /, *, time_limit_s: float = DEFAULT_TIME_LIMIT_S
) -> StepFunction[P, R] | Callable[[Callable[P, R]], StepFunction[P, R]]:
    """Make a node of a plain Python function, sync or async; it runs here and costs no tokens.

    Its output is kept in the journal as JSON, so the return type must be one that Pydantic can
    write and read.

    Args:
        fn: The function.
        time_limit_s: Seconds that one call may take; then its task has failed, and the function is left to itself.

    Raises:
        DefinitionError: An annotation cannot be read, the return type is missing or one whose values do not come back
            from JSON, or the limit is not positive.
    """

    def decorate(function: Callable[P, R]) -> StepFunction[P, R]:
        place = f"{function.__code__.co_filename}:{function.__code__.co_firstlineno}"
        mistakes: list[Mistake] = []
        hints, params = signature_types(function, place, mistakes)
        if "return" not in hints:
            mistakes.append(
                Mistake(place, f"step {function.__name__!r} has no return type", "annotate what it returns")
            )
        else:
            mistakes += file_mistakes("step", function.__name__, {"return": hints["return"]}, place)
            does = f"step {function.__name__!r} returns"
            mistakes += roundtrip_mistakes(does, hints["return"], place, is_written=True)
        if not time_limit_s > 0:
            text = f"step {function.__name__!r}: time_limit_s {time_limit_s} is not a positive number of seconds"
            mistakes.append(Mistake(place, text))
        if mistakes:
            raise DefinitionError(f"step {function.__name__!r}", tuple(mistakes))
        return StepFunction(function, params, hints["return"], time_limit_s)

    return decorate if fn is None else decorate(fn)
