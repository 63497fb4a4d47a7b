"""A checked plan as the syntax tree of a file: imports, agents, and the graph."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from fanwise.blocks import Block, Document
from fanwise.errors import DefinitionError, Mistake
from fanwise.graph.agent import Agent

from .alone import ALONE
from .calltree import assigned, called, name, read, task
from .checking import CheckedPlan
from .offer import ROW
from .typetext import NoTextError, TypeTexts

SAID = "A graph that was frozen from a task plan: read it, edit it, run it as any other."
"""The docstring of the file."""
AGENTS = "AGENTS"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenSources:
    """Where a frozen file has from what it does not define."""

    folder: str
    """Of the agent files, as the file names it."""
    module: ModuleType | None = None
    """Where its types and documents stand; None where it needs none."""
    module_name: str = ""
    """What the file imports it as."""
    inherit: str | None = None
    """As of `Agents.load`, and so is what follows."""
    drops_tools: bool = False
    alone: Agent[..., Any] | None = None
    """The single agent, which the file defines itself."""


class FileTree:
    """The statements of a frozen file."""

    def __init__(self, checked: CheckedPlan, graph: str, sources: FrozenSources) -> None:
        """Begin.

        Args:
            checked: The plan.
            graph: Name of the graph.
            sources: Where the rest stands.
        """
        self._checked, self._graph, self._sources = checked, graph, sources
        self._types = TypeTexts(sources.module, sources.module_name)
        self._variables: dict[str, str] = {}
        self._contexts: dict[tuple[str, tuple[str, ...]], str] = {}
        self._own_types: dict[str, ast.stmt] = {}
        """Statements that name types which stand in agent files alone, by the name."""
        self._mistakes: list[Mistake] = []

    def groups(self) -> list[list[ast.stmt]]:
        """Return the statements of the file in groups, each of which stands by itself.

        Raises:
            DefinitionError: Something that it names has no name in the file.
        """
        agents = [*self._agents()]
        contexts = [*self._with_contexts()]
        function = self._function()
        used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
        agents += [statement for variable, statement in self._own_types.items() if variable in used]
        if self._mistakes:
            raise DefinitionError("task plan", tuple(self._mistakes))
        plan = self._checked.plan
        head: list[ast.stmt] = [
            assigned("TASK_PLAN", ast.Constant(plan.hash)),
            assigned("REASON", ast.Constant(plan.reason)),
        ]
        loaded = [self._loaded()] if set(self._variables.values()) - {ALONE} else []
        body = [head, loaded, agents, self._defined(), contexts, [function]]
        imports = self._imports([statement for group in body for statement in group])
        said: list[ast.stmt] = [ast.Expr(ast.Constant(SAID))]
        return [group for group in (said, *imports, *body) if group]

    def _imports(self, body: list[ast.stmt]) -> Iterator[list[ast.stmt]]:
        """Yield the imports of what the file uses, each kind by itself."""
        used = {node.id for statement in body for node in ast.walk(statement) if isinstance(node, ast.Name)}
        typing = [word for word in ("TYPE_CHECKING", "Any", "Literal") if word in used]
        yield [ast.ImportFrom("typing", [ast.alias(word) for word in typing], 0)] if typing else []
        words = [word for word in ("Agent", "Agents", "agent", "each", "given", "graph", "when") if word in used]
        yield [ast.ImportFrom("fanwise", [ast.alias(word) for word in words], 0)]
        module = self._sources.module_name
        yield [ast.Import([ast.alias(module)])] if self._sources.module is not None else []

    def _loaded(self) -> ast.stmt:
        """Return the statement that loads the agents."""
        sources = self._sources
        types: ast.expr = ast.Tuple([], ast.Load()) if sources.module is None else name(sources.module_name)
        more = {"inherit": ast.Constant(sources.inherit)} if sources.inherit is not None else {}
        drops = {"missing_tools": ast.Constant("drop")} if sources.drops_tools else {}
        load = ast.Attribute(name("Agents"), "load", ast.Load())
        return assigned(AGENTS, called(load, ast.Constant(sources.folder), types=types, **more, **drops))

    # Agents ------------------------------------------------------------------------------------

    def _agents(self) -> Iterator[ast.stmt]:
        """Yield a variable for each agent that is used."""
        for agent in {call.agent.name: call.agent for call in self._checked.calls}.values():
            if agent is self._sources.alone:
                self._variables[agent.name] = ALONE
                continue
            variable = self._free(re.sub(r"\W", "_", agent.name).upper())
            self._variables[agent.name] = variable
            try:
                output = self._types.written(agent.spec.output)
            except NoTextError:
                output = name("Any")
                self._add_own_type(agent, variable)
            annotation = ast.Subscript(name("Agent"), ast.Tuple([ast.Constant(...), output], ast.Load()), ast.Load())
            loaded = ast.Subscript(name(AGENTS), ast.Constant(agent.name), ast.Load())
            yield ast.AnnAssign(ast.Name(variable, ast.Store()), annotation, loaded, 1)

    def _defined(self) -> list[ast.stmt]:
        """Return the single agent, where it is used, as a function with its instructions: no file has it."""
        if self._sources.alone is None or ALONE not in self._variables.values():
            return []
        spec = self._sources.alone.spec
        settings = {"model": ast.Constant(spec.model), "max_tokens": ast.Constant(spec.max_tokens)}
        told: ast.stmt = ast.Expr(ast.Constant(spec.instructions))
        unanswered = ast.Raise(name("NotImplementedError"))
        return [self._definition(ALONE, [told, unanswered], called(name("agent"), **settings))]

    def _free(self, text: str) -> str:
        """Return a variable of an agent: in capital letters, as no task is."""
        is_plain = text.isascii() and text.isidentifier()
        base = f"{text}_AGENT" if text in (AGENTS, "TASK_PLAN", "REASON", "TYPE_CHECKING") else text
        base = base if is_plain and base.upper() == base and not base.startswith("_") else "AGENT"
        number, free = 1, base
        while free in {*self._variables.values(), *self._contexts.values(), *self._own_types}:
            number += 1
            free = f"{base}_{number}"
        return free

    def _add_own_type(self, agent: Agent[..., Any], variable: str) -> None:
        """Give a name to the type of an answer that stands in the agent's file alone."""
        title = self._free(f"{variable}_ANSWER")
        self._types.add_variable(agent.spec.output, title)
        output = ast.Attribute(ast.Attribute(name(variable), "spec", ast.Load()), "output", ast.Load())
        checked = name("TYPE_CHECKING")
        self._own_types[title] = ast.If(checked, [assigned(title, name("Any"))], [assigned(title, output)])

    def _with_contexts(self) -> Iterator[ast.stmt]:
        """Yield a variable for each agent with more context."""
        for call in self._checked.calls:
            key = call.agent.name, tuple(call.blocks)
            if not call.blocks or key in self._contexts:
                continue
            agent = self._variables[call.agent.name]
            variable = self._free(f"{agent}_IN_CONTEXT")
            self._contexts[key] = variable
            spec = ast.Attribute(name(agent), "spec", ast.Load())
            own = ast.Starred(ast.Attribute(spec, "context", ast.Load()), ast.Load())
            blocks = [self._block(call.number, block) for block in call.blocks.values()]
            options = ast.Attribute(name(agent), "options", ast.Load())
            yield assigned(variable, called(options, context=ast.List([own, *blocks], ast.Load())))

    def _block(self, number: int, block: Block) -> ast.expr:
        """Return a block as it is named in the module."""
        module = self._sources.module
        for attribute, value in vars(module).items() if module is not None else ():
            holder = ast.Attribute(name(self._sources.module_name), attribute, ast.Load())
            if value is block:
                return holder
            if isinstance(value, Document) and block in value.sections:
                return ast.Subscript(holder, ast.Constant(block.name.split("/", 1)[1]), ast.Load())
        hint = "make it a name of the module of types"
        self._mistakes.append(Mistake(f"tasks[{number}].gives", f"block {block.name!r} has no name in the file", hint))
        return ast.Constant(None)

    # The graph ---------------------------------------------------------------------------------

    def _function(self) -> ast.stmt:
        """Return the graph function."""
        tasks = [
            task(call, self._contexts.get((call.agent.name, tuple(call.blocks)), self._variables[call.agent.name]))
            for call in self._checked.calls
        ]
        return self._definition(self._graph, [*tasks, ast.Return(read(self._checked.result))], name("graph"))

    def _definition(self, title: str, body: list[ast.stmt], decorator: ast.expr) -> ast.stmt:
        """Return a function from a row to its output."""
        row = self._written("row", self._checked.offer.row)
        output = self._written("returns", self._checked.output)
        params = ast.arguments([], [ast.arg(ROW, row)], None, [], [], None, [])
        function: Any = {"name": title, "args": params, "body": body, "decorator_list": [decorator]}
        if "type_params" in ast.FunctionDef._fields:  # from Python 3.12 on
            function["type_params"] = []
        return ast.FunctionDef(**function, returns=output)

    def _written(self, place: str, tp: Any) -> ast.expr:
        try:
            return self._types.written(tp)
        except NoTextError as error:
            text = f"its type has a part without a name: {error.tp!r:.60}"
            self._mistakes.append(Mistake(place, text, "return a task whole, or give the type a name in the module"))
            return ast.Constant(None)
