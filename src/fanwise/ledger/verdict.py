"""Whether a job should fan out, from rows that both arms have carried out. Pure.

What decides is dollars per successful row (what an attempt costs over how often it succeeds), beside the
difference in quality. Both are paired: a hard row is hard for both. Where every row says the same, nothing
was seen to vary: then three in n may still be otherwise ("rule of three").

A row in which the single agent was cut off is its failure in money and says nothing of its quality; where the word
would be another without such rows, they have decided it, and it is taken back. So it is where few rows carry the bill.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Literal

from .intervals import LEVEL, Interval
from .ratio import FEW_ROWS
from .success import SuccessSums

Word = Literal["fan out", "do not fan out", "not enough rows to tell"]
UNDECIDED: Word = "not enough rows to tell"
SAME = 0.05
"""A difference in price of less than this share is none."""
MOST_ROWS = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One row on both arms."""

    fanout: float
    """What it cost, in whatever unit."""
    baseline: float
    fanout_score: float
    """0 to 1; 1 where it is right, or valid where there are no labels."""
    baseline_score: float
    fanout_good: bool
    """Whether it counts as successful."""
    baseline_good: bool
    cut_off: bool = False
    """Whether the single agent's answer was cut off: nothing is known of its quality then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the rows say."""

    word: Word
    why: str
    rows: int
    more: int
    """Rows that would be needed beside these, where they are not enough."""
    ratio: Interval | None
    """Dollars per successful row, fan-out over baseline; None where an arm has no success."""
    quality: Interval
    """Difference of scores, fan-out minus baseline."""


def judge(pairs: Sequence[Pair], margin: float = 0.02) -> Verdict:
    """Return the verdict of some rows.

    Args:
        pairs: The rows.
        margin: By how much worse answers may be to count as equally good.
    """
    verdict = _judged(pairs, margin)
    if verdict.word == UNDECIDED:
        return verdict
    share = largest_share(pairs)
    if share > FEW_ROWS:
        why, more = (
            f"few rows carry the bill: one has {100 * share:.0f} % of what a side cost",
            len(pairs) * share / FEW_ROWS,
        )
        return replace(verdict, word=UNDECIDED, why=why, more=max(math.ceil(more) - len(pairs), 1))
    whole = [pair for pair in pairs if not pair.cut_off]
    if len(whole) < len(pairs) and _judged(whole, margin).word != verdict.word:
        why = f"one agent was cut off in {len(pairs) - len(whole)} rows, which would decide it; raise its max_tokens"
        return replace(verdict, word=UNDECIDED, why=why)
    return verdict


def largest_share(pairs: Sequence[Pair]) -> float:
    """Return the greatest share, 0 to 1, that one row has of what a side cost."""
    sides = ([pair.fanout for pair in pairs], [pair.baseline for pair in pairs])
    return max((max(costs) / sum(costs) for costs in sides if sum(costs) > 0), default=0.0)


def _judged(pairs: Sequence[Pair], margin: float) -> Verdict:
    """Return the verdict of some rows, whoever decides it."""
    quality = difference([pair.fanout_score - pair.baseline_score for pair in pairs if not pair.cut_off])
    ratio = price_ratio(pairs)
    if len(pairs) < 2 or ratio is None:
        word, why, more = _few(pairs)
    else:
        word, why = _decided(ratio, quality, margin)
        more = _more(len(pairs), ratio, quality, margin) if word == UNDECIDED else 0
    return Verdict(word=word, why=why, rows=len(pairs), more=more, ratio=ratio, quality=quality)


def _few(pairs: Sequence[Pair]) -> tuple[Word, str, int]:
    """Return what rows say of which one arm, or both, have no success: the word, why, and how many more are needed."""
    count, fanout_good = len(pairs), any(pair.fanout_good for pair in pairs)
    if count >= 10 and fanout_good != any(pair.baseline_good for pair in pairs):
        loser = "one agent" if fanout_good else "the fan-out"
        return "fan out" if fanout_good else "do not fan out", f"{loser} has not succeeded once in {count} rows", 0
    return UNDECIDED, "too few successes", max(10 - count, 10)


def _decided(ratio: Interval, quality: Interval, margin: float) -> tuple[Word, str]:
    """Return the word that price and quality have, and why."""
    if quality.high < -margin:
        return "do not fan out", "its answers are worse"
    if ratio.high < 1 and quality.low > -margin:
        return "fan out", "a successful row costs less, and is no worse"
    if ratio.low > 1:
        better = ", though its answers are better" if quality.low > 0 else ""
        return "do not fan out", f"a successful row costs more{better}"
    if ratio.low > 1 - SAME and ratio.high < 1 + SAME and quality.high < margin:
        return "do not fan out", "it makes no difference"
    return UNDECIDED, _open(ratio, quality, margin)


def _open(ratio: Interval, quality: Interval, margin: float) -> str:
    if ratio.low <= 1 <= ratio.high:
        return "a successful row may cost more or less"
    return f"its answers may be worse by more than {margin:.0%}" if quality.low <= -margin else "it may be either"


def _more(count: int, ratio: Interval, quality: Interval, margin: float) -> int:
    """Return how many rows more would settle it, if what was seen is how it is: widths go with the root of rows."""
    need = float(count + 1)
    if ratio.low <= 1 <= ratio.high:
        width, away = math.log(ratio.high / ratio.low) / 2, max(abs(math.log(ratio.value)), math.log1p(SAME) / 2)
        need = max(need, count * (width / away) ** 2)
    if quality.low <= -margin < quality.high:
        width, away = (quality.high - quality.low) / 2, max(abs(quality.value + margin), margin / 2)
        need = max(need, count * (width / away) ** 2)
    return min(math.ceil(need) - count, MOST_ROWS)


def price_ratio(pairs: Sequence[Pair]) -> Interval | None:
    """Return dollars per successful row, fan-out over baseline; None where an arm has none."""
    sums = SuccessSums()
    for pair in pairs:
        sums.add(pair.fanout, pair.fanout_good, pair.baseline, pair.baseline_good)
    return sums.ratio()


def difference(values: Sequence[float]) -> Interval:
    """Return the mean of paired differences of scores, each from -1 to 1, with its interval.

    Where scores are fractions, rows count as more than they are: such differences vary less.
    """
    better, worse = sum(value for value in values if value > 0), -sum(value for value in values if value < 0)
    squares = sum(value**2 for value in values)
    if not values:
        return Interval(0.0, -1.0, 1.0)
    factor = (better + worse) / squares if squares else 1.0
    rows, up, down = len(values) * factor, better * factor, worse * factor
    mean, z = (up - down) / rows, NormalDist().inv_cdf((1 + LEVEL) / 2)

    def far(true: float) -> bool:
        """Whether a difference is too far from what was seen to be believed."""
        linear = -up - down + (2 * rows - up + down) * true
        root = math.sqrt(max(linear**2 + 8 * rows * down * true * (1 - true), 0.0))
        chance = (root - linear) / (4 * rows)
        variance = rows * (2 * chance + true * (1 - true))
        return abs(up - down - rows * true) > z * math.sqrt(max(variance, 0.0))

    return Interval(mean, _edge(far, mean, -1.0), _edge(far, mean, 1.0))


def _edge(far: Callable[[float], bool], near: float, end: float) -> float:
    """Return where a difference begins to be too far, between what was seen and an end."""
    if not far(end):
        return end
    for _ in range(60):
        middle = (near + end) / 2
        near, end = (near, middle) if far(middle) else (middle, end)
    return near
