"""A request as data: the slice of one task in the order of its layout, byte for byte."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from fanwise.canonical import digest, dumps
from fanwise.jsonable import as_object
from fanwise.models import facts

from .parts import Part, Prefix, Ttl, block_of, prefixes_of
from .repeats import Piece


@dataclass(frozen=True, slots=True)
class Request:
    """One request of one task, channel and attempt left out."""

    model: str
    max_tokens: int
    thinking: str | None
    effort: str | None
    schema: Mapping[str, Any] | None
    """Sent as `output_config.format`; None where the schema stands in the tail."""
    system: tuple[Part, ...]
    content: tuple[Part, ...]
    pieces: tuple[Piece, ...] = ()
    """What of it may be sent again."""
    chars_per_token: float | None = None
    """On average; None: the documented one of the model."""
    schema_text: str = ""
    """`schema` as canonical JSON."""
    tools: str = ""
    """Definitions of the tools that the model may use, as canonical JSON; empty: it has none."""
    turns: tuple[str, ...] = ()
    """Messages that followed the first, as canonical JSON: what the model said, what its tools said, and so on."""
    keep: bool = False
    """Whether the conversation is asked to be cached up to here, since it is expected to go on."""
    sizes: tuple[int, ...] = ()
    """Characters of the values that it shows, by the names of their parameters in order."""
    _prefixes: list[tuple[Prefix, ...]] = field(default_factory=list["tuple[Prefix, ...]"], compare=False, repr=False)
    """The prefixes, once they were asked for."""

    @property
    def per_token(self) -> float:
        """Characters of a token, on average."""
        return self.chars_per_token or facts(self.model).chars_per_token

    def body(
        self, *, run_id: str, ttl: Ttl | None = "5m", row_ttl: Ttl | None = "5m", previous: str | None = None
    ) -> dict[str, Any]:
        """Return the Messages body.

        Args:
            run_id: Sent as `metadata.user_id`, so that a bill can be split by run.
            ttl: Life of what is written at the breakpoints that rows share; None: none of these.
            row_ttl: The same for those behind blocks of the row.
            previous: An earlier message, for the API to say why its prefix could not be read; an empty
                text only asks it to remember this one.
        """
        body: dict[str, Any] = {
            "model": self.model,
            "max_tokens": self.max_tokens,
            "messages": self._messages(ttl, row_ttl),
            "metadata": {"user_id": run_id},
        }
        if self.tools:
            body["tools"] = json.loads(self.tools)
        if self.system:
            body["system"] = [block_of(part, ttl) for part in self.system]
        if self.thinking is not None:
            body["thinking"] = {"type": self.thinking}
        config: dict[str, Any] = {}
        if self.effort is not None:
            config["effort"] = self.effort
        if self.schema is not None:
            config["format"] = {"type": "json_schema", "schema": dict(self.schema)}
        if config:
            body["output_config"] = config
        if previous is not None:
            body["diagnostics"] = {"previous_message_id": previous or None}
        return body

    def _messages(self, ttl: Ttl | None, row_ttl: Ttl | None) -> list[dict[str, Any]]:
        """Return the conversation so far; its end is marked where it is to be kept and a breakpoint is left."""
        first = [block_of(part, ttl if part.job else row_ttl) for part in self.content]
        messages: list[dict[str, Any]] = [{"role": "user", "content": first}, *map(json.loads, self.turns)]
        if self.keep and row_ttl is not None:
            used = sum(part.marked for part in (*self.system, *self.content))
            if used < MOST_MARKS:
                messages[-1]["content"][-1].setdefault("cache_control", {"type": "ephemeral"})
        return messages

    def warming(self, *, run_id: str, ttl: Ttl) -> dict[str, Any]:
        """Return a body that reads what rows share of this request and answers nothing.

        `max_tokens: 0` is refused beside a format ("Prompt caching", read 2026-11-23); one token is
        asked for then.
        """
        bare = replace(self, content=(Part("."),), turns=(), keep=False, max_tokens=0 if self.schema is None else 1)
        return bare.body(run_id=run_id, ttl=ttl)

    def hash(self) -> str:
        """Return a hash of the request: run id, breakpoints and streaming left out."""
        front = _front_hash(
            self.model, self.max_tokens, self.thinking, self.effort, self.schema_text, self.tools, _texts(self.system)
        ).copy()
        for part in self.content:
            front.update(_SEPARATOR + (part.text if part.media is None else part.media.sha).encode(*_UTF8))
        for turn in self.turns:
            front.update(_SEPARATOR + turn.encode(*_UTF8))
        return front.hexdigest()

    def encode(
        self, *, run_id: str, ttl: Ttl | None, row_ttl: Ttl | None, previous: str | None = None, stream: bool = False
    ) -> bytes:
        """Return `body` as JSON; what rows share is serialised once."""
        head = _head(
            self.model, self.max_tokens, self.thinking, self.effort, self.schema_text, self.tools, self.system, run_id,
            ttl,
        )  # fmt: skip
        messages = _json(self._messages(ttl, row_ttl))
        more = b"" if previous is None else b',"diagnostics":' + _json({"previous_message_id": previous or None})
        return b"".join((head, b',"messages":', messages, more, _STREAM[stream], b"}"))

    def size(self) -> int:
        """Return an upper bound of the tokens of all parts: a text has no more of them than bytes."""
        content = sum(_utf8(part.text) if part.media is None else part.media.bound for part in self.content)
        return _bytes(self.system) + content + sum(map(_utf8, (self.tools, *self.turns)))

    def weight(self) -> int:
        """Return about how many bytes the request has on the wire, and not fewer."""
        files = sum(len(part.media.data) * 4 // 3 for part in self.content if part.media is not None)
        return (self.size() * 11 // 10 + 1_000) + files  # escapes, and the frame around the texts

    def chars(self) -> int:
        """Return the length of all texts in characters, a strict schema's JSON among them.

        The API bills what it adds to the prompt for a schema; its size is not stated ("Structured
        outputs", read 2026-11-23).
        """
        texts = len(self.schema_text) + len(self.tools) + sum(map(len, self.turns))
        return texts + sum(part.chars(self.per_token) for part in (*self.system, *self.content))

    def prefixes(self) -> tuple[Prefix, ...]:
        """Return the marked prefixes, shortest first."""
        if not self._prefixes:
            found = prefixes_of(
                self.model,
                self.thinking,
                self.effort,
                self.schema_text + self.tools,
                self.system,
                self.content,
                self.per_token,
            )
            self._prefixes.append(found)
        return self._prefixes[0]


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
MOST_MARKS = 4
"""Breakpoints of a request ("Prompt caching", read 2026-11-23)."""
_SEPARATOR = b"\0"
_UTF8 = ("utf-8", "surrogatepass")
_STREAM = {False: b"", True: b',"stream":true'}


def body_hash(body: Mapping[str, Any]) -> str:
    """Return the hash of a request that fanwise made, from its Messages body."""
    config = as_object(body.get("output_config"))
    form = as_object(config.get("format"))
    schema = dumps(form["schema"]) if "schema" in form else ""
    system = tuple(str(one.get("text")) for one in map(as_object, body.get("system") or ()))
    thinking = as_object(body.get("thinking")).get("type")
    tools = dumps(body["tools"]) if body.get("tools") else ""
    front = _front_hash(body["model"], body["max_tokens"], thinking, config.get("effort"), schema, tools, system).copy()
    for one in map(as_object, body["messages"][0]["content"]):
        text = str(one.get("text"))
        if "source" in one:
            text = digest(base64.b64decode(as_object(one["source"]).get("data") or ""))
        front.update(_SEPARATOR + text.encode(*_UTF8))
    for message in body["messages"][1:]:
        front.update(_SEPARATOR + dumps(_unmarked(message)).encode(*_UTF8))
    return front.hexdigest()


def _unmarked(message: Mapping[str, Any]) -> dict[str, Any]:
    content = [{key: part for key, part in block.items() if key != "cache_control"} for block in message["content"]]
    return {**message, "content": content}


@lru_cache(maxsize=1024)
def _front_hash(
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
    return hashlib.sha256(dumps(front).encode(*_UTF8))


@lru_cache(maxsize=1024)
def _head(
    model: str,
    max_tokens: int,
    thinking: str | None,
    effort: str | None,
    schema: str,
    tools: str,
    system: tuple[Part, ...],
    run_id: str,
    ttl: Ttl | None,
) -> bytes:
    """Return the front of a body as JSON, up to its messages."""
    form = json.loads(schema) if schema else None
    front = Request(model, max_tokens, thinking, effort, form, system, (), tools=tools)
    body = front.body(run_id=run_id, ttl=ttl)
    del body["messages"]
    return _json(body)[:-1]


def _json(data: object) -> bytes:
    return _encode(data).encode("utf-8")


@lru_cache(maxsize=1024)
def _texts(parts: tuple[Part, ...]) -> tuple[str, ...]:
    return tuple(part.text for part in parts)


@lru_cache(maxsize=1024)
def _bytes(parts: tuple[Part, ...]) -> int:
    return sum(_utf8(part.text) for part in parts)


def _utf8(text: str) -> int:
    """Return the bytes of a text; whether it is ASCII, Python knows without looking."""
    return len(text) if text.isascii() else len(text.encode(*_UTF8))
