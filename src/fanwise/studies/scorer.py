"""A scorer: a function of the user that says how right an output is."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from fanwise.engine.load import load_function
from fanwise.errors import Mistake, SpecError, UsageError
from fanwise.graph.nodes import GraphSpec
from fanwise.graph.types import name as type_name

OutputT = TypeVar("OutputT", contravariant=True)
RowT = TypeVar("RowT", contravariant=True)
LabelT = TypeVar("LabelT", contravariant=True)


class Scorer(Protocol[OutputT, RowT, LabelT]):
    """How right an output is: a function `score(output, row, label)` that returns 0 to 1.

    `compare` calls it for each side of every row that has an output and a label, and once before anything is paid, with
    what the stand-ins make of a row; `history` for each row of a run that has both. It is called by position and is not
    asynchronous. A row that failed is not shown to it: that scores 0. What it raises ends the scoring and costs nothing
    that was answered.

    Example:
        def close(output: Reply, row: Ticket, label: str) -> float:
            return float(label in output.text)
    """

    def __call__(self, output: OutputT, row: RowT, label: LabelT, /) -> float:
        """Return how right an output is, 0 to 1; from 1 on its row counts as a success.

        Args:
            output: What the graph returned for the row, an object of its return type: never JSON where that is a model.
            row: What the graph took: an object of its parameter's type; of several, a dict of them by name.
            label: As it stands in the rows or in the file of labels; a dict by field of the output where labels are
                named like `category=label`.
        """
        ...


def scorer(score: object, graph: GraphSpec | None = None) -> Scorer[Any, Any, Any] | None:
    """Return a scorer that can be called; None where there is none.

    Args:
        score: The function, or its reference `path/file.py:name`; None: there is none.
        graph: What it is to score, where that is known: for the signature in a refusal.

    Raises:
        UsageError: There is no such function, or it cannot be called with an output, a row and a label.
    """
    if score is None:
        return None
    function = load_function(score) if isinstance(score, str) else score
    if not callable(function):
        raise UsageError(f"{score!r} is no function; give one, or its reference path/file.py:name")
    called = function if inspect.isroutine(function) else getattr(function, "__call__", function)  # noqa: B004
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called):
        raise _misfit(function, "is asynchronous", graph)
    try:
        inspect.signature(function).bind(None, None, None)
    except TypeError:
        raise _misfit(function, "cannot be called with an output, its row and its label", graph) from None
    except ValueError:
        pass  # a function of C that does not say what it takes
    return cast("Scorer[Any, Any, Any]", function)


def scorer_name(score: Callable[..., Any]) -> str:
    """Return a function's name, as its file has it."""
    return getattr(score, "__qualname__", None) or type(score).__qualname__


def _misfit(function: Callable[..., Any], why: str, graph: GraphSpec | None) -> SpecError:
    """Return the refusal of a function, with its place, how it is written and how to write it."""
    name = getattr(function, "__name__", type(function).__name__)
    try:
        parameters = inspect.signature(function).parameters.values()
        names = [str(parameter.replace(annotation=parameter.empty)) for parameter in parameters]
        written = f"{name}({', '.join(names)})"
    except ValueError:
        written = name
    output, row = ("output", "row") if graph is None else (f"output: {type_name(graph.output_type)}", _row(graph))
    hint = f"write `def {name if name.isidentifier() else 'score'}({output}, {row}, label) -> float:`"
    return SpecError((Mistake("score", f"{_place(function)}{written} {why}", hint),))


def _row(graph: GraphSpec) -> str:
    types = list(graph.param_types.values())
    return f"row: {type_name(types[0]) if len(types) == 1 else 'dict[str, Any]'}"


def _place(function: Callable[..., Any]) -> str:
    """Return `file:line: ` of a function; empty where it is of no file."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None or not os.path.isfile(code.co_filename):
        return ""
    return f"{code.co_filename}:{code.co_firstlineno}: "
