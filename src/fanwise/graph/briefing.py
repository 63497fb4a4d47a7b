"""What a single agent is told of a graph: its parts in their order, what goes where, and what each of them gives.

The instructions of an agent stand in the part that is its own. Conditions and lists are said in words, since the agent
has to do in one answer what the graph would do in several.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Any

from fanwise.canonical import dumps

from . import types as ty
from .cut import Cut, Passed
from .expr import Apply, Const, Expr, Get, Make
from .nodes import EachNode, GivenNode, GraphSpec, Node, OptionalNode, TaskNode, Template, WhenNode
from .spec import AgentSpec
from .typewords import TypeWords, types_of

_PREFACE = "Do the whole job for this row in one answer. Its parts, in order; a part's name stands for what it gives:"


def briefing(spec: GraphSpec, graph: Cut, shown: Mapping[Get, str], told: Callable[[AgentSpec], str]) -> str:
    """Return the instructions of one agent that does the middle of a graph.

    Args:
        spec: The graph.
        graph: The same in its parts.
        shown: What the agent is shown, by where it stands in the graph.
        told: Gives what an agent of the graph is told: its instructions and its examples.
    """
    answers = [passed.get for passed in graph.answer] or [spec.template.output]
    given_whole = {get.slot for get in answers if isinstance(get, Get) and not get.path}
    writer = _Writer(spec.slots, shown, given_whole, TypeWords(types_of(graph.answer_type)), told)
    parts = [_PREFACE, *writer.parts(graph.middle, ""), writer.ending(spec.template.output, graph.answer)]
    return "\n\n".join(parts)


class _Writer:
    """Writes the parts of a graph."""

    def __init__(
        self,
        names: Mapping[int, str],
        shown: Mapping[Get, str],
        given_whole: Set[int],
        types: TypeWords,
        told: Callable[[AgentSpec], str],
    ) -> None:
        self._names: dict[int, str] = dict(names)
        self._types, self._told_of = types, told
        self._given_whole = given_whole
        """Parts whose value is the answer, or a field of it."""
        self._shown, self._told = shown, dict[str, str]()
        """Instructions by the number of the part that has said them."""

    def parts(self, nodes: Sequence[Node], above: str) -> Iterator[str]:
        """Yield the parts of a template, each with those inside of it."""
        number = 0
        for node in nodes:
            if isinstance(node, OptionalNode):  # nothing fails by itself in one answer
                self._names[node.slot] = self.text(node.value)
                continue
            self._names[node.slot], number = node.path, number + 1
            yield from self._part(node, f"{above}{number}")

    def _part(self, node: TaskNode | EachNode | WhenNode | GivenNode, number: str) -> Iterator[str]:
        title = f"{number}. {node.path}"
        match node:
            case TaskNode():
                yield "\n".join([f"{title}({self._arguments(node)})", *self._task(node, number)])
            case EachNode():
                most = "" if node.most is None else f", the first {node.most} at most"
                yield f"{title}: for each item of {self.text(node.over)}{most}"
                self._names[node.item] = "item" if "." not in number else f"item of {node.path}"
                yield from self._body(node.body, number)
            case WhenNode():
                yield f"{title}: if {self.text(node.condition)}"
                yield from self._body(node.then, f"{number}.if")
                yield f"{number}. else{': null' if node.otherwise is None else ''}"
                if node.otherwise is not None:
                    yield from self._body(node.otherwise, f"{number}.else")
            case GivenNode():
                yield f"{title}: if there is {self.text(node.value)}, else null"
                self._names[node.item] = self.text(node.value)
                yield from self._body(node.body, number)

    def _body(self, body: Template, number: str) -> Iterator[str]:
        yield from self.parts(body.nodes, f"{number}.")
        if not body.nodes or body.output != Get(body.nodes[-1].slot):
            yield f"{number}. gives {self.text(body.output)}"

    def _arguments(self, node: TaskNode) -> str:
        texts = {param: self.text(expr) for param, expr in node.args.items()}
        return ", ".join(param if param == text else f"{param} = {text}" for param, text in texts.items())

    def _task(self, node: TaskNode, number: str) -> Iterator[str]:
        agent = node.target.spec
        instructions = _rule(node.target.body) if agent is None else self._told_of(agent)
        before = self._told.setdefault(instructions, number)
        yield instructions if before == number else f"As in {before}."
        if node.slot not in self._given_whole:  # the form of an answer is known by its schema
            tp = getattr(node.target, "output", ty.Unknown) if agent is None else agent.output
            if ty.strip(tp) is not str:
                yield f"Gives {self._types.described(tp)}"

    def ending(self, output: Expr, answer: Sequence[Passed]) -> str:
        """Return what the answer is to be."""
        if len(answer) > 1:
            texts = {passed.name: self.text(passed.get) for passed in answer}
            named = (name if name == text else f"{name}: {text}" for name, text in texts.items())
            return "\n- ".join(["Answer with:", *named])
        return f"Answer with {self.text(answer[0].get if answer else output)}."

    def text(self, expr: Expr) -> str:
        """Return an expression in words."""
        match expr:
            case Const(value):
                return dumps(value) if isinstance(value, str | int | float | bool | None) else repr(value)
            case Make(kind, items, keys):
                texts = [self.text(item) for item in items]
                if kind == "dict":
                    return "{" + ", ".join(f"{key}: {text}" for key, text in zip(keys, texts, strict=True)) + "}"
                return f"[{', '.join(texts)}]" if kind == "list" else f"({', '.join(texts)})"
            case Apply(op, operands):
                texts = [f"({self.text(part)})" if isinstance(part, Apply) else self.text(part) for part in operands]
                if op == "not":
                    return f"not {texts[0]}"
                return f" {_WORDS.get(op, op)} ".join(texts)
            case Get(slot, path):
                for end in range(len(path), -1, -1):
                    name = self._shown.get(Get(slot, path[:end]))
                    if name is not None:
                        return _with_path(name, path[end:])
                return _with_path(self._names.get(slot, "the value"), path)


_WORDS = {"==": "is", "!=": "is not", "&": "and", "|": "or"}


def _with_path(name: str, path: Sequence[tuple[str, Any]]) -> str:
    return name + "".join(f".{key}" if kind == "field" else f"[{key!r}]" for kind, key in path)


def _rule(body: Any) -> str:
    """Return what a step between agents does: its docstring, else its source."""
    text = inspect.getdoc(body)
    if text:
        return f"A fixed rule: {text}"
    try:
        return f"A fixed rule, in Python:\n{inspect.getsource(body).rstrip()}"
    except (OSError, TypeError):
        return "A fixed rule of this name."
