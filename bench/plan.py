"""Plans against the emulator's bill: ten jobs, three channels, several draws of rows each, and repeated rows.

A plan carries out 20 rows by stand-ins. The bill has to lie in its range in 95 of 100 cases and never above its worst
case, and its expected total within 5 % at the median where answers are as long as the stand-ins'; of every seven draws
two have answers, and lists in them, of 0.6 and 1.7 times that length. With rows repeated, totals never fall and prices
a row never rise. Equal tasks are one call, as they are by default; some jobs have answers that are equal by chance.

Usage: python bench/plan.py [DRAWS] [JOB ...]
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from plan_jobs import Length, PlannedJob, jobs

from fanwise import Job
from fanwise.ledger.forecast import PLANNED, Forecast
from fanwise.studies.plan.plan import plan
from fanwise.units import pico_from_usd

FACTORS = (1.0, 1.0, 1.0, 1.0, 1.0, 0.6, 1.7)
"""Lengths of answers, by draw."""
WITHIN, MEDIAN = 0.95, 0.05
GRID = (1, 2, 3, 5, 10, 20, 21, 60, 300, 2_000)
REPEATED = ("by the book", "branches", "documents")
"""Jobs of which few rows are repeated: with few rows of different lengths."""
KINDS = 3
UNSETTLED = 0.03
"""By so much `auto` may cost less for more rows where some kinds came more often than others: it goes by how many rows
show a document, and those that are served by equal ones are among them."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A plan, and what its job then cost, in picodollars."""

    job: str
    channel: str
    factor: float
    expected: int
    low: int
    high: int
    worst: int
    bill: int

    @property
    def off(self) -> float:
        return self.expected / self.bill - 1

    @property
    def within(self) -> bool:
        return self.low <= self.bill <= self.high


def write(path: Path, rows: Sequence[object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def cases(name: str, job: PlannedJob, draw: int, folder: Path) -> list[Case]:
    rows = write(folder / "rows.jsonl", list(job.rows(random.Random(draw), job.count)))
    factor = FACTORS[draw % len(FACTORS)] if job.own_lengths else 1.0
    forecast = plan(job.graph, rows=rows)
    held: list[Case] = []
    for channel in PLANNED:
        price = forecast.price(channel)
        assert price is not None
        Length.factor = factor
        account = Job(job.graph, rows=rows, out=folder / channel, channel=channel).run_sync().summary
        Length.factor = 1.0
        held.append(
            Case(
                job=name, channel=channel, factor=factor, expected=price.expected, low=price.low, high=price.high,
                worst=price.worst, bill=pico_from_usd(account["bill_usd"]),
            )
        )  # fmt: skip
    return held


def falls(name: str, job: PlannedJob, folder: Path) -> list[str]:
    """Return where more rows of the same few kinds cost less in all, or more a row."""
    kinds = list(job.rows(random.Random(7), KINDS))
    wrong: list[str] = []
    before: tuple[int, Forecast] | None = None
    for count in GRID:
        repeated = [{**kinds[number % KINDS], "id": f"r{number}"} for number in range(count)]
        forecast = plan(job.graph, rows=write(folder / "repeated.jsonl", repeated))
        if before is not None:
            wrong += compare(name, *before, count, forecast)
        before = count, forecast
    return wrong


def compare(name: str, few: int, before: Forecast, many: int, after: Forecast) -> list[str]:
    wrong: list[str] = []
    for less, more in zip(before.prices, after.prices, strict=True):
        place = f"{name} {less.channel} {less.arm}, {few} to {many} rows"
        is_settled = less.channel != "auto" or few % KINDS == many % KINDS == 0
        if more.expected < less.expected * (1 if is_settled else 1 - UNSETTLED):
            wrong.append(f"{place}: the total falls from {less.expected} to {more.expected}")
        if few % KINDS == many % KINDS == 0 and more.expected * few > less.expected * many * (1 + 1e-9):
            wrong.append(f"{place}: the price a row rises")
    return wrong


def show(held: list[Case]) -> None:
    names = ("within", "off, median", "at most", "high/bill", "worst/bill")
    print(f"{'job':<15} {'channel':<8} {'draws':>5} " + " ".join(f"{name:>11}" for name in names))
    for name, channel in dict.fromkeys((case.job, case.channel) for case in held):
        some = [case for case in held if (case.job, case.channel) == (name, channel)]
        same = [abs(case.off) for case in some if case.factor == 1.0]
        within = sum(case.within for case in some)
        high, worst = (median(getattr(case, bound) / case.bill for case in some) for bound in ("high", "worst"))
        print(
            f"{name:<15} {channel:<8} {len(some):>5} {within:>11} {median(same):>11.1%} {max(same):>11.1%}"
            f" {high:>11.1f} {worst:>11.1f}"
        )


def main() -> None:
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    chosen = {name: job for name, job in jobs().items() if name in (sys.argv[2:] or jobs())}
    started, held, wrong = time.monotonic(), list[Case](), list[str]()
    for name, job in chosen.items():
        for draw in range(draws):
            with tempfile.TemporaryDirectory() as folder:
                held += cases(name, job, draw, Path(folder))
        if name in REPEATED:
            with tempfile.TemporaryDirectory() as folder:
                wrong += falls(name, job, Path(folder))
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    show(held)
    share = sum(case.within for case in held) / len(held)
    off = median(abs(case.off) for case in held if case.factor == 1.0)
    passed = [case for case in held if case.bill > case.worst]
    print(f"within the range: {share:.1%} of {len(held)}; above the worst case: {len(passed)}")
    print(f"off at the median, with the stand-ins' lengths: {off:.1%}")
    for case in held:
        if not case.within or case.bill > case.worst:
            print(f"  not within: {case}")
    print("\n".join(wrong) or "with rows repeated no total falls and no price a row rises")
    if share < WITHIN or passed or off > MEDIAN or wrong:
        sys.exit("plan.py: a bound is not kept")


if __name__ == "__main__":
    main()
