"""What the requests of a node have in common, and what follows from that alone: worked out once, not for every row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from fanwise.canonical import dumps
from fanwise.models import Effort, effort_of, facts

from .parts import Front, Part, Ttl, block_of, front_of

UTF8 = ("utf-8", "surrogatepass")
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, eq=False, kw_only=True)
class Frame:
    """All of a request but its messages."""

    model: str
    max_tokens: int
    thinking: str | None = None
    effort: Effort | None = None
    """None: it is left to the model, or the model has none."""
    schema: Mapping[str, Any] | None = None
    """Sent as `output_config.format`; None where the schema stands in the tail."""
    system: tuple[Part, ...] = ()
    schema_text: str = ""
    """`schema` as canonical JSON."""
    tools: str = ""
    """Definitions of the tools that the model may use, as canonical JSON; empty: it has none."""
    chars_per_token: float | None = None
    """On average; None: the documented one of the model."""
    _heads: dict[str, bytes] = field(init=False, default_factory=dict[str, bytes])
    """By run and life."""

    @cached_property
    def per_token(self) -> float:
        """Characters of a token, on average."""
        return self.chars_per_token or facts(self.model).chars_per_token

    @cached_property
    def front(self) -> Front:
        """The prefixes that end in `system`."""
        effort = effort_of(self.model, self.effort)
        return front_of(self.model, self.thinking, effort, self.schema_text + self.tools, self.system, self.per_token)

    @cached_property
    def size(self) -> int:
        """Bytes of the texts of `system` and of the tools: they have no more tokens than these."""
        return sum(utf8(part.text) for part in self.system) + utf8(self.tools)

    @cached_property
    def chars(self) -> int:
        """Characters of all texts.

        The API bills what it adds to the prompt for a schema; its size is not stated ("Structured
        outputs", read 2026-11-23).
        """
        own = sum(part.chars(self.per_token) for part in self.system)
        return own + len(self.schema_text) + len(self.tools)

    @cached_property
    def hashed(self) -> Any:
        """The hash of it, to be copied and gone on with."""
        texts = tuple(part.text for part in self.system)
        return front_hash(self.model, self.max_tokens, self.thinking, self.effort, self.schema_text, self.tools, texts)

    def body(self, *, run_id: str, ttl: Ttl | None, messages: list[dict[str, Any]]) -> dict[str, Any]:
        """Return a Messages body.

        Args:
            run_id: Sent as `metadata.user_id`, so that a bill can be split by run.
            ttl: Life of what is written at the breakpoints in `system`; None: none of these.
            messages: The conversation.
        """
        body: dict[str, Any] = {
            "model": self.model,
            "max_tokens": self.max_tokens,
            "messages": messages,
            "metadata": {"user_id": run_id},
        }
        if self.tools:
            body["tools"] = json.loads(self.tools)
        if self.system:
            body["system"] = [block_of(part, ttl) for part in self.system]
        if self.thinking is not None:
            body["thinking"] = {"type": self.thinking}
        if config := self._output_config():
            body["output_config"] = config
        return body

    def _output_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {}
        if self.effort is not None:
            config["effort"] = self.effort
        if self.schema is not None:
            config["format"] = {"type": "json_schema", "schema": dict(self.schema)}
        return config

    def head(self, run_id: str, ttl: Ttl | None) -> bytes:
        """Return a body as JSON up to its messages; the same object for all requests."""
        key = f"{run_id} {ttl}"
        head = self._heads.get(key)
        if head is None:
            body = self.body(run_id=run_id, ttl=ttl, messages=[])
            del body["messages"]
            head = self._heads[key] = (_encode(body)[:-1] + ',"messages":').encode("utf-8")
        return head


@lru_cache(maxsize=1024)
def front_hash(
    model: str,
    max_tokens: int,
    thinking: str | None,
    effort: str | None,
    schema: str,
    tools: str,
    system: tuple[str, ...],
) -> Any:
    """Return the hash of what rows share of a request, to be copied and gone on with."""
    front = [model, max_tokens, thinking, effort, schema, *([tools] if tools else []), *system]
    return hashlib.sha256(dumps(front).encode(*UTF8))


def utf8(text: str) -> int:
    """Return the bytes of a text; whether it is ASCII, Python knows without looking."""
    return len(text) if text.isascii() else len(text.encode(*UTF8))
