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


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixText:
    """One text in front of the values: a block or the instructions of an agent."""

    name: str
    text: str
    place: str
    """`file:line` where it comes from."""
    row: str = ""
    """Id of the row, for a block of a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPrefix:
    """What stands in front of the values of one agent's requests, in order."""

    path: str
    agent: str
    model: str
    place: str
    splits: tuple[str, ...]
    """What else keys its cache and is the user's choice: thinking and effort."""
    texts: tuple[PrefixText, ...]
    shared: tuple[str, ...]
    """Names of its context blocks."""
    prefix_tokens: int
    """Estimate of all that could be cached for every row."""
    marked_rows: tuple[str, ...] = ()
    """Blocks of the row behind which there is a breakpoint, since several agents read them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheFinding:
    """One thing that keeps a cache from firing."""

    kind: Kind
    agent: str
    block: str
    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


def compare(first: Sequence[AgentPrefix], second: Sequence[AgentPrefix]) -> list[CacheFinding]:
    """Return where two renderings differ, each block once."""
    findings: dict[tuple[str, str, str], CacheFinding] = {}
    second_by_path = {prefix.path: prefix.texts for prefix in second}
    for prefix in first:
        for text, again in zip(prefix.texts, second_by_path.get(prefix.path, ()), strict=False):
            key = (text.name, text.place, text.row)
            if text.text != again.text and key not in findings:
                findings[key] = _varies(prefix, text, again.text)
    return list(findings.values())


def _varies(prefix: AgentPrefix, text: PrefixText, again: str) -> CacheFinding:
    at = _first_difference(text.text, again)
    byte = len(text.text[:at].encode("utf-8", "surrogatepass"))
    shown = " then ".join(repr(content[max(at - AROUND, 0) : at + AROUND]) for content in (text.text, again))
    where = f" of row {text.row}" if text.row else ""
    why = cause(text.text, again)
    message = f"{text.name}{where} is not the same in two renderings, from its byte {byte} on: {why}; {shown}"
    return CacheFinding(kind="varies", agent=prefix.agent, block=text.name, place=text.place, message=message)


def _first_difference(first: str, second: str) -> int:
    """Return the index of the first character in which two texts differ."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((index for index, (left, right) in pairs if left != right), min(len(first), len(second)))


_MOMENT = re.compile(
    r"\d{4}-\d\d?-\d\d?|\d\d?:\d\d|\d\d?[./]\d\d?[./]\d{2,4}"
    r"|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*\b|\b1[6-9]\d{8}\b"
)
_RANDOM = re.compile(
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b[0-9a-f]{16,}\b|0x[0-9a-f]{6,}",
    re.IGNORECASE,
)
_FLOAT = re.compile(r"-?\d+[.,]\d+(?:e-?\d+)?", re.IGNORECASE)


def cause(first: str, second: str) -> str:
    """Return what seems to vary between two texts."""
    if "".join(first.split()) == "".join(second.split()):
        return "white space"
    if _without(_RANDOM, first) == _without(_RANDOM, second):
        return "a random id"
    if _without(_MOMENT, first) == _without(_MOMENT, second):
        return "a date or a time"
    if _without(_FLOAT, first) == _without(_FLOAT, second):
        return "the form of a number"
    if Counter(re.findall(r"\w+", first)) == Counter(re.findall(r"\w+", second)):
        return "the order of a set or a dictionary"
    if re.sub(r"\d+", "", _without(_MOMENT, first)) == re.sub(r"\d+", "", _without(_MOMENT, second)):
        return "a date or a time"  # a part of one, such as the seconds alone
    return "its content"


def _without(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub("#", text)


def too_short(prefixes: Sequence[AgentPrefix]) -> list[CacheFinding]:
    """Return the agents that are shown shared blocks which are silently never cached."""
    findings: list[CacheFinding] = []
    for prefix in prefixes:
        least = facts(prefix.model).cache_minimum
        if not prefix.shared or prefix.prefix_tokens >= least:
            continue
        ways = [f"{least - prefix.prefix_tokens:,} tokens more"]
        smaller = [model for model in known_models() if facts(model).cache_minimum <= prefix.prefix_tokens]
        ways += [f"a model that caches from fewer on, such as {smaller[0]}"] if smaller else []
        message = (
            f"agent {prefix.agent!r}: its prefix of about {prefix.prefix_tokens:,} tokens "
            f"({', '.join(prefix.shared)}) is under the {least:,} from which {prefix.model} caches, so it is paid in "
            f"full every time; what would lift it: {' or '.join(ways)}"
        )
        findings.append(
            CacheFinding(
                kind="too_short", agent=prefix.agent, block=prefix.shared[0], place=prefix.place, message=message
            )
        )
    return findings


def row_data(prefixes: Sequence[AgentPrefix], tokens: Callable[[str, str], int]) -> list[CacheFinding]:
    """Return blocks of rows that stand in front of a breakpoint in vain: too short with all before them.

    Args:
        prefixes: The agents, with the blocks of some rows.
        tokens: Gives the tokens of a text for a model.
    """
    findings: dict[str, CacheFinding] = {}
    for prefix in prefixes:
        least = facts(prefix.model).cache_minimum
        for text in prefix.texts:
            size = prefix.prefix_tokens + tokens(text.text, prefix.model)
            if text.row and text.name in prefix.marked_rows and size < least and text.name not in findings:
                message = (
                    f"agent {prefix.agent!r}: a breakpoint stands behind {text.name}, but in row {text.row} it has "
                    f"with all before it about {size:,} tokens, under the {least:,} from which {prefix.model} caches: "
                    "each of its readers pays for it in full"
                )
                findings[text.name] = CacheFinding(
                    kind="too_short", agent=prefix.agent, block=text.name, place=prefix.place, message=message
                )
    return list(findings.values())


def split(prefixes: Sequence[AgentPrefix], tokens: Mapping[str, int]) -> list[CacheFinding]:
    """Return pairs of agents that are shown the same blocks and cannot share their cache.

    Args:
        prefixes: The agents.
        tokens: Estimate of each block's tokens, by name.
    """
    findings: list[CacheFinding] = []
    seen: set[tuple[str, ...]] = set()
    for index, prefix in enumerate(prefixes):
        for earlier in prefixes[:index]:
            common = [name for name in prefix.shared if name in earlier.shared]
            size = sum(tokens[name] for name in common)
            key = (*sorted((str(prefix.splits), str(earlier.splits))), *common)
            if key not in seen and _are_apart(earlier, prefix) and size >= facts(prefix.model).cache_minimum:
                seen.add(key)
                findings.append(_split(earlier, prefix, common, size))
    return findings


def _are_apart(first: AgentPrefix, second: AgentPrefix) -> bool:
    """Return whether two agents of one model share no cache by the user's choice."""
    return first.model == second.model and first.splits != second.splits


def _split(first: AgentPrefix, second: AgentPrefix, common: Sequence[str], size: int) -> CacheFinding:
    pairs = zip(first.splits, second.splits, strict=True)
    apart = [f"{of_first} against {of_second}" for of_first, of_second in pairs if of_first != of_second]
    message = (
        f"agents {first.agent!r} and {second.agent!r} are both shown {', '.join(common)} (about {size:,} "
        f"tokens) and share no cache: {', '.join(apart)}; each writes it for itself, 1.25 times its price "
        "once more, and again after every gap of five minutes"
    )
    return CacheFinding(kind="split", agent=second.agent, block=common[0], place=second.place, message=message)
