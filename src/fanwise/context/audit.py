"""Is a prefix the same every time, and long enough? Findings about two renderings of one graph.

Pure: who renders, and under which clock, hash seed and language, is decided elsewhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from fanwise.models import facts, known_models

Kind = Literal["varies", "too_short", "split"]
AROUND = 24
"""Characters that are shown on both sides of the first difference."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One text in front of the values: a block or the instructions of an agent."""

    name: str
    text: str
    place: str
    """`file:line` where it comes from."""
    row: str = ""
    """Id of the row, for a block of a row."""


@dataclass(frozen=True, slots=True)
class Front:
    """What stands in front of the values of one agent's requests, in order."""

    path: str
    agent: str
    model: str
    place: str
    splits: tuple[str, ...]
    """What else keys its cache and is the user's choice: thinking and effort."""
    pieces: tuple[Piece, ...]
    shared: tuple[str, ...]
    """Names of its context blocks."""
    prefix_tokens: int
    """Estimate of all that could be cached for every row."""
    marked_rows: tuple[str, ...] = ()
    """Blocks of the row behind which there is a breakpoint, since several agents read them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that keeps a cache from firing."""

    kind: Kind
    agent: str
    block: str
    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


def compare(first: Sequence[Front], second: Sequence[Front]) -> list[Finding]:
    """Return where two renderings differ, each block once."""
    found: dict[tuple[str, str, str], Finding] = {}
    others = {front.path: front for front in second}
    for front in first:
        other = others.get(front.path)
        pairs = zip(front.pieces, other.pieces if other is not None else (), strict=False)
        for piece, again in pairs:
            if piece.text != again.text and (piece.name, piece.place, piece.row) not in found:
                found[piece.name, piece.place, piece.row] = _varies(front, piece, again.text)
    return list(found.values())


def _varies(front: Front, piece: Piece, other: str) -> Finding:
    at = next(
        (index for index, (one, two) in enumerate(zip(piece.text, other, strict=False)) if one != two),
        min(len(piece.text), len(other)),
    )
    byte = len(piece.text[:at].encode("utf-8", "surrogatepass"))
    shown = " then ".join(repr(text[max(at - AROUND, 0) : at + AROUND]) for text in (piece.text, other))
    where = f" of row {piece.row}" if piece.row else ""
    why = cause(piece.text, other)
    message = f"{piece.name}{where} is not the same in two renderings, from its byte {byte} on: {why}; {shown}"
    return Finding("varies", front.agent, piece.name, piece.place, message)


_MOMENT = re.compile(
    r"\d{4}-\d\d?-\d\d?|\d\d?:\d\d|\d\d?[./]\d\d?[./]\d{2,4}"
    r"|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*\b|\b1[6-9]\d{8}\b"
)
_RANDOM = re.compile(
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b[0-9a-f]{16,}\b|0x[0-9a-f]{6,}",
    re.IGNORECASE,
)
_FLOAT = re.compile(r"-?\d+[.,]\d+(?:e-?\d+)?", re.IGNORECASE)


def cause(one: str, two: str) -> str:
    """Return what seems to vary between two texts."""
    if "".join(one.split()) == "".join(two.split()):
        return "white space"
    if _without(_RANDOM, one) == _without(_RANDOM, two):
        return "a random id"
    if _without(_MOMENT, one) == _without(_MOMENT, two):
        return "a date or a time"
    if _without(_FLOAT, one) == _without(_FLOAT, two):
        return "the form of a number"
    if Counter(re.findall(r"\w+", one)) == Counter(re.findall(r"\w+", two)):
        return "the order of a set or a dictionary"
    if re.sub(r"\d+", "", _without(_MOMENT, one)) == re.sub(r"\d+", "", _without(_MOMENT, two)):
        return "a date or a time"  # a part of one, such as the seconds alone
    return "its content"


def _without(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub("#", text)


def too_short(fronts: Sequence[Front]) -> list[Finding]:
    """Return the agents that are shown shared blocks which are silently never cached."""
    found: list[Finding] = []
    for front in fronts:
        least = facts(front.model).cache_minimum
        if not front.shared or front.prefix_tokens >= least:
            continue
        ways = [f"{least - front.prefix_tokens:,} tokens more"]
        smaller = [model for model in known_models() if facts(model).cache_minimum <= front.prefix_tokens]
        ways += [f"a model that caches from fewer on, such as {smaller[0]}"] if smaller else []
        message = (
            f"agent {front.agent!r}: its prefix of about {front.prefix_tokens:,} tokens ({', '.join(front.shared)}) is "
            f"under the {least:,} from which {front.model} caches, so it is paid in full every time; "
            f"what would lift it: {' or '.join(ways)}"
        )
        found.append(Finding("too_short", front.agent, front.shared[0], front.place, message))
    return found


def row_data(fronts: Sequence[Front], tokens: Callable[[str, str], int]) -> list[Finding]:
    """Return blocks of rows that stand in front of a breakpoint in vain: too short with all before them.

    Args:
        fronts: The agents, with the blocks of some rows.
        tokens: Gives the tokens of a text for a model.
    """
    found: dict[str, Finding] = {}
    for front in fronts:
        least = facts(front.model).cache_minimum
        for piece in front.pieces:
            size = front.prefix_tokens + tokens(piece.text, front.model)
            if piece.row and piece.name in front.marked_rows and size < least and piece.name not in found:
                message = (
                    f"agent {front.agent!r}: a breakpoint stands behind {piece.name}, but in row {piece.row} it has "
                    f"with all before it about {size:,} tokens, under the {least:,} from which {front.model} caches: "
                    "each of its readers pays for it in full"
                )
                found[piece.name] = Finding("too_short", front.agent, piece.name, front.place, message)
    return list(found.values())


def split(fronts: Sequence[Front], tokens: Mapping[str, int]) -> list[Finding]:
    """Return pairs of agents that are shown the same blocks and cannot share their cache.

    Args:
        fronts: The agents.
        tokens: Estimate of each block's tokens, by name.
    """
    found: list[Finding] = []
    seen: set[tuple[str, ...]] = set()
    for index, front in enumerate(fronts):
        for other in fronts[:index]:
            common = [name for name in front.shared if name in other.shared]
            size = sum(tokens[name] for name in common)
            same = front.model == other.model and front.splits == other.splits
            if same or front.model != other.model or size < facts(front.model).cache_minimum:
                continue
            key = (*sorted((str(front.splits), str(other.splits))), *common)
            if key in seen:
                continue
            seen.add(key)
            apart = [f"{two} against {one}" for one, two in zip(front.splits, other.splits, strict=True) if one != two]
            message = (
                f"agents {other.agent!r} and {front.agent!r} are both shown {', '.join(common)} (about {size:,} "
                f"tokens) and share no cache: {', '.join(apart)}; each writes it for itself, 1.25 times its price "
                "once more, and again after every gap of five minutes"
            )
            found.append(Finding("split", front.agent, common[0], front.place, message))
    return found
