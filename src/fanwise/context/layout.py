"""Which block stands where in a request, and behind which of them the cache is asked to write.

Agents that can share a cache (equal model, thinking and effort) form a family. Who shares which
prefix with whom is the problem of `sharing`, solved by price. Where nodes with different schemas
share one, the schemas travel in the tail, unless strict ones, which split the cache, are much
cheaper. Agents that read a block of the row together stand behind one and the same prefix.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fanwise.canonical import dumps

from .family import ROWS, Laid, estimate, lay
from .shape import CachePrices, Need, Shape

SPLIT = 1.25
"""How much cheaper whole requests must be with strict schemas for a shared prefix to be split by them."""
REST_TOKENS = 500
"""What a request is taken to cost beside its blocks and its schema: values and answer, in input tokens."""
TAIL_FRAME_TOKENS = 30
"""What stands around a schema in the tail."""
REPAIRS = 1.01
"""Price of a schema that is not enforced: one answer in a hundred is asked again. Ours, not measured."""

Prices = Callable[[str], CachePrices]
"""Gives the prices of a model's cache."""


def layout(needs: Mapping[str, Need], prices: Prices = lambda model: CachePrices()) -> dict[str, Shape]:
    """Return a shape for every node, by path; the same for the same needs and prices."""
    families: dict[tuple[object, ...], dict[str, Need]] = {}
    for path, need in needs.items():
        families.setdefault(need.family, {})[path] = need
    shapes: dict[str, Shape] = {}
    for family in families.values():
        cache = prices(next(iter(family.values())).model)
        strict, tail = _strict(family, cache), _tail(family, cache)
        rest = ROWS * REST_TOKENS * sum(need.tasks for need in family.values())
        split = not tail.mixed or (strict.cost + rest) * SPLIT < tail.cost + rest
        shapes |= strict.shapes if split else tail.shapes
    return shapes


def _strict(members: Mapping[str, Need], cache: CachePrices) -> Laid:
    """Every schema as `output_config.format`: only nodes with equal ones share."""
    groups: dict[str, dict[str, Need]] = {}
    for path, need in members.items():
        groups.setdefault(dumps(dict(need.schema)), {})[path] = need
    laid = [lay(group, cache, schema=schema) for schema, group in groups.items()]
    shapes = {path: shape for one in laid for path, shape in one.shapes.items()}
    return Laid(sum(one.cost for one in laid), shapes, mixed=False)


def _tail(members: Mapping[str, Need], cache: CachePrices) -> Laid:
    """Every schema in the tail of its own requests: all nodes can share."""
    laid = lay(members, cache, schema=None)
    schemas = sum(
        ROWS * need.tasks * (estimate(dumps(dict(need.schema)), need.model) + TAIL_FRAME_TOKENS)
        for need in members.values()
    )
    return Laid((laid.cost + schemas) * REPAIRS, laid.shapes, laid.mixed)
