"""The baseline that nobody paid for: one agent's call for each row, composed and counted.

Its prompt is the very request that the single agent would be sent, counted. Its answer has the size
of the row's own result, or as much more as a measured sample of it has shown. What its rows share is
taken as written once and read ever after, which is the best that could happen to it. Nothing here
looks at what the fan-out was billed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fanwise.context.request import Request
from fanwise.engine.arms import Arm, row_state
from fanwise.engine.rows import Record, Row, line_at
from fanwise.errors import UnknownPriceError
from fanwise.graph.nodes import GraphSpec
from fanwise.journal.reader import Book
from fanwise.ledger.account import row_account, valid_rows
from fanwise.ledger.multiplier import Bin, Spread, Spreading, bins, summarise
from fanwise.ledger.outcomes import output_lengths, rows_numbered, rows_with_output
from fanwise.ledger.tasks import chosen_channel, sampled_answers
from fanwise.models import facts
from fanwise.pricing.cost import cost
from fanwise.pricing.usage import Usage
from fanwise.units import now

from .arms import single
from .manifest import Manifest

MOST_ROWS = 600
"""So many rows are modelled at most, drawn by chance: the interval says how well they stand for all."""
FIRST, LONGEST_S = 20, 5.0
"""By the time that the first rows take, fewer are modelled than would take so many seconds: rows may hold files."""


@dataclass(frozen=True, slots=True)
class Modelled:
    """The multiplier against a modelled baseline."""

    rows: int
    tokens: Spread
    usd: Spread | None
    """None where the price of its model is not known."""
    bins: tuple[Bin, ...]
    """Of the multiplier in tokens."""
    answers: str
    """Where the size of its answers comes from: `results` or `sample`."""

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return {
            "baseline": "modelled", "rows": self.rows, "tokens": self.tokens.data(),
            "usd": None if self.usd is None else self.usd.data(), "bins": [list(one) for one in self.bins],
            "answers": self.answers,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Asked:
    """A call that was composed; the request itself is not kept."""

    model: str
    chars: int
    shared: int
    """Tokens of the prefix that all rows share, by the characters of a token."""
    per_token: float
    """Characters of a token."""


@dataclass(frozen=True, slots=True)
class _Measured:
    """What a measured baseline has shown of the single agent."""

    prompt: float = 0.0
    """Tokens of a character of its prompt; 0: nothing was shown."""
    output: float = 0.0
    """Tokens of its answer for a character of the row's result."""
    rows: int = 0


def modelled(db: Book, manifest: Manifest, fanout: GraphSpec) -> Modelled | None:
    """Return the multiplier against one agent that was not asked.

    None where none could do the job, or where it has tools: how often it would use them is not known.

    Args:
        db: The journal of a run.
        manifest: What the run is.
        fanout: Its graph.
    """
    graph = single(fanout)
    if graph is None or any(node.target.spec is not None and node.target.spec.tools for node in graph.tasks()):
        return None
    arm = manifest.arms({"baseline": graph})["baseline"]
    texts = _drawn(db)
    asked = _composed(db, manifest, arm, list(texts))
    measured, batch = _measured(db, asked), _batch(db)
    spreading = Spreading(db, valid_rows(db))
    tokens, usd = list[float](), list[float]()
    for number, request in asked.items():
        one = row_account(db, number, "fanout")
        if one is None or one.unknown or not one.tokens or not one.cost:
            continue
        usage = _usage(request, texts[number], measured)
        tokens.append(one.tokens / usage.total)
        price = _price(usage, request.model, spreading.rows, batch=batch)
        if price:
            usd.append(spreading.of(one) / price)
    if not tokens:
        return None
    priced = summarise(usd) if len(usd) == len(tokens) else None
    return Modelled(len(tokens), summarise(tokens), priced, bins(tokens), "sample" if measured.rows else "results")


def _composed(db: Book, manifest: Manifest, arm: Arm, numbers: list[int]) -> dict[int, _Asked]:
    """Return the calls of rows: of all of them, or of so many as there is time for, whichever these are."""
    (node,), begun = arm.agents(), time.monotonic()
    random.Random(1).shuffle(numbers)

    def calls(some: list[int]) -> dict[int, _Asked]:
        rows = _read(db, manifest, arm.graph, set(some))
        return {row.number: _asked(node.request(row_state(arm, row).start()[0])) for row in rows}

    first = calls(numbers[:FIRST])
    each_s = (time.monotonic() - begun) / FIRST
    return first | calls(numbers[FIRST : FIRST + int(LONGEST_S / max(each_s, 1e-6))])


def _drawn(db: Book) -> dict[int, int]:
    """Return rows with an output, drawn by chance, and the characters of that."""
    good = rows_with_output(db)
    return output_lengths(db, random.Random(0).sample(good, min(len(good), MOST_ROWS)))


def _read(db: Book, manifest: Manifest, graph: GraphSpec, wanted: set[int]) -> Iterator[Row]:
    """Yield the rows with these numbers as they stand in their file; none where it is gone or has changed."""
    types = manifest.row_types(graph)
    places = rows_numbered(db, wanted)
    for number, record in _records(manifest, {number: place.locator for number, place in places.items()}):
        row = types.check(record)
        if isinstance(row, Row) and row.hash == places[number].hash:
            yield row._replace(number=number)


def _records(manifest: Manifest, wanted: dict[int, int]) -> Iterator[tuple[int, Record]]:
    if not manifest.rows.is_file():
        return
    if manifest.format == "jsonl":
        with manifest.rows.open("rb") as file:
            for number, locator in wanted.items():
                record = line_at(file, locator)
                if record is not None:
                    yield number, record
        return
    for record in manifest.records():
        if record.number in wanted:
            yield record.number, record


def _asked(request: Request) -> _Asked:
    shared = max((prefix.tokens for prefix in request.prefixes() if prefix.job), default=0)
    return _Asked(request.model, request.chars(), shared, request.frame.per_token)


def _measured(db: Book, asked: Mapping[int, _Asked]) -> _Measured:
    """Return what a measured sample of the very same agent has shown; nothing where it asks for tools."""
    rows = prompt = output = counted = answered = 0
    for row, sent, said, size in sampled_answers(db):
        request = asked.get(row)
        if request is not None:
            rows, prompt, output = rows + 1, prompt + sent, output + said
            counted, answered = counted + request.chars, answered + size
    if not rows or not counted or not answered:
        return _Measured()
    return _Measured(prompt / counted, output / answered, rows)


def _usage(request: _Asked, result: int, measured: _Measured) -> Usage:
    """Return what the call would take; what all rows share of it as read, where it is long enough to be kept."""
    per_char = measured.prompt or 1 / request.per_token
    prompt = round(request.chars * per_char)
    output = max(round(result * (measured.output or 1 / request.per_token)), 1)
    read = min(round(request.shared * request.per_token * per_char), prompt)
    if read < facts(request.model).cache_minimum:
        read = 0
    return Usage(input=prompt - read, cache_read=read, output=output)


def _price(usage: Usage, model: str, rows: int, *, batch: bool) -> float:
    """Return picodollars of the call with its part of writing what rows share; 0 where no price is known."""
    at, shared = now(), usage.cache_read
    try:
        whole = cost(usage, model, at, batch=batch)
        written, read = (
            cost(one, model, at, batch=batch) for one in (Usage(cache_write_5m=shared), Usage(cache_read=shared))
        )
    except UnknownPriceError:
        return 0.0
    return whole + (written - read) / rows


def _batch(db: Book) -> bool:
    """Return whether the single agent would go in batches: wherever the run may, since they cost it half."""
    return chosen_channel(db) not in (None, "live")
