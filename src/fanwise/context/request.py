"""A request as data: the slice of a task in the order of its layout, byte for byte."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from fanwise.canonical import digest, dumps, quoted
from fanwise.jsonable import as_object
from fanwise.quick import maker

from .frame import UTF8, Frame, front_hash, utf8
from .parts import Part, Prefix, Ttl, block_of, prefixes_behind
from .repeats import Piece


class Input(NamedTuple):
    """What a request shows of one task alone."""

    text: str
    own: tuple[Piece, ...]
    """What of it may be sent again for the same row."""
    sizes: tuple[int, ...]
    """Characters of its values, by the names of their parameters in order."""


@dataclass(slots=True, eq=False, kw_only=True)
class Request:
    """One request of one task, or of several of a node that answers packs; channel and attempt left out."""

    frame: Frame
    """What it has in common with the others of its node."""
    content: tuple[Part, ...]
    common: tuple[Piece, ...] = ()
    """What of it may be sent again, and rows have in common: the same object in all requests of a node."""
    own: tuple[Piece, ...] = ()
    """What of it may be sent again for the same row alone."""
    turns: tuple[str, ...] = ()
    """Messages that followed the first, as canonical JSON: what the model said, what its tools said, and so on."""
    keep: bool = False
    """Whether the conversation is asked to be cached up to here, since it is expected to go on."""
    shared: str = ""
    """Key of the blocks that all requests of its node have in common."""
    row_parts: tuple[Part, ...] = ()
    """Of its content, the blocks of the row."""
    last: tuple[Part, ...] = ()
    """Of its content, the text that holds the values; none where all of them are blocks of the row."""
    sizes: tuple[int, ...] = ()
    """Characters of the values that it shows, by the names of their parameters in order."""
    others: tuple[Input, ...] = ()
    """The inputs of a pack behind the first, whose are `own` and `sizes`."""
    _prefixes: tuple[Prefix, ...] | None = field(default=None, repr=False)
    """The prefixes, once they were asked for."""

    @property
    def model(self) -> str:
        """The model that is asked."""
        return self.frame.model

    @property
    def max_tokens(self) -> int:
        """Cap of the reply, thinking included."""
        return self.frame.max_tokens

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
        body = self.frame.body(run_id=run_id, ttl=ttl, messages=self._messages(ttl, row_ttl))
        if previous is not None:
            body["diagnostics"] = {"previous_message_id": previous or None}
        return body

    def _messages(self, ttl: Ttl | None, row_ttl: Ttl | None) -> list[dict[str, Any]]:
        """Return the conversation so far; its end is marked where it is to be kept and a breakpoint is left."""
        first = [block_of(part, ttl if part.job else row_ttl) for part in self.content]
        messages: list[dict[str, Any]] = [{"role": "user", "content": first}, *map(json.loads, self.turns)]
        if row_ttl is not None and self.is_kept_whole():
            messages[-1]["content"][-1].setdefault("cache_control", {"type": "ephemeral"})
        return messages

    def is_kept_whole(self) -> bool:
        """Return whether its end is marked too, wherever blocks of a row are."""
        return self.keep and sum(part.marked for part in (*self.frame.system, *self.content)) < MOST_MARKS

    def marked_tokens(self) -> int:
        """Return an estimate of its length up to the last breakpoint, those behind blocks of the row among them."""
        if self.is_kept_whole():
            return round(self.chars() / self.frame.per_token)
        return max((prefix.tokens for prefix in self.prefixes()), default=0)

    def warming(self, *, run_id: str, ttl: Ttl) -> dict[str, Any]:
        """Return a body that reads what rows share of this request and answers nothing.

        `max_tokens: 0` is refused beside a format ("Prompt caching", read 2026-11-23); one token is
        asked for then.
        """
        bare = replace(self.frame, max_tokens=0 if self.frame.schema is None else 1)
        return Request(frame=bare, content=(Part("."),)).body(run_id=run_id, ttl=ttl)

    def hash(self) -> str:
        """Return a hash of the request: run id, breakpoints and streaming left out."""
        front = self.frame.hashed.copy()
        for part in self.content:
            front.update(_SEPARATOR + part.content.encode(*UTF8))
        for turn in self.turns:
            front.update(_SEPARATOR + turn.encode(*UTF8))
        return front.hexdigest()

    def encode(
        self, *, run_id: str, ttl: Ttl | None, row_ttl: Ttl | None, previous: str | None = None, stream: bool = False
    ) -> tuple[bytes, bytes]:
        """Return `body` as JSON in two pieces: what it has in common with others, serialised once, and the rest."""
        last = self.content[-1]
        if self.turns or self.keep or last.marked or last.media is not None or len(self.content) > 1:
            messages = _encode(self._messages(ttl, row_ttl))
        else:  # by far the most: written at once
            messages = _ONE_TEXT % quoted(last.text)
        more = "" if previous is None else ',"diagnostics":' + _encode({"previous_message_id": previous or None})
        return self.frame.head(run_id, ttl), (messages + more + _END[stream]).encode("utf-8")

    def size(self) -> int:
        """Return an upper bound of the tokens of all parts: a text has no more of them than bytes."""
        size = self.frame.size
        for part in self.content:
            size += utf8(part.text) if part.media is None else part.media.bound
        return size + sum(map(utf8, self.turns)) if self.turns else size

    def chars(self) -> int:
        """Return the length of all texts in characters, a strict schema's JSON among them."""
        own = sum(part.chars(self.frame.per_token) for part in self.content)
        return self.frame.chars + own + sum(map(len, self.turns))

    def prefixes(self) -> tuple[Prefix, ...]:
        """Return the marked prefixes, shortest first."""
        if self._prefixes is None:
            self._prefixes = prefixes_behind(self.frame.front, self.content, self.frame.per_token)
        return self._prefixes


new_request = maker(Request)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
MOST_MARKS = 4
"""Breakpoints of a request ("Prompt caching", read 2026-11-23)."""
_SEPARATOR = b"\0"
_ONE_TEXT = '[{"role":"user","content":[{"type":"text","text":%s}]}]'
_END = {False: "}", True: ',"stream":true}'}


def body_hash(body: Mapping[str, Any]) -> str:
    """Return the hash of a request that fanwise made, from its Messages body."""
    config = as_object(body.get("output_config"))
    form = as_object(config.get("format"))
    schema = dumps(form["schema"]) if "schema" in form else ""
    system = tuple(str(block.get("text")) for block in map(as_object, body.get("system") or ()))
    thinking = as_object(body.get("thinking")).get("type")
    tools = dumps(body["tools"]) if body.get("tools") else ""
    front = front_hash(body["model"], body["max_tokens"], thinking, config.get("effort"), schema, tools, system).copy()
    for block in map(as_object, body["messages"][0]["content"]):
        front.update(_SEPARATOR + _content(block).encode(*UTF8))
    for message in body["messages"][1:]:
        front.update(_SEPARATOR + dumps(_unmarked(message)).encode(*UTF8))
    return front.hexdigest()


def _content(block: Mapping[str, Any]) -> str:
    """Return the text of a content block, or the hash of its file."""
    if "source" not in block:
        return str(block.get("text"))
    return digest(base64.b64decode(as_object(block["source"]).get("data") or ""))


def _unmarked(message: Mapping[str, Any]) -> dict[str, Any]:
    content = [{key: part for key, part in block.items() if key != "cache_control"} for block in message["content"]]
    return {**message, "content": content}
