"""`@graph`: a Python function over agents, traced once into a task DAG."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar, overload

from fanwise.errors import DefinitionError, Mistake

from . import syntax
from . import types as ty
from .agent import Agent
from .calls import bind
from .expr import Get, slots
from .nodes import GraphSpec, reads, walk
from .reference import Ref, label_of, to_expr, type_of
from .rehearse import rehearse
from .signature import signature_types
from .step import StepFunction
from .tracer import Finding, Tracer, active
from .vocabulary import VOCABULARY

P = ParamSpec("P")
R = TypeVar("R")


class Graph(Generic[P, R]):
    """A task DAG over a row. Call it inside another graph, or rehearse it on a plain value."""

    def __init__(self, fn: Callable[P, R], name: str | None = None) -> None:
        self.fn, self.name = fn, name or fn.__name__
        self.explicit = name is not None
        self.place = f"{fn.__code__.co_filename}:{fn.__code__.co_firstlineno}"
        self.mistakes: list[Mistake] = []
        """Mistakes of the signature; those of the body are found when it is traced."""
        self.hints, self.params = signature_types(fn, self.place, self.mistakes)
        self._spec: GraphSpec | None = None
        update_wrapper(self, fn)

    @property
    def spec(self) -> GraphSpec:
        """The traced graph.

        Raises:
            DefinitionError: The graph has mistakes; all of them are listed.
        """
        if self._spec is None:
            self._spec = trace(self)
        return self._spec

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """In a graph: add all of this graph's tasks. Elsewhere: rehearse."""
        tracer = active.get()
        if tracer is None:
            return self.rehearse(*args, **kwargs)
        return _inline(tracer, self, args, kwargs)

    def rehearse(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the graph here on plain values, with the stand-in bodies in place of the models.

        Raises:
            TaskFailedError: A task that the result needs has failed.
        """
        bound = inspect.signature(self.fn).bind(*args, **kwargs)
        bound.apply_defaults()
        return rehearse(self.spec, bound.arguments)

    def options(self, *, name: str) -> Graph[P, R]:
        """Return the same graph under another name, which must be unique where it is called."""
        return Graph(self.fn, name)

    def __repr__(self) -> str:
        return f"<graph {self.name}>"


@overload
def graph(fn: Callable[P, R], /) -> Graph[P, R]: ...
@overload
def graph(*, name: str | None = None) -> Callable[[Callable[P, R]], Graph[P, R]]: ...


def graph(
    fn: Callable[P, R] | None = None, /, *, name: str | None = None
) -> Graph[P, R] | Callable[[Callable[P, R]], Graph[P, R]]:
    """Make a graph of a Python function over agents and steps.

    The function is called once with symbolic values; what is passed to an agent is what it is
    shown. It is traced at definition; where it calls a graph that is defined further down, at
    its first use.

    Raises:
        DefinitionError: The graph has mistakes; all of them are listed, each with its place.
    """

    def decorate(function: Callable[P, R]) -> Graph[P, R]:
        made = Graph(function, name)
        try:
            made.spec  # noqa: B018 - traced here so that mistakes show at definition
        except NameError:
            pass  # a name that is defined further down; traced again at first use
        return made

    return decorate if fn is None else decorate(fn)


def _is_call(value: object) -> bool:
    return isinstance(value, Agent | StepFunction | Graph) or (callable(value) and value in VOCABULARY)


def trace(target: Graph[..., Any]) -> GraphSpec:
    """Trace a graph.

    Raises:
        DefinitionError: The graph has mistakes.
        NameError: A global name is not defined yet.
    """
    fn, mistakes, hints, params = target.fn, list(target.mistakes), target.hints, target.params
    tracer = Tracer(findings=syntax.read(fn, _is_call))
    names = {name: tracer.slot(name) for name in params}
    if not params:
        mistakes.append(
            Mistake(target.place, f"graph {target.name!r} takes no row", "give it one parameter with a type")
        )
    if inspect.iscoroutinefunction(fn):
        mistakes.append(
            Mistake(target.place, f"graph {target.name!r} is async", "write def; bodies and steps may be async")
        )
        raise DefinitionError(f"graph {target.name!r}", tuple(mistakes))
    result = _run(tracer, target, _refs(tracer, target))
    if any(finding.kind == "bool" for finding in tracer.findings):
        _look_into_other_branches(tracer, target)
    wanted = hints.get("return", ty.Unknown)
    if "return" not in hints and not target.mistakes:
        mistakes.append(Mistake(target.place, f"graph {target.name!r} has no return type", "annotate what it returns"))
    elif not ty.fits(type_of(result), wanted) and not tracer.findings:
        text = f"graph {target.name!r} returns {label_of(result)} ({ty.name(type_of(result))}), not {ty.name(wanted)}"
        mistakes.append(Mistake(target.place, text, "change the return type or the value"))
    template = tracer.template(tracer.scopes[0], to_expr(result))
    if not tracer.findings:
        used = {slot for node in walk(template) for expr in reads(node) for slot in slots(expr)} | set(
            slots(template.output)
        )
        for node in walk(template):
            for inner in _outputs(node):
                used |= set(slots(inner))
        for name, slot in names.items():
            if slot not in used:
                mistakes.append(
                    Mistake(
                        target.place,
                        f"row {name!r} is not used: no task is shown any part of it",
                        "pass its fields to an agent",
                    )
                )
    mistakes = [finding.mistake() for finding in sorted(tracer.findings, key=_order)] + mistakes
    if mistakes:
        raise DefinitionError(f"graph {target.name!r}", tuple(mistakes))
    output = wanted if wanted is not ty.Unknown else type_of(result)
    return GraphSpec(target.name, target.place, names, params, output, template, dict(tracer.slots))


def _refs(tracer: Tracer, target: Graph[..., Any]) -> dict[str, Any]:
    return {name: Ref(tracer, Get(slot), tp, name) for slot, (name, tp) in enumerate(target.params.items())}


def _look_into_other_branches(tracer: Tracer, target: Graph[..., Any]) -> None:
    """Trace once more with the other answer to every mistaken condition, and keep what is new."""
    other = Tracer(truth=False)
    for name in target.params:
        other.slot(name)
    _run(other, target, _refs(other, target))
    for finding in other.findings:
        place = finding.file, finding.line
        tracer.found(finding.kind, finding.message, finding.hint, place=place)


def _order(finding: Finding) -> tuple[str, int]:
    return finding.file, finding.line


def _outputs(node: Any) -> list[Any]:
    return [part.output for name in ("body", "then", "otherwise") if (part := getattr(node, name, None)) is not None]


def _run(tracer: Tracer, target: Graph[..., Any], arguments: dict[str, Any]) -> Any:
    """Call the graph function under the trace; whatever it raises becomes a mistake."""
    token = active.set(tracer)
    tracer.graphs.append(target.name)
    try:
        return target.fn(**arguments)
    except (DefinitionError, RecursionError):
        raise
    except NameError as error:
        if error.name in tracer.graphs:  # the decorator has not bound the name yet
            chain = " -> ".join([*tracer.graphs[tracer.graphs.index(error.name) :], error.name])
            _recursion(tracer, error.name, chain, place=_raised_at(error, target))
        elif isinstance(error, UnboundLocalError):
            tracer.found("name", f"the name {error.name!r} is not defined", place=_raised_at(error, target))
        else:
            raise
    except Exception as error:  # the user's own code: report it with its place, not as a traceback
        if not tracer.findings:
            text = str(error).splitlines()[0] if str(error) else type(error).__name__
            tracer.found(
                "raised",
                f"graph {target.name!r} raised {type(error).__name__}: {text}",
                "a traced value cannot be put into a model or called; do it in a @step",
                place=_raised_at(error, target),
            )
    finally:
        tracer.graphs.pop()
        active.reset(token)
    return Ref(tracer, Get(0), ty.Unknown, target.name)


def _recursion(tracer: Tracer, name: str, chain: str, *, place: tuple[str, int] | None = None) -> None:
    tracer.found(
        "recursion", f"graph {name!r} calls itself: {chain}", "a graph has no cycles; use each(...)", place=place
    )


def _raised_at(error: BaseException, target: Graph[..., Any]) -> tuple[str, int]:
    file, trace_, line = target.fn.__code__.co_filename, error.__traceback__, target.fn.__code__.co_firstlineno
    while trace_ is not None:
        if trace_.tb_frame.f_code.co_filename == file:
            line = trace_.tb_lineno
        trace_ = trace_.tb_next
    return file, line


def _inline(tracer: Tracer, target: Graph[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    params, output = target.params, target.hints.get("return", ty.Unknown)
    if target.name in tracer.graphs:
        chain = " -> ".join([*tracer.graphs[tracer.graphs.index(target.name) :], target.name])
        _recursion(tracer, target.name, chain)
        return Ref(tracer, Get(0), ty.Unknown, target.name)
    bound = bind(tracer, target.name, target.fn, args, kwargs)
    for name, wanted in params.items():
        given = type_of(bound.get(name))
        if name in bound and not ty.fits(given, wanted):
            message = (
                f"{label_of(bound[name])} ({ty.name(given)}) does not fit {target.name}({name}: {ty.name(wanted)})"
            )
            tracer.found(f"fit {target.name} {name}", message)
    if target.explicit:
        full = tracer.prefix + target.name
        if full in tracer.explicit:
            tracer.found("name", f"the explicit name {target.name!r} is used twice", "an explicit name must be unique")
        tracer.explicit[full] = target.place
    for finding in syntax.read(target.fn, _is_call):
        if finding not in tracer.findings:
            tracer.findings.append(finding)
    outer, tracer.prefix = tracer.prefix, tracer.path(target.name) + "/"
    try:
        result = _run(tracer, target, {name: bound.get(name) for name in params})
    finally:
        tracer.prefix = outer
    if isinstance(result, Ref) and output is not ty.Unknown:
        return Ref(tracer, to_expr(result), output, target.name)
    return result
