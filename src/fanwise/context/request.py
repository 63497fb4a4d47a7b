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
        content = [block_of(part, ttl if part.job else row_ttl) for part in self.content]
        body: dict[str, Any] = {
            "model": self.model,
            "max_tokens": self.max_tokens,
            "messages": [{"role": "user", "content": content}],
            "metadata": {"user_id": run_id},
        }
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

    def warming(self, *, run_id: str, ttl: Ttl) -> dict[str, Any]:
        """Return a body that reads what rows share of this request and answers nothing.

        `max_tokens: 0` is refused beside a format ("Prompt caching", read 2026-11-23); one token is
        asked for then.
        """
        bare = replace(self, content=(Part("."),), max_tokens=0 if self.schema is None else 1)
        return bare.body(run_id=run_id, ttl=ttl)

    def hash(self) -> str:
        """Return a hash of the request: run id, breakpoints and streaming left out."""
        front = _front_hash(
            self.model, self.max_tokens, self.thinking, self.effort, self.schema_text, _texts(self.system)
        ).copy()
        for part in self.content:
            front.update(_SEPARATOR + (part.text if part.media is None else part.media.sha).encode(*_UTF8))
        return front.hexdigest()

    def encode(
        self, *, run_id: str, ttl: Ttl | None, row_ttl: Ttl | None, previous: str | None = None, stream: bool = False
    ) -> bytes:
        """Return `body` as JSON; what rows share is serialised once."""
        head = _head(
            self.model, self.max_tokens, self.thinking, self.effort, self.schema_text, self.system, run_id, ttl
        )
        content = [block_of(part, ttl if part.job else row_ttl) for part in self.content]
        more = b"" if previous is None else b',"diagnostics":' + _json({"previous_message_id": previous or None})
        return b"".join(
            (head, b',"messages":[{"role":"user","content":', _json(content), b"}]", more, _STREAM[stream], b"}")
        )

    def size(self) -> int:
        """Return an upper bound of the tokens of all parts: a text has no more of them than bytes."""
        content = sum(
            len(part.text.encode(*_UTF8)) if part.media is None else part.media.bound for part in self.content
        )
        return _bytes(self.system) + content

    def weight(self) -> int:
        """Return about how many bytes the request has on the wire, and not fewer."""
        files = sum(len(part.media.data) * 4 // 3 for part in self.content if part.media is not None)
        return (self.size() * 11 // 10 + 1_000) + files  # escapes, and the frame around the texts

    def chars(self) -> int:
        """Return the length of all texts in characters, a strict schema's JSON among them.

        The API bills what it adds to the prompt for a schema; its size is not stated ("Structured
        outputs", read 2026-11-23).
        """
        return len(self.schema_text) + sum(part.chars(self.per_token) for part in (*self.system, *self.content))

    def prefixes(self) -> tuple[Prefix, ...]:
        """Return the marked prefixes, shortest first."""
        if not self._prefixes:
            found = prefixes_of(
                self.model, self.thinking, self.effort, self.schema_text, self.system, self.content, self.per_token
            )
            self._prefixes.append(found)
        return self._prefixes[0]


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
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
    front = _front_hash(body["model"], body["max_tokens"], thinking, config.get("effort"), schema, system).copy()
    for one in map(as_object, body["messages"][0]["content"]):
        text = str(one.get("text"))
        if "source" in one:
            text = digest(base64.b64decode(as_object(one["source"]).get("data") or ""))
        front.update(_SEPARATOR + text.encode(*_UTF8))
    return front.hexdigest()


@lru_cache(maxsize=1024)
def _front_hash(
    model: str, max_tokens: int, thinking: str | None, effort: str | None, schema: str, system: tuple[str, ...]
) -> Any:
    """Return the hash of what rows share of a request, to be copied and gone on with."""
    return hashlib.sha256(dumps([model, max_tokens, thinking, effort, schema, *system]).encode(*_UTF8))


@lru_cache(maxsize=1024)
def _head(
    model: str,
    max_tokens: int,
    thinking: str | None,
    effort: str | None,
    schema: str,
    system: tuple[Part, ...],
    run_id: str,
    ttl: Ttl | None,
) -> bytes:
    """Return the front of a body as JSON, up to its messages."""
    form = json.loads(schema) if schema else None
    body = Request(model, max_tokens, thinking, effort, form, system, ()).body(run_id=run_id, ttl=ttl)
    del body["messages"]
    return _json(body)[:-1]


def _json(data: object) -> bytes:
    return _encode(data).encode("utf-8")


@lru_cache(maxsize=1024)
def _texts(parts: tuple[Part, ...]) -> tuple[str, ...]:
    return tuple(part.text for part in parts)


@lru_cache(maxsize=1024)
def _bytes(parts: tuple[Part, ...]) -> int:
    return sum(len(part.text.encode(*_UTF8)) for part in parts)
