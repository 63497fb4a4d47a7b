"""What the tokens are made of: instructions, context, data of the row, outputs of other tasks, answers.

Input tokens of an attempt are allotted to what it was sent by its characters, which were noted when
it was composed. So the parts of an attempt sum to its tokens, and what travels along an edge of the
graph is the part of the parameters that the edge fills; one that several tasks fill is split evenly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from fanwise.journal.meta import TASKS
from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName, Channel
from fanwise.journal.views import INPUT_OF
from fanwise.pricing.cost import tokens_cost
from fanwise.pricing.rates import known_rates
from fanwise.pricing.usage import Usage
from fanwise.units import moment

from .account import in_order

KINDS = ("instructions", "context", "row", "upstream", "conversation", "outputs")
"""`instructions` with schemas and tools, shared `context`, data of the `row`, `upstream` outputs of other
tasks, `conversation` with tools and refusals of answers, and what was answered."""
_INPUTS = f"""CASE WHEN asks<2 THEN 1 ELSE (
  SELECT COUNT(DISTINCT {INPUT_OF.format("k")})
  FROM asks k WHERE k.attempt=served.attempt) END"""
"""How many inputs an attempt has shown: equal tasks were shown one."""
_ASKS = f"""SELECT arm, node, model, channel, sizes, chars, {_INPUTS} AS inputs,
  SUM(prompt) AS prompt, SUM(output) AS output, CAST(MAX(sent)/86400 AS INT) AS day
  FROM served WHERE status='succeeded' AND attempt>0 AND (cost IS NOT NULL OR tokens>0) {{more}}
  GROUP BY arm, node, model, channel, sizes, 6, 7"""
"""Equal tasks are shown all that was sent, those of a pack their part of it. Of attempts from 0 on, so that they are
read in the order in which they stand, and not in that of an index. Nothing is known of a reply without usage."""

Parts = dict[str, float]
"""Tokens by kind."""


@dataclass(slots=True)
class Flow:
    """What travelled along one edge of the graph."""

    tokens: float = 0.0
    cost: float = 0.0
    """Picodollars, as input that is neither written to the cache nor read from it."""
    priced: bool = True
    """Whether the price of all of it is known."""


@dataclass(frozen=True, slots=True)
class Composition:
    """What the tokens of all answered requests of rows are made of."""

    arms: dict[ArmName, Parts] = field(default_factory=dict["ArmName", Parts])
    nodes: dict[tuple[ArmName, str], Parts] = field(default_factory=dict[tuple["ArmName", str], Parts])
    """By arm and task."""
    edges: dict[tuple[ArmName, str, str], Flow] = field(default_factory=dict[tuple["ArmName", str, str], Flow])
    """By arm, source and target."""


def tasks(db: Book) -> dict[ArmName, dict[str, Any]]:
    """Return the tasks of all arms and what travels between them, as they were noted by the run."""
    return TASKS.of(db)


def composition(db: Book, row: int | None = None) -> Composition:
    """Return what the tokens of a run are made of.

    Args:
        db: The journal.
        row: Number of a row; None: all rows.
    """
    drawn, made_of = tasks(db), Composition()
    query, args = (_ASKS.format(more=""), ()) if row is None else (_ASKS.format(more="AND row=?"), (row,))
    # Plain tuples: there may be a group for each row.
    for arm, path, model, channel, sizes, chars, inputs, prompt, output, day in db.execute(query, args):
        node = drawn.get(arm, {}).get("nodes", {}).get(path)
        if node is None or "params" not in node or (node["params"] and not sizes):
            continue  # of a graph that was changed since
        parts, flows = _split(node, sizes, max(chars, 1), prompt, inputs)
        parts["outputs"] = output
        arm_parts = made_of.arms.setdefault(arm, _none())
        node_parts = made_of.nodes.setdefault((arm, path), _none())
        for kind, tokens in parts.items():
            arm_parts[kind] += tokens
            node_parts[kind] += tokens
        price = _input_price(model, channel, day)
        for source, tokens in flows.items():
            flow = made_of.edges.setdefault((arm, source, path), Flow())
            flow.tokens += tokens
            flow.cost += tokens * (price or 0)
            flow.priced = flow.priced and price is not None
    return made_of


def _none() -> Parts:
    return dict.fromkeys(KINDS, 0.0)


def _split(node: Mapping[str, Any], sizes: str, chars: int, prompt: int, inputs: int) -> tuple[Parts, dict[str, float]]:
    """Return input tokens by kind, and by where they came from.

    Args:
        node: What the run has noted of it.
        sizes: Characters of each value that was shown, with commas.
        chars: Characters of all that was sent.
        prompt: The tokens.
        inputs: How many tasks were shown together: each bears its part of what they have in common.
    """
    own = min(node["instructions"] + node["context"], chars) / inputs
    instructions = min(node["instructions"] / inputs, own)
    of_row, of_tasks, sources = _values(node["params"], sizes)
    conversation = max(chars - own - of_row - of_tasks, 0.0) if inputs == 1 else 0.0
    parts = {
        "instructions": instructions, "context": own - instructions, "row": of_row, "upstream": of_tasks,
        "conversation": conversation,
    }  # fmt: skip
    total = sum(parts.values())
    return (
        {kind: prompt * part / total for kind, part in parts.items()},
        {source: prompt * part / total for source, part in sources.items()},
    )


def _values(params: Mapping[str, Sequence[str]], sizes: str) -> tuple[float, float, dict[str, float]]:
    """Return the characters of values: those of the row, those of other tasks, and all of them by source.

    Args:
        params: Where the value of each parameter comes from.
        sizes: Characters of each, in that order.
    """
    of_row = of_tasks = 0.0
    by_source = defaultdict[str, float](float)
    for sources, size in zip(params.values(), _sizes(sizes), strict=False):
        if not sources:  # a constant stands in the row's part
            of_row += size
        for source in sources:
            part = size / len(sources)
            by_source[source] += part
            if source.startswith("row "):
                of_row += part
            else:
                of_tasks += part
    return of_row, of_tasks, by_source


def _sizes(text: str) -> Iterator[int]:
    return map(int, text.split(",")) if text else iter(())


@lru_cache(maxsize=1024)
def _input_price(model: str, channel: Channel, day: int) -> int | None:
    """Return picodollars of a plain input token; None where no price is known."""
    rate = known_rates(model, moment(day * 86_400))
    return None if rate is None else tokens_cost(Usage(input=1), rate, batch=channel == "batch")


def data(composed: Composition) -> dict[str, dict[str, int]]:
    """Return whole tokens by arm and kind, as JSON-ready data."""
    return {arm: {kind: round(composed.arms[arm][kind]) for kind in KINDS} for arm in in_order(composed.arms)}
