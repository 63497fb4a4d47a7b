"""Writes that others take over, by docs/decisions/2026-11-30-inherited-writes.md."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

from .attempt import Attempt
from .prices import Tokens, cost, price_of

_Blocks = Sequence[tuple[str, int]]


@dataclass
class _Sent:
    """A request that used the cache."""

    attempt: Attempt
    counts: bool
    hashes: list[str]
    read: int
    """How many of its blocks it has read, from the front."""
    hour: int = 0
    five: int = 0
    paid: int = 0
    """What is left of what it wrote, and of what that took beyond a reading."""
    wrote: bool = False
    """Whether it has left anything at first."""


def inherit(
    attempts: Sequence[Attempt],
    needed: Collection[int],
    apart: Collection[int],
    usual: Mapping[tuple[str, str], str],
    meta: Mapping[str, Any],
) -> tuple[dict[int, Attempt], dict[int, int]]:
    """Return by number the requests that take over writes, as they count, and what was taken over from each writer.

    Args:
        attempts: All that were made.
        needed: Those that count.
        apart: Of these, the ones that went ahead and count as the others travel.
        usual: By side and agent the channel of the others.
        meta: What the journal says of the run.
    """
    sent: list[_Sent] = []
    heirs: dict[int, Attempt] = {}
    taken: dict[int, int] = {}
    keys: dict[str, str] = {}
    ends: dict[tuple[str, ...], int] = {}
    for attempt in attempts:
        tokens = attempt.tokens
        if not tokens.read + tokens.write_5m + tokens.write_1h:
            continue
        blocks = _blocks_of(attempt, meta, keys)
        new = _sent(attempt, attempt.id in needed, blocks, sent, ends)
        by_chars = _ends(attempt, blocks)
        for reach in (tokens.read, tokens.prompt - tokens.input):
            place = min(range(len(by_chars)), key=lambda place: abs(by_chars[place] - reach))
            ends[attempt.model, *new.hashes[:place]] = reach
        is_ahead = (
            attempt.why == "pilot" and usual.get((attempt.arm, attempt.agent), attempt.channel) != attempt.channel
        )
        if attempt.id in apart or (is_ahead and not new.counts):
            pass  # what it wrote is no other's
        elif new.counts:
            known = [ends.get((attempt.model, *new.hashes[:place]), round(end)) for place, end in enumerate(by_chars)]
            entries = [place for place in range(len(by_chars)) if (attempt.model, *new.hashes[:place]) in ends]
            moved = _moved(attempt, _writers(new, sent, [0, *known[1:]], entries), taken)
            if moved != attempt.tokens:
                usd = cost(moved, attempt.model, batch=attempt.channel == "batch")
                heirs[attempt.id] = replace(attempt, tokens=moved, usd=usd)
        elif attempt.usd:
            new.hour, new.five = tokens.write_1h, tokens.write_5m
            new.paid = min(_extra(attempt, new.hour, new.five), attempt.usd)
            new.wrote = new.paid > 0
        sent.append(new)
    return heirs, taken


def _blocks_of(attempt: Attempt, meta: Mapping[str, Any], keys: dict[str, str]) -> _Blocks:
    fields = attempt.blocks.split(" ")
    key = fields[1] if attempt.blocks else keys.get(attempt.prefix, "")
    if attempt.prefix:
        keys[attempt.prefix] = key
    common = [(sha, chars) for sha, chars in meta.get("blocks", {}).get(key, ())]
    own = [(text.split(":")[0], int(text.split(":")[1])) for text in fields[2:]]
    place = len(common) - meta.get("blocks_behind", {}).get(key, 0)
    return common[:place] + own + common[place:]


def _sent(
    attempt: Attempt, counts: bool, blocks: _Blocks, before: Sequence[_Sent], told: Mapping[tuple[str, ...], int]
) -> _Sent:
    hashes, reads = [sha for sha, _ in blocks], attempt.tokens.read
    known = max((_common(hashes, other.hashes) for other in before if other.attempt.model == attempt.model), default=0)
    if not reads:
        return _Sent(attempt, counts, hashes, 0)
    exact = [place for place in range(1, known + 1) if told.get((attempt.model, *hashes[:place])) == reads]
    ends = _ends(attempt, blocks)
    nearest = min(range(known + 1), key=lambda place: abs(ends[place] - reads))
    return _Sent(attempt, counts, hashes, exact[0] if exact else nearest)


def _ends(attempt: Attempt, blocks: _Blocks) -> list[float]:
    chars = int(attempt.blocks.split(" ")[0] or 0) or sum(chars for _, chars in blocks) or 1
    return [
        sum(chars for _, chars in blocks[:place]) * attempt.tokens.prompt / chars for place in range(len(blocks) + 1)
    ]


def _common(first: Sequence[str], second: Sequence[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))


def _writers(
    reader: _Sent, before: Sequence[_Sent], ends: Sequence[int], entries: Sequence[int]
) -> list[tuple[_Sent, int]]:
    """Return those that wrote what a request reads and nobody who counts has shown, the last block's first.

    Each with the most tokens that both show; all of the prompt where the writer has shown nothing else.
    """
    others = [
        (other, _common(reader.hashes, other.hashes)) for other in before if other.attempt.model == reader.attempt.model
    ]
    writers: list[tuple[_Sent, int]] = []
    readable = max((place for place in entries if place <= reader.read and _is_shown(place, others)), default=0)
    last = reader.read
    while last > readable:
        wrote = [other for other, common in others if last <= common and _wrote(other, last)]
        if wrote and wrote[-1].wrote:
            first = max(wrote[-1].read, readable)
            is_whole = last == len(wrote[-1].hashes)
            writers.append((wrote[-1], reader.attempt.tokens.prompt if is_whole else max(ends[last] - ends[first], 0)))
            last = first
        else:
            last -= 1
    return writers


def _is_shown(place: int, others: Sequence[tuple[_Sent, int]]) -> bool:
    """Return whether one that counts has shown so many blocks, and none that does not has written the last since."""
    touched = [other.counts for other, common in others if common >= place and (other.counts or _wrote(other, place))]
    return bool(touched) and touched[-1]


def _wrote(other: _Sent, place: int) -> bool:
    tokens = other.attempt.tokens
    return other.read < place and tokens.write_5m + tokens.write_1h > 0


def _moved(attempt: Attempt, writers: Sequence[tuple[_Sent, int]], taken: dict[int, int]) -> Tokens:
    tokens = attempt.tokens
    for writer, most in writers:
        hour = min(writer.hour, tokens.read, most)
        five = min(writer.five, min(tokens.read, most) - hour)
        extra = _extra(attempt, hour, five)
        if extra > writer.paid:
            hour, five = hour * writer.paid // extra, five * writer.paid // extra
            extra = _extra(attempt, hour, five)
        writer.hour, writer.five, writer.paid = writer.hour - hour, writer.five - five, writer.paid - extra
        if hour + five:
            taken[writer.attempt.id] = taken.get(writer.attempt.id, 0) + extra
        tokens = tokens._replace(
            read=tokens.read - hour - five, write_1h=tokens.write_1h + hour, write_5m=tokens.write_5m + five
        )
    return tokens


def _extra(attempt: Attempt, hour: int, five: int) -> int:
    price = price_of(attempt.model, attempt.tokens.prompt)
    if price is None:
        return 0
    live = hour * (price.write_1h - price.read) + five * (price.write_5m - price.read)
    return live // 2 if attempt.channel == "batch" else live
