"""Counting the texts that a job's requests have in common, once: kept on disk by content, for every later run.

`count_tokens` is free and has limits of its own ("Token counting", read 2026-11-23).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import anyio

from fanwise.api.client import Api
from fanwise.api.failures import RequestError
from fanwise.canonical import digest
from fanwise.context.sizes import Sizes
from fanwise.context.tail import fence
from fanwise.graph.nodes import GraphSpec
from fanwise.journal.tokens import TokenCache

AT_ONCE = 8


def common_texts(graphs: Iterable[GraphSpec]) -> list[tuple[str, str]]:
    """Return the texts that rows have in common, with the model that is sent them."""
    found: dict[tuple[str, str], None] = {}
    for graph in graphs:
        for node in graph.tasks():
            agent = node.target.spec
            if agent is not None:
                found |= {
                    (agent.model, fence(block.name, block.text)): None for block in agent.context if block.media is None
                }
                found[agent.model, agent.instructions] = None
    return list(found)


def known_sizes(graphs: Iterable[GraphSpec]) -> Sizes:
    """Return what is known on this machine of the sizes of graphs' texts, without asking anybody."""
    with TokenCache() as cache:
        return cache.sizes(common_texts(graphs))


async def count(api: Api, wanted: Iterable[tuple[str, str]], cache: TokenCache) -> Sizes:
    """Return sizes of texts, counting those that are not known; where that cannot be done, what is known.

    Args:
        api: Who counts.
        wanted: Pairs of model and text.
        cache: What is known, and where it is kept.
    """
    pairs = list(wanted)
    known = cache.sizes(pairs).counted
    missing = [(model, text) for model, text in pairs if (model, digest(text)) not in known]
    bases: dict[str, int] = {}
    limiter = anyio.CapacityLimiter(AT_ONCE)

    async def one(model: str, text: str) -> None:
        async with limiter:
            try:
                whole = await api.count_tokens(model, text)
            except RequestError:
                return
        cache.keep(model, text, max(whole - bases[model], 0))

    for model in dict.fromkeys(model for model, _ in missing):
        try:
            bases[model] = await api.count_tokens(model, "")
        except RequestError:
            continue  # a gateway may not count: averages do then
    async with anyio.create_task_group() as group:
        for model, text in missing:
            if model in bases:
                group.start_soon(one, model, text)
    return cache.sizes(pairs)


def learn(cache: TokenCache, sent: Mapping[str, tuple[int, int]]) -> None:
    """Keep what a run has shown of its models' tokens: characters sent and tokens billed, by model."""
    for model, (chars, tokens) in sent.items():
        if tokens:
            cache.learn(model, chars, tokens)
