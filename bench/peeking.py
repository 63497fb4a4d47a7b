"""How often a verdict is wrong that is looked at every 20 rows up to 2,000; the exit status is 1 where over 5 %.

    python bench/peeking.py [DRAWS]

Every kind draws a job that stands exactly at a boundary: its dollars for each success are the same on both sides, or
its answers are worse by the margin, or both. There a word is wrong half of the time by luck alone, and elsewhere less.
"Fan out" is wrong at the boundary and beyond; "do not" is wrong just before it. The first word of a job counts, since
whoever has one stops. What decides is the verdict's own (`fanwise.ledger`).

A job of 2,000 rows is drawn whole, and set so that *its own* rows stand at the boundary: at its last row nothing is
left open. `endless` jobs have ten million rows, of which the first 2,000 are looked at.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from random import Random

from fanwise.ledger.evidence import Evidence, Pair
from fanwise.ledger.looks import MOST_ROWS, Levels, Look, Looks, spent_by
from fanwise.ledger.verdict import MARGIN, NO, UNDECIDED, YES, Word, decided

EVERY, ROWS = 20, 2_000
MOST_WRONG = 0.05

Draw = Callable[[Random], Pair]


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """One kind of jobs."""

    name: str
    draw: Draw
    at: str
    """The boundary at which they stand: of `price`, of `quality`, or of both."""
    endless: bool = False


def pair(fanout: float, baseline: float, successes: tuple[bool, bool] = (True, True), difference: float = 0.5) -> Pair:
    """A row: what it costs on each side, where it succeeds, and by how much its answer is better."""
    return Pair(
        fanout=fanout, baseline=baseline, fanout_points=float(successes[0]), baseline_points=float(successes[1]),
        fanout_score=max(difference, 0.0), baseline_score=max(-difference, 0.0),
    )  # fmt: skip


# Rows whose dollars for each success are the same on both sides, in expectation -------------------


def even(chance: Random) -> Pair:
    """Both sides vary by a fifth."""
    return pair(max(chance.gauss(1, 0.2), 0.01), max(chance.gauss(1, 0.2), 0.01))


def lognormal(deviation: float) -> Draw:
    """Rows of lognormal size, with noise."""

    def draw(chance: Random) -> Pair:
        size = chance.lognormvariate(0, deviation)
        return pair(size * chance.lognormvariate(0, 0.3), size * chance.lognormvariate(0, 0.3))

    return draw


def one_varies(chance: Random) -> Pair:
    """The fan-out is lognormal, the single agent even."""
    return pair(chance.lognormvariate(0, 1), math.exp(0.5))


def tenth(chance: Random) -> Pair:
    """A tenth of the rows takes four times as much in the fan-out."""
    times = 4 if chance.random() < 0.1 else 1
    return pair(times * chance.lognormvariate(0, 0.1), 1.3 * chance.lognormvariate(0, 0.1))


def successes(fanout: float, baseline: float, *, together: bool) -> Draw:
    """Rows that succeed so often, and cost as much more as they do; `together`: what is hard is hard for both."""

    def draw(chance: Random) -> Pair:
        size, hard = chance.lognormvariate(0, 0.5), chance.random()
        other = hard if together else chance.random()
        costs = [size * share * chance.lognormvariate(0, 0.2) for share in (fanout, baseline)]
        return pair(costs[0], costs[1], (hard < fanout, other < baseline))

    return draw


# Rows whose answers are worse by the margin, in expectation ---------------------------------------


def answers(worse: float, better: float = 0.0, by: float = 1.0, *, same_price: bool = False) -> Draw:
    """Answers that are worse and better on some rows, by so much; half the price, or the same."""

    def draw(chance: Random) -> Pair:
        drawn, size = chance.random(), chance.lognormvariate(0, 0.5)
        difference = -by if drawn < worse else by if drawn < worse + better else 0.0
        cost = (1.0 if same_price else 0.5) * size * chance.lognormvariate(0, 0.3)
        return pair(cost, size * chance.lognormvariate(0, 0.3), difference=difference)

    return draw


def scores(chance: Random) -> Pair:
    """Scores that are fractions: they differ by 0.15 or so on every row."""
    return pair(1.0, 2.0, difference=min(max(chance.gauss(-MARGIN, 0.15), -1.0), 1.0))


KINDS = (
    Jobs(name="cv 0.2", draw=even, at="price"),
    Jobs(name="lognormal 0.5, noise 0.3", draw=lognormal(0.5), at="price"),
    Jobs(name="lognormal 1.0, noise 0.3", draw=lognormal(1.0), at="price"),
    Jobs(name="one side lognormal 1.0", draw=one_varies, at="price"),
    Jobs(name="one side lognormal 1.0", draw=one_varies, at="price", endless=True),
    Jobs(name="10 % of rows at 4x", draw=tenth, at="price"),
    Jobs(name="successes .05 and .05", draw=successes(0.05, 0.05, together=False), at="price"),
    Jobs(name="successes .05 and .10", draw=successes(0.05, 0.10, together=True), at="price"),
    Jobs(name="successes .2 and .3", draw=successes(0.2, 0.3, together=True), at="price"),
    Jobs(name="successes .2 and .3", draw=successes(0.2, 0.3, together=True), at="price", endless=True),
    Jobs(name="successes .6 and .5", draw=successes(0.6, 0.5, together=False), at="price"),
    Jobs(name="successes .9 and .8", draw=successes(0.9, 0.8, together=True), at="price"),
    Jobs(name="2 % worse", draw=answers(0.02), at="quality"),
    Jobs(name="2 % worse", draw=answers(0.02), at="quality", endless=True),
    Jobs(name="6 % worse, 4 % better", draw=answers(0.06, 0.04), at="quality"),
    Jobs(name="16 % worse, 14 % better", draw=answers(0.16, 0.14), at="quality"),
    Jobs(name="10 % worse by 0.2", draw=answers(0.1, by=0.2), at="quality"),
    Jobs(name="scores that are fractions", draw=scores, at="quality"),
    Jobs(name="16 % worse, same price", draw=answers(0.16, 0.14, same_price=True), at="price and quality"),
)


@cache
def levels(endless: bool) -> tuple[tuple[int, Levels], ...]:
    """Return the looks at a job, each with how sure it must be."""
    job_rows = MOST_ROWS if endless else ROWS
    looks, levels = Looks(job_rows=job_rows), list[tuple[int, Levels]]()
    for rows in range(EVERY, ROWS + endless, EVERY):
        looks = looks.then(Look(rows, spent_by(rows, job_rows)))
        levels.append((rows, looks.levels))
    return tuple(levels)


def job(kind: Jobs, chance: Random) -> list[Pair]:
    """Return the rows of a job, in the order in which they are drawn; a whole one stands itself at the boundary."""
    rows = [kind.draw(chance) for _ in range(ROWS)]
    if kind.endless:
        return rows
    if "price" in kind.at:
        costs = sum(row.fanout for row in rows) / sum(row.baseline for row in rows)
        points = sum(row.fanout_points for row in rows) / sum(row.baseline_points for row in rows)
        rows = [replace(row, fanout=row.fanout * points / costs) for row in rows]
    if "quality" in kind.at:
        rows = _with_quality(rows)
        chance.shuffle(rows)  # those that were changed stand in front
    return rows


def _with_quality(rows: Sequence[Pair]) -> list[Pair]:
    """Return rows whose answers are worse by the margin: where too many differ, or too few, some are changed."""
    differences = [row.fanout_score - row.baseline_score for row in rows]
    over = sum(differences) + MARGIN * len(rows)
    changed = list[Pair]()
    for row, difference in zip(rows, differences, strict=True):
        wanted = difference
        if over > 0 and difference >= 0:
            wanted = max(difference - over, -max(abs(value) for value in differences))
        elif over < 0 and difference < 0:
            wanted = min(difference - over, 0.0)
        over -= difference - wanted
        changed.append(replace(row, fanout_score=max(wanted, 0.0), baseline_score=max(-wanted, 0.0)))
    return changed


def first_word(kind: Jobs, chance: Random) -> Word:
    """Return the first word that is said of a job, or that none is."""
    evidence, rows = Evidence(), job(kind, chance)
    job_rows = MOST_ROWS if kind.endless else ROWS
    for (before, _), (count, at) in pairwise(((0, Levels(0, 0)), *levels(kind.endless))):
        for row in rows[before:count]:
            evidence.add(row)
        unseen = 1 - count / job_rows
        word = decided(evidence.price(at, unseen), evidence.quality.bounds(at.yes, at.no, unseen))
        if word != UNDECIDED:
            return word
    return UNDECIDED


def wrong(kind: Jobs, draws: int, seed: int = 1) -> dict[Word, float]:
    """Return the share of jobs that each word is said of."""
    chance = Random(f"{kind.name} {kind.endless} {seed}")
    words = Counter(first_word(kind, chance) for _ in range(draws))
    return {word: words[word] / draws for word in (YES, NO)}


def measured(draws: int, seed: int = 1) -> Iterator[tuple[Jobs, dict[Word, float]]]:
    """Yield kinds with their wrong words."""
    for kind in KINDS:
        yield kind, wrong(kind, draws, seed)


def main() -> int:
    """Print the table; return 1 where a word is wrong too often."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    failed = 0
    print(f"{'wrong words, at the boundary of':<58}{YES:>12}{NO:>18}")
    for kind, shares in measured(draws):
        failed += max(shares.values()) > MOST_WRONG
        name = f"{kind.at}: {kind.name}{', endless' if kind.endless else ''}"
        print(f"{name:<58}{shares[YES]:>12.4f}{shares[NO]:>18.4f}", flush=True)
    print(f"{draws:,} jobs each, looked at every {EVERY} rows up to {ROWS:,}; {failed} kinds are wrong over 5 %")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
