"""Counting the texts that a job's requests have in common, once: kept on disk by content, for every later run.

`count_tokens` is free and has limits of its own ("Token counting", read 2026-11-23).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType

import anyio

from fanwise.api.client import Api
from fanwise.api.failures import RequestError
from fanwise.canonical import digest
from fanwise.context.sizes import DOCUMENTED, Sizes
from fanwise.context.tail import fence
from fanwise.graph.nodes import GraphSpec

AT_ONCE = 8
_SCHEMA = """CREATE TABLE IF NOT EXISTS counted(model TEXT, sha TEXT, chars INT, tokens INT, PRIMARY KEY(model, sha));
CREATE TABLE IF NOT EXISTS usage(model TEXT PRIMARY KEY, chars INT, tokens INT);"""


class TokenCache:
    """What is known of sizes on this machine; where nothing can be kept, nothing is."""

    def __init__(self, path: Path | None = None) -> None:
        """Open the file, by default `fanwise/tokens.db` in the user's cache folder."""
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
        self._path = path or base / "fanwise" / "tokens.db"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self._path, isolation_level=None, timeout=5)
            self._db.executescript(_SCHEMA)
        except (OSError, sqlite3.Error):
            self._db = sqlite3.connect(":memory:", isolation_level=None)
            self._db.executescript(_SCHEMA)

    def __enter__(self) -> TokenCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def sizes(self, wanted: Iterable[tuple[str, str]]) -> Sizes:
        """Return what is known of texts, given as pairs of model and text."""
        counted: dict[tuple[str, str], tuple[int, int]] = {}
        for model, text in wanted:
            sha = digest(text)
            row = self._db.execute("SELECT chars, tokens FROM counted WHERE model=? AND sha=?", (model, sha)).fetchone()
            if row is not None:
                counted[model, sha] = (row[0], row[1])
        usage = {model: (chars, tokens) for model, chars, tokens in self._db.execute("SELECT * FROM usage")}
        return Sizes(counted, usage) if counted or usage else DOCUMENTED

    def keep(self, model: str, text: str, tokens: int) -> None:
        """Keep the size of a text, by its hash."""
        self._db.execute("INSERT OR REPLACE INTO counted VALUES(?,?,?,?)", (model, digest(text), len(text), tokens))

    def learn(self, model: str, chars: int, tokens: int) -> None:
        """Add what was billed for what was sent; older runs count half with every new one."""
        self._db.execute(
            "INSERT INTO usage VALUES(?,?,?) ON CONFLICT(model) DO UPDATE SET chars=chars/2+excluded.chars, "
            "tokens=tokens/2+excluded.tokens",
            (model, chars, tokens),
        )


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
