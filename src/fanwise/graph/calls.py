"""A call of an agent or a step while a graph is traced: bind, check, add the task."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

from . import types as ty
from .expr import Const, Expr, Get
from .fits import fits
from .nodes import Target, TaskNode
from .reference import Ref, label_of, to_expr, type_of
from .signature import place
from .tracer import Tracer, active


def add_task(
    target: Target,
    params: Mapping[str, Any],
    output: Any,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    explicit: bool = False,
) -> Any:
    """Add a task to the trace that is going on and return the reference to its output."""
    tracer = active.get()
    assert tracer is not None, "add_task() is for traces only"
    arguments = bind(tracer, target.name, target.body, args, kwargs)
    path = _path(tracer, target, explicit)
    slot = tracer.new_slot(path)
    exprs: dict[str, Expr] = {}
    blocks: dict[str, str] = {}
    labels: dict[str, str] = {}
    for param, expected in params.items():
        value = arguments.get(param)
        exprs[param] = to_expr(value)
        labels[param] = label_of(value)
        is_absent = value is None and isinstance(exprs[param], Const)
        if param in arguments and not is_absent:
            hint = "pass a field of that type, or change it in a @step"
            check_fit(tracer, target.name, param, value, expected, hint)
        if isinstance(exprs[param], Get) and (ty.is_block(type_of(value)) or ty.is_block(expected)):
            same = next((name for other, name in blocks.items() if exprs[other] == exprs[param]), "")
            blocks[param] = same or _unique(
                label_of(value), blocks.values()
            )  # a field that is passed twice is sent once
    tracer.add_node(
        TaskNode(slot=slot, path=path, place=place(), target=target, args=exprs, blocks=blocks, labels=labels)
    )
    return Ref(tracer, Get(slot), output, path)


def check_fit(tracer: Tracer, name: str, param: str, value: object, expected: Any, hint: str = "") -> None:
    """Note where a value does not fit a parameter of what is called."""
    actual = type_of(value)
    if not fits(actual, expected):
        message = f"{label_of(value)} ({ty.name(actual)}) does not fit {name}({param}: {ty.name(expected)})"
        tracer.add_mistake(f"fit {name} {param}", message, hint)


def bind(
    tracer: Tracer, name: str, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments by parameter name, defaults filled in; a mismatch is a mistake."""
    signature = inspect.signature(fn)
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        tracer.add_mistake("arguments", f"{name}: {error}", f"it takes ({', '.join(signature.parameters)})")
        bound = signature.bind_partial()
    bound.apply_defaults()
    return dict(bound.arguments)


def _path(tracer: Tracer, target: Target, explicit: bool) -> str:
    """Return a path for a call; a name that stands for something else too is a mistake."""
    first = tracer.targets.setdefault(target.name, target)
    if first.body is not target.body:
        tracer.add_mistake(
            "name",
            f"two different functions are called {target.name!r}",
            "give one another name with .options(name=...)",
        )
    if explicit:
        path = tracer.prefix + target.name
        if path in tracer.explicit:
            message = f"the explicit name {target.name!r} is used twice, first at {tracer.explicit[path]}"
            tracer.add_mistake("name", message, "an explicit name must be unique")
        tracer.explicit.setdefault(path, place())
    return tracer.new_path(target.name)


def _unique(name: str, used: Collection[str]) -> str:
    """Return a name with a number behind it where it is in use."""
    number, unique = 1, name
    while unique in used:
        number += 1
        unique = f"{name}#{number}"
    return unique
