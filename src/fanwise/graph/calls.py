"""A call of an agent or a step while a graph is traced: bind, check, add the task."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from . import types as ty
from .expr import Const, Expr, Get
from .nodes import Target, TaskNode
from .reference import Ref, label_of, to_expr, type_of
from .signature import place
from .tracer import Tracer, active


def call(
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
    assert tracer is not None, "call() is for traces only"
    bound = bind(tracer, target.name, target.body, args, kwargs)
    path = _path(tracer, target, explicit)
    slot = tracer.slot(path)
    exprs: dict[str, Expr] = {}
    blocks: dict[str, str] = {}
    labels: dict[str, str] = {}
    for param, wanted in params.items():
        value = bound.get(param)
        exprs[param] = to_expr(value)
        labels[param] = label_of(value)
        given = type_of(value)
        is_const = isinstance(exprs[param], Const)
        if param in bound and not (is_const and value is None) and not ty.fits(given, wanted):
            message = f"{label_of(value)} ({ty.name(given)}) does not fit {target.name}({param}: {ty.name(wanted)})"
            tracer.found(f"fit {target.name} {param}", message, "pass a field of that type, or change it in a @step")
        if isinstance(exprs[param], Get) and (ty.is_block(given) or ty.is_block(wanted)):
            blocks[param] = _unique(label_of(value), blocks)
    tracer.add(TaskNode(slot, path, place(), target, exprs, blocks, labels))
    return Ref(tracer, Get(slot), output, path)


def bind(
    tracer: Tracer, name: str, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments by parameter name, defaults filled in; a mismatch is a mistake."""
    signature = inspect.signature(fn)
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        wanted = ", ".join(signature.parameters)
        tracer.found("arguments", f"{name}: {error}", f"it takes ({wanted})")
        bound = signature.bind_partial()
    bound.apply_defaults()
    return dict(bound.arguments)


def _path(tracer: Tracer, target: Target, explicit: bool) -> str:
    known = tracer.targets.setdefault(target.name, target)
    if known.body is not target.body:
        tracer.found(
            "name",
            f"two different functions are called {target.name!r}",
            "give one another name with .options(name=...)",
        )
    if explicit:
        full = tracer.prefix + target.name
        if full in tracer.explicit:
            message = f"the explicit name {target.name!r} is used twice, first at {tracer.explicit[full]}"
            tracer.found("name", message, "an explicit name must be unique")
        tracer.explicit.setdefault(full, place())
    return tracer.path(target.name)


def _unique(name: str, taken: Mapping[str, str]) -> str:
    number, unique = 1, name
    while unique in taken.values():
        number += 1
        unique = f"{name}#{number}"
    return unique
