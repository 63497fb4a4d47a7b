"""Which block stands where in a request, and behind which of them the cache is asked to write.

Agents that can share a cache (equal model, thinking and effort) form a family. Who shares which
prefix with whom is the problem of `sharing`, solved by price. Where nodes with different schemas
share one, the schemas travel in one envelope or in the tail, whichever is cheaper, unless strict
ones, which split the cache, are cheaper by far. Nodes that answer in plain text send no schema: they
share with those whose schema is in the tail, and stand apart from others or join their envelope,
whichever is cheapest. Agents that read a block of the row together stand behind one and the same prefix.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Literal

from fanwise.canonical import dumps

from .envelope import envelope, seal
from .family import ROWS, PricedLayout, lay_out
from .shape import CachePrices, Need, Shape

SPLIT = 1.25
"""How much cheaper whole requests must be with strict schemas for a shared prefix to be split by them."""
REST_TOKENS = 500
"""What a request is taken to cost beside its blocks and its schema: values and answer, in input tokens."""
TAIL_FRAME_TOKENS = 30
"""What stands around a schema in the tail."""
REPAIRS = 0.01
"""Share of answers to a schema that is not enforced which are asked again. Ours, not measured."""
OUTPUT_PRICE = 5
"""An output token in input tokens: the same for every current model ("Pricing", read 2026-11-23)."""

Prices = Callable[[str], CachePrices]
"""Gives the prices of a model's cache."""
Schemas = Literal["auto", "strict", "shared"]
"""`strict`: each agent sends its own schema. `shared`: in whatever way splits no cache. `auto`: by price."""
Texts = Literal["auto", "plain", "enclosed"]
"""Whether agents that answer text do so in plain text: by price, wherever that can be, or nowhere where an envelope
can take them. A plan asks for the second and the third, to show what they would cost."""
_AROUND_VALUE = '{"value":}'
"""What an answer by itself has around a value that is no object."""


def layout(
    needs: Mapping[str, Need],
    prices: Prices = lambda model: CachePrices(),
    schemas: Schemas = "auto",
    texts: Texts = "auto",
) -> dict[str, Shape]:
    """Return a shape for every node, by path; the same for the same needs and prices."""
    families: dict[tuple[object, ...], dict[str, Need]] = {}
    for path, need in needs.items():
        families.setdefault(need.family, {})[path] = need
    shapes: dict[str, Shape] = {}
    for family in families.values():
        shapes |= _chosen(family, prices(next(iter(family.values())).model), schemas, texts).shapes
    return shapes


def _chosen(family: Mapping[str, Need], cache: CachePrices, schemas: Schemas, texts: Texts) -> PricedLayout:
    plain = {path: need for path, need in family.items() if need.schema is None}
    others = {path: need for path, need in family.items() if need.schema is not None}
    if not others:
        return _tail(plain, cache)
    if not plain:
        return _with_schemas(others, cache, schemas)
    apart, tail = _both(_with_schemas(others, cache, schemas), _tail(plain, cache)), _tail(family, cache)
    if not tail.joined or schemas == "strict":  # neither would share with the other
        return apart
    enclosed = None if texts == "plain" else _enclosed(others, plain, tail.joined, cache)
    if enclosed is not None and texts == "enclosed":
        return enclosed
    candidates = [tail, *([enclosed] if enclosed is not None else []), *([apart] if schemas == "auto" else [])]
    return min(candidates, key=lambda candidate: candidate.cost)


def _enclosed(
    others: Mapping[str, Need], plain: Mapping[str, Need], joined: Collection[str], cache: CachePrices
) -> PricedLayout | None:
    """Return the layout in which texts that share a prefix with other answers share their envelope, if there is one."""
    enclosed = _envelope({**others, **{path: plain[path] for path in plain if path in joined}}, cache)
    rest = {path: need for path, need in plain.items() if path not in joined}
    return _both(enclosed, _tail(rest, cache)) if enclosed is not None and rest else enclosed


def _both(first: PricedLayout, second: PricedLayout) -> PricedLayout:
    """Return the layout of nodes that share nothing with others."""
    return PricedLayout(cost=first.cost + second.cost, shapes=first.shapes | second.shapes, mixed=first.mixed)


def _with_schemas(family: Mapping[str, Need], cache: CachePrices, schemas: Schemas) -> PricedLayout:
    """Lay out nodes none of which answers in plain text."""
    strict, tail = _strict(family, cache), _tail(family, cache)
    if not tail.mixed or schemas == "strict":  # nobody would share with another schema
        return strict
    shared = _together(family, cache, tail)
    rest = ROWS * REST_TOKENS * sum(need.tasks for need in family.values())
    split = schemas == "auto" and (strict.cost + rest) * SPLIT < shared.cost + rest
    return strict if split else shared


def _together(family: Mapping[str, Need], cache: CachePrices, tail: PricedLayout) -> PricedLayout:
    """Return the cheaper layout in which different schemas split no prefix: one envelope, or all in the tail."""
    enclosed = _envelope(family, cache)
    return enclosed if enclosed is not None and enclosed.cost < tail.cost else tail


def _strict(members: Mapping[str, Need], cache: CachePrices) -> PricedLayout:
    """Every schema as `output_config.format`: only nodes with equal ones share."""
    groups: dict[str, dict[str, Need]] = {}
    for path, need in members.items():
        groups.setdefault(dumps(dict(need.schema or {})), {})[path] = need
    laid = [lay_out(group, cache, way="strict", schema=next(iter(group.values())).schema) for group in groups.values()]
    shapes = {path: shape for group in laid for path, shape in group.shapes.items()}
    return PricedLayout(cost=sum(group.cost for group in laid) + _around(members), shapes=shapes, mixed=False)


def _tail(members: Mapping[str, Need], cache: CachePrices) -> PricedLayout:
    """Every schema in the tail of its own requests, and none where the answer is a text: all nodes can share."""
    laid = lay_out(members, cache, way="tail")
    with_schema = [need for need in members.values() if need.schema is not None]
    schemas = sum(
        ROWS * need.tasks * (need.sizes.tokens(dumps(dict(need.schema or {})), need.model) + TAIL_FRAME_TOKENS)
        for need in with_schema
    )
    repaired = REPAIRS * sum(need.tasks for need in with_schema) / sum(need.tasks for need in members.values())
    cost = laid.cost * (1 + repaired) + schemas * (1 + REPAIRS) + _around(members)
    return PricedLayout(cost=cost, shapes=laid.shapes, mixed=laid.mixed, joined=laid.joined)


def _around(members: Mapping[str, Need]) -> float:
    """Return what the objects around values cost that are none, in answers by themselves; a text has none."""
    return sum(
        ROWS * need.tasks * need.sizes.tokens(_AROUND_VALUE, need.model) * OUTPUT_PRICE
        for need in members.values()
        if need.schema is not None and need.value_schema is not None
    )


def _envelope(members: Mapping[str, Need], cache: CachePrices) -> PricedLayout | None:
    """One schema for all: part of the prefix, and a field's name more in every answer, with quotes around a text."""
    schema = envelope({need.agent: need.enclosed_schema for need in members.values()})
    if schema is None:
        return None
    laid = lay_out(members, cache, way="envelope", schema=schema)
    around = sum(
        ROWS * need.tasks * need.sizes.tokens(seal(need.agent, '""' if need.schema is None else ""), need.model)
        for need in members.values()
    )
    return PricedLayout(cost=laid.cost + around * OUTPUT_PRICE, shapes=laid.shapes, mixed=laid.mixed)
