"""The parts of a request, the prefixes that end behind them, and each part as the API's content block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from fanwise.canonical import digest, dumps
from fanwise.media import Media

Ttl = Literal["5m", "1h"]


class Part(NamedTuple):
    """One text of a request, or an image or PDF."""

    text: str
    marked: bool = False
    """Whether a cache breakpoint follows."""
    media: Media | None = None
    job: bool = False
    """Whether rows have it in common though it stands in the content."""

    @property
    def is_sent(self) -> bool:
        """Whether anything is sent for it: a text, or a file."""
        return bool(self.text) or self.media is not None

    @property
    def is_image(self) -> bool:
        """Whether it is a picture."""
        return self.media is not None and self.media.is_image

    @property
    def content(self) -> str:
        """What tells it from other parts: its text, or the hash of its file."""
        return self.text if self.media is None else self.media.sha

    def chars(self, per_token: float) -> int:
        """Return its length in characters, or what its tokens come to."""
        return len(self.text) if self.media is None else round(self.media.tokens * per_token)


class Prefix(NamedTuple):
    """The front of a request up to a breakpoint."""

    key: str
    """Hash of all that the cache keys by: model, thinking, effort, format and every byte."""
    tokens: int
    """Estimate of its length, from the characters of a token on average."""
    job: bool
    """True where rows share it; False for a prefix with blocks of one row."""

    @property
    def short_key(self) -> str:
        """Its key as journals keep it."""
        return self.key[:16]


def block_of(part: Part, ttl: Ttl | None) -> dict[str, Any]:
    """Return a part as a content block, with a breakpoint of this life where it is marked."""
    block: dict[str, Any] = {"type": "text", "text": part.text} if part.media is None else part.media.source()
    if part.marked and ttl is not None:
        # 5m is the API's default and is left out, as the page "Prompt caching" recommends no form.
        block["cache_control"] = {"type": "ephemeral"} if ttl == "5m" else {"type": "ephemeral", "ttl": ttl}
    return block


@dataclass(frozen=True, slots=True)
class Front:
    """What the front of a request comes to."""

    key: str
    chars: int
    prefixes: tuple[Prefix, ...]


def front_of(
    model: str, thinking: str | None, effort: str | None, schema: str, system: tuple[Part, ...], per_token: float
) -> Front:
    """Return the front up to the end of `system`; the same for every row.

    Args:
        model: All that keys the cache beside the parts: the model,
        thinking: `thinking.type`,
        effort: The effort at which the model works,
        schema: and the schema that is sent, with the tools, as JSON.
        system: The parts that rows share.
        per_token: Characters of a token, on average.
    """
    start = Front(digest(dumps([model, thinking, effort, schema])), len(schema), ())
    return _extend(start, system, per_token, job=True)


def prefixes_behind(front: Front, content: tuple[Part, ...], per_token: float) -> tuple[Prefix, ...]:
    """Return the marked prefixes of a request, shortest first.

    Args:
        front: The front of its node.
        content: The parts of the first user turn.
        per_token: Characters of a token, on average.
    """
    last = 0
    for index, part in enumerate(content, 1):
        if part.marked:
            last = index
    if not last:
        return front.prefixes
    if any(part.is_image for part in content):
        front = Front(digest(f"{front.key}with pictures"), front.chars, front.prefixes)
    own = min(next((index for index, part in enumerate(content) if not part.job), last), last)
    front = _extend(front, content[:own], per_token, job=True)
    return _extend(front, content[own:last], per_token, job=False).prefixes


def _extend(front: Front, parts: tuple[Part, ...], chars_per_token: float, *, job: bool) -> Front:
    key, chars, prefixes = front.key, front.chars, list(front.prefixes)
    for part in parts:
        key = digest(f"{key}{job}{part.content}")
        chars += part.chars(chars_per_token)
        if part.marked:
            prefixes.append(Prefix(key, round(chars / chars_per_token), job))
    return Front(key, chars, tuple(prefixes))
