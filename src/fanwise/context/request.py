"""A request as data: the slice of one task in the order of its layout, byte for byte."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal

from fanwise.blocks import Block
from fanwise.canonical import digest, dumps
from fanwise.jsonable import as_object
from fanwise.media import Media
from fanwise.models import facts

from .repeats import Piece
from .shape import MAX_ROW_MARKS, Need, Shape
from .tail import fence, label, shown, tail

Ttl = Literal["5m", "1h"]


@dataclass(frozen=True, slots=True)
class Part:
    """One text of a request, or an image or PDF."""

    text: str
    marked: bool = False
    """Whether a cache breakpoint follows."""
    media: Media | None = None
    job: bool = False
    """Whether rows have it in common though it stands in the content."""

    def chars(self, per_token: float) -> int:
        """Return its length in characters, or what its tokens come to."""
        return len(self.text) if self.media is None else round(self.media.tokens * per_token)


@dataclass(frozen=True, slots=True)
class Prefix:
    """The front of a request up to a breakpoint."""

    key: str
    """Hash of all that the cache keys by: model, thinking, effort, format and every byte."""
    tokens: int
    """Estimate of its length, from the characters of a token on average."""
    job: bool
    """True where rows share it; False for a prefix with blocks of one row."""


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
        content = [_block(part, ttl if part.job else row_ttl) for part in self.content]
        body: dict[str, Any] = {
            "model": self.model,
            "max_tokens": self.max_tokens,
            "messages": [{"role": "user", "content": content}],
            "metadata": {"user_id": run_id},
        }
        if self.system:
            body["system"] = [_block(part, ttl) for part in self.system]
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
        content = [_block(part, ttl if part.job else row_ttl) for part in self.content]
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
            self._prefixes.append(_prefixes(self))
        return self._prefixes[0]


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
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


@lru_cache(maxsize=1024)
def _texts(parts: tuple[Part, ...]) -> tuple[str, ...]:
    return tuple(part.text for part in parts)


@lru_cache(maxsize=1024)
def _bytes(parts: tuple[Part, ...]) -> int:
    return sum(len(part.text.encode(*_UTF8)) for part in parts)


def _block(part: Part, ttl: Ttl | None) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "text", "text": part.text} if part.media is None else part.media.source()
    if part.marked and ttl is not None:
        # 5m is the API's default and is left out, as the page "Prompt caching" recommends no form.
        block["cache_control"] = {"type": "ephemeral"} if ttl == "5m" else {"type": "ephemeral", "ttl": ttl}
    return block


@dataclass(frozen=True, slots=True)
class _Front:
    """What the `system` part of a request comes to; the same for every row."""

    key: str
    chars: int
    prefixes: tuple[Prefix, ...]


@lru_cache(maxsize=1024)
def _front(
    model: str, thinking: str | None, effort: str | None, schema: str, system: tuple[Part, ...], per_token: float
) -> _Front:
    start = _Front(digest(dumps([model, thinking, effort, schema])), len(schema), ())
    return _extend(start, system, per_token, job=True)


def _extend(front: _Front, parts: tuple[Part, ...], chars_per_token: float, *, job: bool) -> _Front:
    key, chars, found = front.key, front.chars, list(front.prefixes)
    for part in parts:
        key = digest(f"{key}{job}{part.text if part.media is None else part.media.sha}")
        chars += part.chars(chars_per_token)
        if part.marked:
            found.append(Prefix(key, round(chars / chars_per_token), job))
    return _Front(key, chars, tuple(found))


def _prefixes(request: Request) -> tuple[Prefix, ...]:
    front = _front(
        request.model, request.thinking, request.effort, request.schema_text, request.system, request.per_token
    )
    last = max((index for index, part in enumerate(request.content, 1) if part.marked), default=0)
    if not last:
        return front.prefixes
    own = next((index for index, part in enumerate(request.content) if not part.job), last)
    front = _extend(front, request.content[: min(own, last)], request.per_token, job=True)
    return _extend(front, request.content[min(own, last) : last], request.per_token, job=False).prefixes


def compose(
    need: Need, shape: Shape, values: Mapping[str, Any], blocks: Mapping[str, str], max_tokens: int, repair: str = ""
) -> Request:
    """Return the request of one task.

    Args:
        need: What the node needs.
        shape: Where each part stands.
        values: Arguments by parameter name.
        blocks: Parameters that travel as blocks of the row, with the block's name.
        max_tokens: Cap of the reply, thinking included.
        repair: Why the answer before was refused, on the one repair attempt.
    """
    found = {name: values[param] for param, name in blocks.items() if isinstance(values[param], str | Media)}
    present = {param: name for param, name in blocks.items() if name in found}
    names = [name for name in shape.row_blocks if name in found]
    marked = set(names[: min(shape.shared_row_blocks, MAX_ROW_MARKS)])
    row = [part for name in names for part in _row_part(name, found[name], marked=name in marked)]
    told = shown(values, present)
    last = tail(need.agent, told, need.schema if shape.way == "tail" else None, repair)
    system = tuple(part for bundle in shape.bundles for part in _marked(_system(bundle)))
    own = (*_system(shape.own), Part(need.instructions))
    if shape.row_first:
        content = (*_media(shape.media), *row, *own, Part(last))
    else:
        system += _marked(own) if shape.own_marked else own
        content = (*row, Part(last))
    per_token = need.chars_per_token or facts(need.model).chars_per_token
    alone = [text for param, text in told.items() if param not in present]
    common = (*(part for bundle in shape.bundles for part in _system(bundle)), *own)
    pieces = (
        *_pieces(common, shape.schema_text),
        *(_piece(part, per_token, job=True) for part in _media(shape.media)),
        *(_piece(part, per_token, job=False) for part in row),
        *(Piece(digest(text), len(text), job=False) for text in alone),
    )
    level, sent = need.intensity, shape.schema_text if shape.format is not None else ""
    return Request(
        need.model, max_tokens, level.thinking, level.effort, shape.format, system, content, pieces,
        need.chars_per_token, sent,
    )  # fmt: skip


@lru_cache(maxsize=512)
def _system(blocks: tuple[Block, ...]) -> tuple[Part, ...]:
    return tuple(Part(fence(block.name, block.text)) for block in blocks)


def _row_part(name: str, value: str | Media, *, marked: bool) -> tuple[Part, ...]:
    if isinstance(value, str):
        return (Part(fence(name, value), marked),)
    return Part(label(name, value)), Part("", marked, value)


@lru_cache(maxsize=512)
def _media(blocks: tuple[Block, ...]) -> tuple[Part, ...]:
    """Return images and PDFs that rows have in common, with a breakpoint behind the last."""
    parts: list[Part] = []
    for block in blocks:
        if block.media is not None:
            parts += [Part(label(block.name, block.media), job=True), Part("", block is blocks[-1], block.media, True)]
    return tuple(parts)


def _piece(part: Part, per_token: float, *, job: bool) -> Piece:
    return Piece(digest(part.text) if part.media is None else part.media.sha, part.chars(per_token), job)


@lru_cache(maxsize=512)
def _pieces(parts: tuple[Part, ...], schema: str) -> tuple[Piece, ...]:
    """Return what every request of a node has in common, as pieces."""
    return tuple(Piece(digest(text), len(text), job=True) for text in (*(part.text for part in parts), schema))


def _marked(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    return (*parts[:-1], Part(parts[-1].text, True)) if parts else parts
