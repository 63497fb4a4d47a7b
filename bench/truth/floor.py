"""The least that the fan-out's requests could have cost, by docs/decisions/2026-11-29-floor.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from .attempt import Attempt
from .book import Book
from .findings import Findings, usd
from .prices import Price, price_of

LIFE_S = 3600


@dataclass(kw_only=True)
class Billed:
    """A request with its blocks and prices."""

    attempt: Attempt
    price: Price
    half: Fraction
    """1, or a half in a batch."""
    tokens: dict[str, int]
    """Of each block."""
    read: int = 0
    """Tokens that are counted as read."""


@dataclass(kw_only=True)
class Life:
    """A block between its first sending and the hour after its last."""

    first: Billed
    last: float
    written: int
    """Tokens that the first request can have written: none that it has really read."""
    readers: list[Billed] = field(default_factory=list[Billed])


def check_floor(findings: Findings, summary: dict[str, Any], book: Book) -> None:
    """Compare floor and how much more the input has cost."""
    attempts = [a for a in book.counting if a.arm == "fanout" and a.usd]
    unpriced = [a for a in book.counting if a.arm == "fanout" and a.usd is None and a.status != "open"]
    said = {"floor_leaves_out": summary["floor_leaves_out"]}
    if summary["levers"] is not None:
        said["levers.leaves_out"] = summary["levers"]["leaves_out"]
    for name, counts in said.items():
        _check_left_out(findings, name, counts, unpriced)
    if unpriced and not attempts:
        findings.same("floor_usd", summary["floor_usd"], None)
        return
    paid = Fraction(sum(a.usd or 0 for a in attempts))
    outputs = Fraction(0)
    for attempt in attempts:
        price = price_of(attempt.model, attempt.tokens.prompt)
        assert price is not None
        outputs += _half(attempt) * attempt.tokens.output * price.output
    least = min(outputs + _input(attempts, book), paid)
    findings.same("floor_usd", summary["floor_usd"], usd(int(least)))
    ratio = round(float((paid - outputs) / (least - outputs)), 6) if least > outputs else None
    findings.same("input_over_floor", summary["input_over_floor"], ratio)


def _check_left_out(findings: Findings, name: str, said: dict[str, int], unpriced: list[Attempt]) -> None:
    """Compare what a figure says that it leaves out for want of a price."""
    uncounted = [a for a in unpriced if not a.is_counted]
    computed = {
        "attempts": len(unpriced), "tokens": sum(a.total for a in unpriced),
        "attempts_of_unknown_tokens": len(uncounted),
    }  # fmt: skip
    for part, count in computed.items():
        findings.same(f"{name}.{part}", said[part], count)


def _half(attempt: Attempt) -> Fraction:
    return Fraction(1, 2 if attempt.channel == "batch" else 1)


def _input(attempts: list[Attempt], book: Book) -> Fraction:
    """Return the least that the input could have cost, and what kept prefixes warm as it was paid."""
    total = Fraction(sum(a.usd or 0 for a in attempts if not a.asks))
    requests = [_billed(attempt, book) for attempt in sorted(attempts, key=lambda a: (a.sent, a.id)) if attempt.asks]
    lives = _lives(requests)
    for billed in requests:
        rest = billed.attempt.tokens.prompt - billed.read
        total += billed.half * (rest * billed.price.input + billed.read * billed.price.read)
    for block, life in lives:
        write = life.first.half * life.written * (life.first.price.write_5m - life.first.price.input)
        saved = sum(i.half * i.tokens[block] * (i.price.input - i.price.read) for i in life.readers)
        total += min(write, saved)
    return total


def _billed(attempt: Attempt, book: Book) -> Billed:
    price = price_of(attempt.model, attempt.tokens.prompt)
    assert price is not None
    chars, *words = attempt.blocks.split()
    sizes: dict[str, int] = {}
    for word in words:
        block, _, size = word.partition(":")
        for name, characters in [(block, int(size))] if size else book.meta["blocks"][block]:
            sizes[name] = sizes.get(name, 0) + characters
    tokens = {name: attempt.tokens.prompt * size // int(chars) for name, size in sizes.items()}
    return Billed(attempt=attempt, price=price, half=_half(attempt), tokens=tokens)


def _lives(requests: list[Billed]) -> list[tuple[str, Life]]:
    """Follow the blocks from request to request; note what each has read."""
    alive: dict[tuple[str, str], Life] = {}
    lives: list[tuple[str, Life]] = []
    for billed in requests:
        attempt = billed.attempt
        lasting = {
            block: alive[attempt.model, block]
            for block in billed.tokens
            if (attempt.model, block) in alive and attempt.sent - alive[attempt.model, block].last <= LIFE_S
        }
        could = sum(billed.tokens[block] for block in lasting)
        really = attempt.tokens.read
        is_counted = could >= billed.price.minimum or really > 0
        billed.read = max(really, could if is_counted else 0)
        if attempt.tokens.prompt < billed.price.minimum:
            continue
        room = attempt.tokens.prompt - really
        for block, tokens in billed.tokens.items():
            if block in lasting:
                lasting[block].last = attempt.sent
                if is_counted:
                    lasting[block].readers.append(billed)
            else:
                written = min(tokens, room)
                room -= written
                life = alive[attempt.model, block] = Life(first=billed, last=attempt.sent, written=written)
                lives.append((block, life))
    return lives
