"""Which block stands where in a request, and behind which of them the cache is asked to write.

Agents that can share a cache (equal model, thinking and effort) form a family. Who shares which
prefix with whom is the problem of `sharing`, solved by price. Where nodes with different schemas
share one, the schemas travel in one envelope or in the tail, whichever is cheaper, unless strict
ones, which split the cache, are cheaper by far. Agents that read a block of the row together stand
behind one and the same prefix.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
REPAIRS = 1.01
"""Price of a schema that is not enforced: one answer in a hundred is asked again. Ours, not measured."""
OUTPUT_PRICE = 5
"""An output token in input tokens: the same for every current model ("Pricing", read 2026-11-23)."""

Prices = Callable[[str], CachePrices]
"""Gives the prices of a model's cache."""
Schemas = Literal["auto", "strict", "shared"]
"""`strict`: each agent sends its own schema. `shared`: in whatever way splits no cache. `auto`: by price."""


def layout(
    needs: Mapping[str, Need], prices: Prices = lambda model: CachePrices(), schemas: Schemas = "auto"
) -> dict[str, Shape]:
    """Return a shape for every node, by path; the same for the same needs and prices."""
    families: dict[tuple[object, ...], dict[str, Need]] = {}
    for path, need in needs.items():
        families.setdefault(need.family, {})[path] = need
    shapes: dict[str, Shape] = {}
    for family in families.values():
        shapes |= _chosen(family, prices(next(iter(family.values())).model), schemas).shapes
    return shapes


def _chosen(family: Mapping[str, Need], cache: CachePrices, schemas: Schemas) -> PricedLayout:
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
        groups.setdefault(dumps(dict(need.schema)), {})[path] = need
    laid = [lay_out(group, cache, way="strict", schema=next(iter(group.values())).schema) for group in groups.values()]
    shapes = {path: shape for group in laid for path, shape in group.shapes.items()}
    return PricedLayout(sum(group.cost for group in laid), shapes, mixed=False)


def _tail(members: Mapping[str, Need], cache: CachePrices) -> PricedLayout:
    """Every schema in the tail of its own requests: all nodes can share."""
    laid = lay_out(members, cache, way="tail")
    schemas = sum(
        ROWS * need.tasks * (need.sizes.tokens(dumps(dict(need.schema)), need.model) + TAIL_FRAME_TOKENS)
        for need in members.values()
    )
    return PricedLayout((laid.cost + schemas) * REPAIRS, laid.shapes, laid.mixed)


def _envelope(members: Mapping[str, Need], cache: CachePrices) -> PricedLayout | None:
    """One schema for all: part of the prefix, and a field's name more in every answer."""
    schema = envelope({need.agent: need.schema for need in members.values()})
    if schema is None:
        return None
    laid = lay_out(members, cache, way="envelope", schema=schema)
    names = sum(ROWS * need.tasks * need.sizes.tokens(seal(need.agent, ""), need.model) for need in members.values())
    return PricedLayout(laid.cost + names * OUTPUT_PRICE, laid.shapes, laid.mixed)
