"""`@graph`: a Python function over agents, traced once into a task DAG."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import update_wrapper
from typing import Generic, ParamSpec, TypeVar, overload

from fanwise.errors import Mistake

from .nodes import GraphSpec
from .rehearse import rehearse
from .signature import signature_types
from .tracer import active
from .tracing import inline, trace

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
        return inline(tracer, self, args, kwargs)

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
        traced = Graph(function, name)
        try:
            traced.spec  # noqa: B018 - traced here so that mistakes show at definition
        except NameError:
            pass  # a name that is defined further down; traced again at first use
        return traced

    return decorate if fn is None else decorate(fn)
