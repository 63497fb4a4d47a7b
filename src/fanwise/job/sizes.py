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
from fanwise.context.tags import fence
from fanwise.engine.instructed import told_in_envelope, told_in_request
from fanwise.graph.nodes import GraphSpec
from fanwise.journal.tokens import TokenCache

AT_ONCE = 8


def common_texts(graphs: Iterable[GraphSpec]) -> list[tuple[str, str]]:
    """Return the texts that rows have in common, with the model that is sent them."""
    agents = [node.target.spec for graph in graphs for node in graph.tasks() if node.target.spec is not None]
    texts: dict[tuple[str, str], None] = {}
    for agent in agents:
        fences = [fence(block.name, block.text) for block in agent.context if block.media is None]
        instructions = [told_in_request(agent), *([told_in_envelope(agent)] if agent.examples else [])]
        texts |= dict.fromkeys((agent.model, text) for text in (*fences, *instructions))
    return list(texts)


def known_sizes(graphs: Iterable[GraphSpec]) -> Sizes:
    """Return what is known on this machine of the sizes of graphs' texts, without asking anybody."""
    with TokenCache() as cache:
        return cache.sizes(common_texts(graphs))


async def count(api: Api, texts: Iterable[tuple[str, str]], cache: TokenCache) -> Sizes:
    """Return sizes of texts, counting those that are not known; where that cannot be done, what is known.

    Args:
        api: Who counts.
        texts: Pairs of model and text.
        cache: What is known, and where it is kept.
    """
    pairs = list(texts)
    counted = cache.sizes(pairs).counted
    missing = [(model, text) for model, text in pairs if (model, digest(text)) not in counted]
    empty = {model: await _tokens(api, model, "") for model in dict.fromkeys(model for model, _ in missing)}
    limiter = anyio.CapacityLimiter(AT_ONCE)

    async def keep(model: str, text: str, base: int) -> None:
        async with limiter:
            tokens = await _tokens(api, model, text)
        if tokens is not None:
            cache.keep(model, text, max(tokens - base, 0))

    async with anyio.create_task_group() as group:
        for model, text in missing:
            base = empty[model]
            if base is not None:
                group.start_soon(keep, model, text, base)
    return cache.sizes(pairs)


async def _tokens(api: Api, model: str, text: str) -> int | None:
    """Return the tokens of a request with a text; None where nobody counts: a gateway may not, averages do then."""
    try:
        return await api.count_tokens(model, text)
    except RequestError:
        return None


def learn(cache: TokenCache, sent: Mapping[str, tuple[int, int]]) -> None:
    """Keep what a run has shown of its models' tokens: characters sent and tokens billed, by model."""
    for model, (chars, tokens) in sent.items():
        if tokens:
            cache.learn(model, chars, tokens)
