"""How often the multiplier's interval holds the truth, on rows of six kinds; the exit status is 1 where a bound fails.

    python bench/coverage.py [DRAWS]

Every kind draws what a row takes on both sides, with a known ratio of the expected sums. The interval is the
account's own (`fanwise.ledger.ratio`). The bounds are those of the issue; no bound is set where none can be met:
of samples of 20 rows 12 % hold none of the tenth of rows that cost four times as much.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from fanwise.ledger.ratio import PairedSums

SIZES = (5, 8, 20, 50, 200)
"""Rows of a sample."""
SCALE = 10**9
"""Whole units of a row of size one: the account is of whole numbers."""
NOISE = 0.3
"""Of the logarithm of a row's own ratio."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """One kind of rows."""

    name: str
    truth: float
    """The ratio of the expected sums."""
    draw: Callable[[Random], tuple[float, float]]
    """What a row takes in the fan-out and by the single agent."""
    bounds: dict[int, float]
    """Least coverage by the least rows from which it holds."""


def lognormal(deviation: float) -> Callable[[Random], tuple[float, float]]:
    """Rows of lognormal size, twice as large in the fan-out, with noise."""

    def draw(chance: Random) -> tuple[float, float]:
        size = chance.lognormvariate(0, deviation)
        return 2 * size * chance.lognormvariate(0, NOISE), size

    return draw


def even(chance: Random) -> tuple[float, float]:
    """Both sides vary by a fifth, about sizes of two and one."""
    return max(chance.gauss(2, 0.4), 0.01), max(chance.gauss(1, 0.2), 0.01)


def each(chance: Random) -> tuple[float, float]:
    """An `each` over a list of geometric length, four items on average: a call for each, beside one before them."""
    items = 1
    while chance.random() > 0.25:
        items += 1
    return 0.5 + 0.6 * items, 1 + 0.2 * items


def tenth(chance: Random) -> tuple[float, float]:
    """A tenth of the rows takes four times as much in the fan-out."""
    times = 4 if chance.random() < 0.1 else 1
    return times * chance.lognormvariate(0, 0.1), chance.lognormvariate(0, 0.1)


def pareto(chance: Random) -> tuple[float, float]:
    """Rows of a size with a heavy tail, with noise."""
    size = chance.paretovariate(2.5)
    return 2 * size * chance.lognormvariate(0, NOISE), size


NOISY = 2 * math.exp(NOISE**2 / 2)
KINDS = (
    Rows(name="cv 0.2", truth=2.0, draw=even, bounds={5: 0.92}),
    Rows(name="lognormal 0.5", truth=NOISY, draw=lognormal(0.5), bounds={5: 0.92}),
    Rows(name="lognormal 1.0", truth=NOISY, draw=lognormal(1.0), bounds={20: 0.90}),
    Rows(name="each, geometric", truth=2.9 / 1.8, draw=each, bounds={20: 0.92}),
    Rows(name="10 % of rows at 4x", truth=1.3, draw=tenth, bounds={50: 0.91}),
    Rows(name="Pareto 2.5", truth=NOISY, draw=pareto, bounds={20: 0.92}),
)


def coverage(kind: Rows, size: int, draws: int, seed: int = 1) -> float:
    """Return the share of samples whose interval holds the truth."""
    chance, held = Random(f"{kind.name} {size} {seed}"), 0
    for _ in range(draws):
        sums = PairedSums()
        rows = [kind.draw(chance) for _ in range(size)]
        sums.add([round(fanout * SCALE) for fanout, _ in rows], [round(baseline * SCALE) for _, baseline in rows])
        ratio = sums.ratio()
        assert ratio is not None and ratio.low is not None and ratio.high is not None
        held += ratio.low <= kind.truth <= ratio.high
    return held / draws


def bound(kind: Rows, size: int) -> float | None:
    """Return the least coverage that a sample of a size must have; None where there is no bound."""
    held = [least for rows, least in kind.bounds.items() if size >= rows]
    return max(held, default=None)


def measured(draws: int, seed: int = 1) -> Iterator[tuple[Rows, int, float, float | None]]:
    """Yield kind, rows, coverage and its bound."""
    for kind in KINDS:
        for size in SIZES:
            yield kind, size, coverage(kind, size, draws, seed), bound(kind, size)


def main() -> int:
    """Print the table; return 1 where a bound fails."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 4_000
    failed = 0
    print(f"{'rows of a sample':<20}" + "".join(f"{size:>14}" for size in SIZES))
    cells = {kind.name: list[str]() for kind in KINDS}
    for kind, _, share, least in measured(draws):
        misses = least is not None and share < least
        failed += misses
        word = "" if least is None else f" {'<' if misses else '>='} {least:.2f}"
        cells[kind.name].append(f"{share:.3f}{word}")
    for name, shares in cells.items():
        print(f"{name:<20}" + "".join(f"{share:>14}" for share in shares))
    print(f"{draws:,} draws each; {failed} bounds fail")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
