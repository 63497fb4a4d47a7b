"""The marked levels of a node's `system`: what the cache holds of it for every row, level by level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fanwise.blocks import Block
from fanwise.context.tail import fence
from fanwise.models import facts

from .plan import NodePlan


@dataclass(frozen=True, slots=True)
class Level:
    """What stands between two breakpoints."""

    names: tuple[str, ...]
    """Of its blocks, for people."""
    texts: tuple[str, ...]
    tokens: int


def levels(node: NodePlan) -> list[Level]:
    """Return the levels of an agent's node from the front; none where all of them are too short to be cached.

    Tools stand in front of `system`, and the API puts a schema there too: both are in the first level.
    """
    assert node.spec is not None and node.shape is not None
    shape, spec = node.shape, node.spec
    found = [(_names(bundle), _texts(bundle)) for bundle in shape.bundles]
    if shape.own_marked:
        names = (*_names(shape.own), f"instructions of {spec.name}")
        found.append((names, (*_texts(shape.own), spec.instructions)))
    if found and node.need is not None and node.need.tools:
        names, texts = found[0]
        found[0] = (("tools", *names), (node.need.tools, *texts))
    if found and shape.format is not None:
        names, texts = found[0]
        word = "envelope of schemas" if shape.way == "envelope" else "schema"
        found[0] = ((word, *names), (shape.schema_text, *texts))
    made = [Level(names, texts, tokens(node, texts)) for names, texts in found]
    return made if sum(level.tokens for level in made) >= facts(spec.model).cache_minimum else []


def common_tokens(node: NodePlan) -> int:
    """Return the tokens of all texts that an agent's requests have in common, a schema in the tail left out."""
    assert node.spec is not None and node.shape is not None
    shape = node.shape
    texts = [text for bundle in (*shape.bundles, shape.own) for text in _texts(bundle)]
    schema = [shape.schema_text] if shape.format is not None else []
    schema += [node.need.tools] if node.need is not None and node.need.tools else []
    return tokens(node, (*schema, *texts, node.spec.instructions))


def tokens(node: NodePlan, texts: Sequence[str]) -> int:
    """Return the tokens of texts for a node's model."""
    assert node.spec is not None and node.need is not None
    return sum(node.need.sizes.tokens(text, node.spec.model) for text in texts)


def _names(blocks: Sequence[Block]) -> tuple[str, ...]:
    return tuple(block.name for block in blocks)


def _texts(blocks: Sequence[Block]) -> tuple[str, ...]:
    return tuple(fence(block.name, block.text) for block in blocks)
