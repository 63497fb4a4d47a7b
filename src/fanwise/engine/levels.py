"""The marked levels of a node's `system`: what the cache holds of it for every row, level by level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fanwise.models import facts

from .nodes import AgentNode


@dataclass(frozen=True, slots=True)
class PrefixLevel:
    """What stands between two breakpoints."""

    names: tuple[str, ...]
    """Of its blocks, for people."""
    texts: tuple[str, ...]
    tokens: int


def levels(node: AgentNode) -> list[PrefixLevel]:
    """Return the levels of an agent's node from the front; none where all of them are too short to be cached.

    Tools stand in front of `system`, and the API puts a schema there too: both are in the first level.
    """
    marked: list[PrefixLevel] = []
    names, texts = list[str](), list[str]()
    for segment in node.shape.segments(node.need):
        if segment.place not in ("front", "system"):
            break
        names.append(segment.name)
        texts.append(segment.text)
        if segment.marked:
            marked.append(PrefixLevel(tuple(names), tuple(texts), tokens(node, texts)))
            names, texts = [], []
    return marked if sum(level.tokens for level in marked) >= facts(node.spec.model).cache_minimum else []


def common_tokens(node: AgentNode) -> int:
    """Return the tokens of all texts that an agent's requests have in common, a schema in the tail left out."""
    return tokens(node, [segment.text for segment in node.shape.segments(node.need) if segment.place != "tail"])


def tokens(node: AgentNode, texts: Sequence[str]) -> int:
    """Return the tokens of texts for a node's model."""
    return sum(node.need.sizes.tokens(text, node.spec.model) for text in texts)
