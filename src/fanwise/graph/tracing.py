"""Tracing of a graph function: it is called once with symbolic values, and what it does with them is the graph."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from fanwise.errors import DefinitionError, Mistake

from . import syntax
from . import types as ty
from .calls import bind, check_fit
from .expr import Get, slots
from .fits import fits
from .nodes import GraphSpec, Template, parts, reads
from .reference import Ref, label_of, to_expr, type_of
from .roundtrip import roundtrip_mistakes
from .tracer import EndlessTraceError, Tracer, active


class GraphFunction(Protocol):
    """A graph as its function and signature have it."""

    name: str
    explicit: bool
    """Whether the user gave it that name."""
    place: str
    mistakes: list[Mistake]
    """Of the signature."""
    hints: dict[str, Any]
    """Types of the parameters and of the result, by name."""
    params: dict[str, Any]
    """Types of the parameters."""

    @property
    def fn(self) -> Callable[..., Any]:
        """The function."""
        ...


def trace(target: GraphFunction) -> GraphSpec:
    """Trace a graph.

    Raises:
        DefinitionError: The graph has mistakes.
        NameError: A global name is not defined yet.
    """
    mistakes = _signature_mistakes(target)
    if inspect.iscoroutinefunction(target.fn) or _yields(target):
        raise DefinitionError(f"graph {target.name!r}", tuple(mistakes))
    tracer = Tracer(mistakes=syntax.mistakes_in(target))
    rows = _rows(tracer, target)
    if tracer.mistakes:  # what is wrong may take one branch for every row, or not end
        result: Any = Ref(tracer, Get(0), ty.Unknown, target.name)
    else:
        result = _run(tracer, target, rows)
        if any(mistake.kind == "bool" for mistake in tracer.mistakes):  # of code whose source is not there
            _look_into_other_branches(tracer, target)
    mistakes += _result_mistakes(tracer, target, result)
    template = tracer.template(tracer.bodies[0], to_expr(result))
    params = {name: slot for slot, name in enumerate(rows)}
    if not tracer.mistakes:
        mistakes += _unused_rows(target, template, params)
    in_order = sorted(tracer.mistakes, key=lambda mistake: (mistake.file, mistake.line))
    mistakes = [mistake.shown() for mistake in in_order] + mistakes
    if mistakes:
        raise DefinitionError(f"graph {target.name!r}", tuple(mistakes))
    output_type = target.hints.get("return", ty.Unknown)
    return GraphSpec(
        name=target.name,
        place=target.place,
        params=params,
        param_types=target.params,
        defaults=_defaults(target),
        output_type=type_of(result) if output_type is ty.Unknown else output_type,
        template=template,
        slots=dict(tracer.slots),
    )


def _signature_mistakes(target: GraphFunction) -> list[Mistake]:
    """Return the mistakes of a graph function that show before it is called."""
    mistakes = list(target.mistakes)
    if not target.params:
        text = f"graph {target.name!r} takes no row"
        mistakes.append(Mistake(target.place, text, "give it one parameter with a type"))
    for name, tp in target.params.items():
        does = f"graph {target.name!r} takes {name!r} as"
        mistakes += roundtrip_mistakes(does, tp, target.place, is_written=False)
    if inspect.iscoroutinefunction(target.fn):
        text = f"graph {target.name!r} is async"
        mistakes.append(Mistake(target.place, text, "write def; bodies and steps may be async"))
    if _yields(target):
        mistakes.append(Mistake(target.place, f"graph {target.name!r} yields", "return one value, such as a list"))
    return mistakes


def _yields(target: GraphFunction) -> bool:
    return inspect.isgeneratorfunction(target.fn) or inspect.isasyncgenfunction(target.fn)


def _defaults(target: GraphFunction) -> dict[str, Any]:
    """Return the defaults of the parameters that have one."""
    parameters = inspect.signature(target.fn).parameters.values()
    return {param.name: param.default for param in parameters if param.default is not param.empty}


def _rows(tracer: Tracer, target: GraphFunction) -> dict[str, Any]:
    """Return a traced value for each parameter; they have the first slots."""
    return {name: Ref(tracer, Get(tracer.new_slot(name)), tp, name) for name, tp in target.params.items()}


def _result_mistakes(tracer: Tracer, target: GraphFunction, result: object) -> list[Mistake]:
    """Return the mistake of what a graph returns, or of the type that it says it returns."""
    if "return" not in target.hints and not target.mistakes:
        text = f"graph {target.name!r} has no return type"
        return [Mistake(target.place, text, "annotate what it returns")]
    actual, expected = type_of(result), target.hints.get("return", ty.Unknown)
    if tracer.mistakes or fits(actual, expected):
        return []
    text = f"graph {target.name!r} returns {label_of(result)} ({ty.name(actual)}), not {ty.name(expected)}"
    return [Mistake(target.place, text, "change the return type or the value")]


def _unused_rows(target: GraphFunction, template: Template, params: Mapping[str, int]) -> list[Mistake]:
    """Return a mistake for every parameter that nothing in the graph reads."""
    used = set(_slots_read(template))
    return [
        Mistake(
            target.place, f"row {name!r} is not used: no task is shown any part of it", "pass its fields to an agent"
        )
        for name, slot in params.items()
        if slot not in used
    ]


def _slots_read(template: Template) -> Iterator[int]:
    """Yield every slot that a template reads, its inner ones included, with repeats."""
    yield from slots(template.output)
    for node in template.nodes:
        for expr in reads(node):
            yield from slots(expr)
        for part in parts(node):
            yield from _slots_read(part)


def _look_into_other_branches(tracer: Tracer, target: GraphFunction) -> None:
    """Trace once more with the other answer to every mistaken condition, and keep what is new."""
    second = Tracer(truth=False)
    _run(second, target, _rows(second, target))
    for mistake in second.mistakes:
        place = mistake.file, mistake.line
        tracer.add_mistake(mistake.kind, mistake.message, mistake.hint, place=place)


def _run(tracer: Tracer, target: GraphFunction, arguments: dict[str, Any]) -> Any:
    """Call the graph function under the trace; whatever it raises becomes a mistake."""
    token = active.set(tracer)
    tracer.graphs.append(target.name)
    tracer.functions.append(target.fn)
    try:
        return target.fn(**arguments)
    except EndlessTraceError:
        pass  # the condition is among the mistakes
    except DefinitionError:
        raise
    except RecursionError:
        hint = "a graph has no cycles; use each(...)"
        tracer.add_mistake("recursion", f"graph {target.name!r} does not end: a helper calls itself", hint)
    except NameError as error:
        if error.name in tracer.graphs:  # the decorator has not bound the name yet
            _add_recursion(tracer, error.name, since=tracer.graphs.index(error.name), place=_raised_at(error, target))
        elif isinstance(error, UnboundLocalError):
            tracer.add_mistake("name", f"the name {error.name!r} is not defined", place=_raised_at(error, target))
        else:
            raise
    except Exception as error:  # the user's own code: report it with its place, not as a traceback
        if not tracer.mistakes:
            text = next(iter(str(error).splitlines()), type(error).__name__)
            tracer.add_mistake(
                "raised",
                f"graph {target.name!r} raised {type(error).__name__}: {text}",
                "a traced value cannot be put into a model or called; do it in a @step",
                place=_raised_at(error, target),
            )
    finally:
        tracer.graphs.pop()
        tracer.functions.pop()
        active.reset(token)
    return Ref(tracer, Get(0), ty.Unknown, target.name)


def _add_recursion(tracer: Tracer, name: str, *, since: int, place: tuple[str, int] | None = None) -> None:
    """Note that a graph which is being traced, the so-manieth from outside, is called again."""
    chain = " -> ".join([*tracer.graphs[since:], name])
    tracer.add_mistake(
        "recursion", f"graph {name!r} calls itself: {chain}", "a graph has no cycles; use each(...)", place=place
    )


def _raised_at(error: BaseException, target: GraphFunction) -> tuple[str, int]:
    """Return file and line of a graph function where an error came out of it."""
    file, trace_, line = target.fn.__code__.co_filename, error.__traceback__, target.fn.__code__.co_firstlineno
    while trace_ is not None:
        if trace_.tb_frame.f_code.co_filename == file:
            line = trace_.tb_lineno
        trace_ = trace_.tb_next
    return file, line


def inline(tracer: Tracer, target: GraphFunction, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Add all tasks of a graph to the trace of another one; return what it returns."""
    output = target.hints.get("return", ty.Unknown)
    if target.fn in tracer.functions:
        _add_recursion(tracer, target.name, since=tracer.functions.index(target.fn))
        return Ref(tracer, Get(0), ty.Unknown, target.name)
    arguments = bind(tracer, target.name, target.fn, args, kwargs)
    for name, expected in target.params.items():
        if name in arguments:
            check_fit(tracer, target.name, name, arguments[name], expected)
    if target.explicit:
        _claim_name(tracer, target)
    mistakes = syntax.mistakes_in(target)
    if mistakes:
        tracer.mistakes += [mistake for mistake in mistakes if mistake not in tracer.mistakes]
        return Ref(tracer, Get(0), ty.Unknown, target.name)
    outer, tracer.prefix = tracer.prefix, tracer.new_path(target.name) + "/"
    try:
        result = _run(tracer, target, {name: arguments.get(name) for name in target.params})
    finally:
        tracer.prefix = outer
    if isinstance(result, Ref) and output is not ty.Unknown:
        return Ref(tracer, to_expr(result), output, target.name)
    return result


def _claim_name(tracer: Tracer, target: GraphFunction) -> None:
    """Note the name that the user gave a graph; a second use is a mistake."""
    path = tracer.prefix + target.name
    if path in tracer.explicit:
        text = f"the explicit name {target.name!r} is used twice"
        tracer.add_mistake("name", text, "an explicit name must be unique")
    tracer.explicit[path] = target.place
