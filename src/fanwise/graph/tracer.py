"""The state of one trace: slots, the templates being filled, and the mistakes so far.

A trace never stops at a mistake: the value in question becomes unknown and tracing goes on, so
that all mistakes of a graph are reported at once.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from fanwise.errors import Mistake

from .expr import Expr
from .nodes import Node, Target, Template
from .signature import caller

_PACKAGE = str(Path(__file__).parent.parent)
_MOST_CONDITIONS = 10_000

active: ContextVar[Tracer | None] = ContextVar("fanwise_tracer", default=None)
"""The trace that is going on in this context, if any."""


class EndlessTraceError(BaseException):
    """A trace does not end; no `except Exception` of the user's holds it up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedMistake:
    """A mistake with what is needed to tell it from another of the same kind."""

    kind: str
    file: str
    line: int
    last_line: int
    message: str
    hint: str

    def same_place(self, later: TracedMistake) -> bool:
        """Return whether another mistake begins on one of its lines."""
        return later.file == self.file and self.line <= later.line <= self.last_line

    def shown(self) -> Mistake:
        """Return the mistake as the user sees it."""
        return Mistake(f"{self.file}:{self.line}", self.message, self.hint)


@dataclass(slots=True, kw_only=True)
class Tracer:
    """One trace of one graph function."""

    truth: bool = True
    """What a traced value answers where it is mistaken for a condition: which branch is looked at."""
    mistakes: list[TracedMistake] = field(default_factory=list[TracedMistake])
    slots: dict[int, str] = field(default_factory=dict[int, str])
    """Every slot with the name that a user knows it by."""
    bodies: list[list[Node]] = field(default_factory=lambda: [[]])
    """Nodes of the templates that are being filled, outermost first."""
    graphs: list[str] = field(default_factory=list[str])
    """Names of the graphs being traced, outermost first: the chain of a recursion."""
    functions: list[object] = field(default_factory=list[object])
    """Their functions, by which one is known: two graphs may have one name."""
    prefix: str = ""
    """Of paths: the graph in a graph that is being traced."""
    counts: dict[str, int] = field(default_factory=dict[str, int])
    """Calls by path without their number."""
    explicit: dict[str, str] = field(default_factory=dict[str, str])
    """Names that users gave, each with the place of its first use."""
    targets: dict[str, Target] = field(default_factory=dict[str, Target])
    """What was called, by name."""
    conditions: int = 0
    """Traced values that were mistaken for conditions."""
    at: tuple[str, int] | None = None
    """The line that is being read, where the function is read and not run."""

    def add_mistake(self, kind: str, message: str, hint: str = "", *, place: tuple[str, int] | None = None) -> None:
        """Record a mistake at the user's line that is being executed, or at `place`; once of a kind on a line."""
        file, line = place or self.at or caller()
        for mistake in self.mistakes:
            if mistake.file == file and mistake.kind == kind and mistake.line <= line <= mistake.last_line:
                return
        self.mistakes.append(TracedMistake(kind=kind, file=file, line=line, last_line=line, message=message, hint=hint))

    def count_condition(self) -> None:
        """Count a traced value that was mistaken for a condition.

        Raises:
            EndlessTraceError: There were so many that some loop does not end.
        """
        self.conditions += 1
        if self.conditions > _MOST_CONDITIONS:
            raise EndlessTraceError("a loop asks a traced value again and again")

    def new_slot(self, name: str) -> int:
        """Return a new slot that a user knows as `name`."""
        number = len(self.slots)
        self.slots[number] = name
        return number

    def add_node(self, node: Node) -> None:
        """Append a node to the template being filled."""
        self.bodies[-1].append(node)

    def new_path(self, name: str) -> str:
        """Return a unique path for a call of `name`: the second one is `name#2`."""
        path = self.prefix + name
        self.counts[path] = self.counts.get(path, 0) + 1
        return path if self.counts[path] == 1 else f"{path}#{self.counts[path]}"

    @contextmanager
    def body(self) -> Generator[list[Node]]:
        """Collect the nodes of an inner template."""
        nodes: list[Node] = []
        self.bodies.append(nodes)
        try:
            yield nodes
        finally:
            self.bodies.pop()

    def template(self, nodes: list[Node], output: Expr) -> Template:
        """Return a finished template."""
        return Template(tuple(nodes), output)
