"""Two agents in a chain that could be one: the second reads all that the first writes, and nobody else reads it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fanwise.engine.instructed import told
from fanwise.graph.expr import Expr, evaluate, gets
from fanwise.graph.nodes import GraphSpec, TaskNode, Template, parts, reads, walk
from fanwise.graph.rewritten import ChangedTarget, rewritten
from fanwise.graph.spec import AgentSpec
from fanwise.graph.types import fields

from .candidates import Candidate

BASIS = (
    "planned with a task less: the request shows what either was shown, what both share once, and the answer is the "
    "second's alone; what the first wrote is neither written nor shown again. Whether the answers stay as good is for "
    "labelled rows to say"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chain:
    """Two tasks of which the second alone reads the first."""

    first: TaskNode
    second: TaskNode
    early: AgentSpec
    late: AgentSpec
    args: Mapping[str, Expr]
    """What the merged agent is shown."""
    names: Mapping[str, str]
    """The second's parameters that are not made of the first's answer, with those of the merged agent for them."""


def merges(spec: GraphSpec) -> Iterator[Candidate]:
    """Yield for each chain of two agents that could be one the graph in which they are.

    They have to have one model and one way to think, neither tools nor examples nor packs, and the blocks of one of
    them must be all that the other has.
    """
    for template in _templates(spec.template):
        tasks = [node for node in template.nodes if isinstance(node, TaskNode)]
        for first in tasks:
            for second in tasks:
                chain = _chain(spec, first, second)
                if chain is not None:
                    yield _candidate(spec, chain)


def _templates(template: Template) -> Iterator[Template]:
    yield template
    for node in walk(template):
        yield from parts(node)


def _chain(spec: GraphSpec, first: TaskNode, second: TaskNode) -> _Chain | None:
    """Return two tasks as a chain; None where they are none that could be one task."""
    early, late = first.target.spec, second.target.spec
    if early is None or late is None or not _go_together(early, late) or not _is_read_here(spec, first, second):
        return None
    if any(inspect.iscoroutinefunction(node.target.body) for node in (first, second)):
        return None
    args, names = dict(first.args), dict[str, str]()
    for param, expr in second.args.items():
        if not _mentions(expr, first.slot):
            same = next((name for name, shown in first.args.items() if shown == expr), None)
            names[param] = same or (param if param not in args else f"{late.name}_{param}")
            args[names[param]] = expr
    if _names_of_blocks_clash(first, second, names):
        return None
    return _Chain(first=first, second=second, early=early, late=late, args=args, names=names)


def _is_read_here(spec: GraphSpec, first: TaskNode, second: TaskNode) -> bool:
    """Return whether a task reads all of another's answer, nobody else reads it, and nothing is made of it and more."""
    output = None if first.target.spec is None else first.target.spec.output
    of_first = [expr for expr in second.args.values() if _mentions(expr, first.slot)]
    is_apart = all({get.slot for get in gets(expr)} == {first.slot} for expr in of_first)
    is_only_reader = _reads_of(spec, first.slot) == _reads_in(second, first.slot)
    return is_apart and is_only_reader and _reads_all(first, second, output)


def _names_of_blocks_clash(first: TaskNode, second: TaskNode, names: Mapping[str, str]) -> bool:
    more = [second.blocks[param] for param, name in names.items() if param in second.blocks and name not in first.args]
    return bool({*first.blocks.values()} & {*more})


def _go_together(early: AgentSpec, late: AgentSpec) -> bool:
    """Return whether two agents are asked in the same way, with the blocks of one of them."""
    plain = not any(agent.tools or agent.examples or agent.packs for agent in (early, late))
    ways = [(agent.tiers, agent.intensity, agent.reuses) for agent in (early, late)]
    blocks = [{block.sha for block in agent.context} for agent in (early, late)]
    return (
        plain and early.name != late.name and ways[0] == ways[1] and (blocks[0] <= blocks[1] or blocks[1] <= blocks[0])
    )


def _mentions(expr: Expr, slot: int) -> bool:
    return any(get.slot == slot for get in gets(expr))


def _reads_in(node: TaskNode, slot: int) -> int:
    return sum(get.slot == slot for expr in reads(node) for get in gets(expr))


def _reads_of(spec: GraphSpec, slot: int) -> int:
    """Return how often a value is read in a whole graph, as a result too."""
    exprs = [expr for node in walk(spec.template) for expr in reads(node)]
    exprs += [template.output for template in _templates(spec.template)]
    return sum(get.slot == slot for expr in exprs for get in gets(expr))


def _reads_all(first: TaskNode, second: TaskNode, output: Any) -> bool:
    """Return whether a task reads the whole answer of another, or each of its fields."""
    paths = [get.path for expr in reads(second) for get in gets(expr) if get.slot == first.slot]
    names = {path[0][1] for path in paths if len(path) == 1}
    own = fields(output)
    return () in paths or (own is not None and bool(paths) and set(own) <= names)


def _candidate(spec: GraphSpec, chain: _Chain) -> Candidate:
    early, late = chain.early.name, chain.late.name

    def change(node: TaskNode) -> TaskNode | None:
        if node.path == chain.first.path:
            return None
        return _merged(chain) if node.path == chain.second.path else node

    return Candidate(
        kind="merge",
        agents=(early, late),
        place=chain.second.place,
        text=f"let one agent do what {early} and {late} do: all that {early} writes is read by {late}, and by it alone",
        basis=BASIS,
        graph=rewritten(spec, change),
    )


def _merged(chain: _Chain) -> TaskNode:
    """Return the task in which the second agent does the first's work too."""
    first, second, names = chain.first, chain.second, chain.names
    types = {**{name: chain.late.params[param] for param, name in names.items()}, **chain.early.params}
    context = max(chain.early.context, chain.late.context, key=len)
    agent = replace(
        chain.late,
        name=f"{chain.early.name}_{chain.late.name}",
        instructions=f"First: {told(chain.early)}\n\nThen, with what that comes to: {told(chain.late)}\n\n"
        "Answer with what comes of the second alone.",
        context=context,
        max_tokens=max(chain.early.max_tokens, chain.late.max_tokens),
        params={param: types[param] for param in chain.args},
    )
    of_second = {name: param for param, name in names.items() if name not in first.args}
    blocks = {name: second.blocks[param] for name, param in of_second.items() if param in second.blocks}
    labels = {name: second.labels[param] for name, param in of_second.items()}
    return replace(
        second,
        target=ChangedTarget(second.target, agent, _stand_in(chain)),
        args=chain.args,
        blocks={**first.blocks, **blocks},
        labels={**first.labels, **labels},
    )


def _stand_in(chain: _Chain) -> Any:
    """Return the stand-ins of both, one after the other."""
    first, second, names = chain.first, chain.second, chain.names
    of_first = {param: expr for param, expr in second.args.items() if param not in names}

    def body(**values: Any) -> Any:
        answer = first.target.body(**{param: values[param] for param in first.args})
        passed = {param: evaluate(expr, lambda _: answer) for param, expr in of_first.items()}
        return second.target.body(**passed, **{param: values[name] for param, name in names.items()})

    return body
