"""Whether a job should fan out, from rows that both arms have carried out. Pure.

What decides is dollars per successful row (what an attempt costs over how often it succeeds), beside the
difference in quality. Both are paired: a hard row is hard for both. "Fan out" is wrong where the price ratio is 1 or
more, or the quality lower by more than the margin; "do not fan out" is wrong where neither holds. Each word is wrong in
at most 5 % of jobs, however often they are looked at on the way (`looks`).

A row in which the single agent was cut off is its failure in money and says nothing of its quality; where the word
would be another without such rows, they have decided it, and it is taken back. So it is where few rows carry the bill.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from .evidence import Evidence, Pair, largest_share
from .intervals import Interval
from .looks import LEAST_ROWS, MOST_ROWS, Levels, Look, Looks
from .quality import Bounds, difference
from .ratio import FEW_ROWS
from .success import SuccessSums

Word = Literal["fan out", "do not fan out", "not enough rows to tell"]
YES: Word = "fan out"
NO: Word = "do not fan out"
UNDECIDED: Word = "not enough rows to tell"
MARGIN = 0.02
"""By how much worse answers may be, or by how much fewer, to count as equally good."""
SAME = 0.05
"""A difference in price of less than this share is hardly one."""
ROUNDING = 1e-12
"""Of a mean of floats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the rows say."""

    word: Word
    why: str
    rows: int
    more: int
    """Rows that would be needed beside these, where they are not enough; never more than the job has that can be
    compared. 0: no more rows would tell."""
    unlabelled: int = 0
    """Rows that would be needed beside those, and that the job has only without a label."""
    ratio: Interval | None
    """Dollars per successful row, fan-out over baseline, with the interval of these rows alone, 95 %; None where an
    arm has no success."""
    quality: Interval
    """Difference of scores, fan-out minus baseline, with the interval of these rows alone, 95 %."""
    decides: Decides
    """What the word was decided by."""

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data; a bound that is nowhere is null."""
        bounds = {
            name: {end: value if math.isfinite(value) else None for end, value in bound._asdict().items()}
            for name, bound in (("ratio", self.decides.ratio), ("quality", self.decides.quality))
        }
        looks = [look._asdict() for look in self.decides.looks]
        return asdict(self) | {"decides": {**bounds, "looks": looks}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decides:
    """The verdict's own bounds: they hold at all looks together, so that they are wider than those of one."""

    ratio: Bounds
    """The upper may be wrong in 5 % of jobs, the lower in 2.5 %."""
    quality: Bounds
    """The lower may be wrong in 5 % of jobs, the upper in 2.5 %."""
    looks: tuple[Look, ...]
    """All of them, this one last."""


def judge(
    pairs: Sequence[Pair],
    margin: float = MARGIN,
    *,
    job_rows: int | None = None,
    labelled_rows: int | None = None,
    looks: Sequence[Look] = (),
    labelled: bool = True,
    in_points: bool = False,
) -> Verdict:
    """Return the verdict of some rows.

    Args:
        pairs: The rows, drawn at random from those of the job.
        margin: By how much worse answers may be to count as equally good.
        job_rows: Rows of the job. Where all of them are here nothing is left open. None: more than anybody looks at.
        labelled_rows: Of them, those with a label, which alone can be compared. None: all.
        looks: Those that were made at fewer rows of this job.
        labelled: Whether scores are held against labels; else they are the share that was answered.
        in_points: Whether dollars are of points of score, since scores are fractions; else of rows that succeeded.
    """
    bought = "a point of score" if in_points else "a successful row"
    so_far = Looks.at(len(pairs), max(job_rows or MOST_ROWS, len(pairs)), looks)
    case = _Case(margin=margin, looks=so_far, labelled=labelled, bought=bought)
    verdict = case.verdict(pairs)
    if labelled_rows is None:
        return verdict
    more = min(verdict.more, max(labelled_rows - len(pairs), 0))
    return replace(verdict, more=more, unlabelled=verdict.more - more)


def decided(price: Bounds, quality: Bounds, margin: float = MARGIN) -> Word:
    """Return the word that bounds of price and quality have."""
    if quality.high < -margin - ROUNDING:
        return NO
    if price.high < 1 and quality.low >= -margin - ROUNDING:
        return YES
    return NO if price.low >= 1 else UNDECIDED


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What is judged, and how sure one must be."""

    margin: float
    looks: Looks
    labelled: bool
    bought: str
    """What dollars are of, in words."""

    def left(self, rows: int) -> int:
        """Return how many rows the job has beside so many."""
        return self.looks.job_rows - rows

    def verdict(self, pairs: Sequence[Pair]) -> Verdict:
        """Return the verdict of some rows; what few of them would decide, or those that were cut off, is open."""
        verdict = self.judged(pairs)
        if verdict.word == UNDECIDED:
            return verdict
        share = largest_share(pairs)
        if share > FEW_ROWS:
            why = f"few rows carry the bill: one has {100 * share:.0f} % of what a side cost"
            more = max(math.ceil(len(pairs) * share / FEW_ROWS) - len(pairs), 1)
            return replace(verdict, word=UNDECIDED, why=why, more=min(more, self.left(len(pairs))))
        whole = [pair for pair in pairs if not pair.cut_off]
        if len(whole) < len(pairs) and self.word_of(Evidence.of(whole), len(pairs)) != verdict.word:
            cut_off = f"one agent was cut off in {len(pairs) - len(whole)} rows"
            why = f"{cut_off}, which would decide it; raise its max_tokens"
            return replace(verdict, word=UNDECIDED, why=why)
        return verdict

    def judged(self, pairs: Sequence[Pair]) -> Verdict:
        """Return the verdict of some rows, whoever decides it."""
        evidence, rows = Evidence.of(pairs), len(pairs)
        price, quality = self._bounds(evidence, rows, self.looks.levels)
        word, more = self._word(evidence, price, quality), 0
        if rows < LEAST_ROWS:
            why, more = f"below {LEAST_ROWS} rows nothing is told", self._more_than_few(evidence, rows)
        elif not evidence.has_price:
            why, more = "neither side has succeeded, or nothing was paid", min(rows, self.left(rows))
        elif word == UNDECIDED:
            why, more = self._open(price, quality), self._more(evidence, rows)
        else:
            why = self._why(evidence, quality, word)
        return Verdict(
            word=word,
            why=why,
            rows=rows,
            more=more,
            ratio=price_ratio(pairs),
            quality=difference([pair.fanout_score - pair.baseline_score for pair in pairs if not pair.cut_off]),
            decides=Decides(ratio=price, quality=quality, looks=self.looks.made),
        )

    def word_of(self, evidence: Evidence, seen: int) -> Word:
        """Return the word of rows, where so many of the job have been seen."""
        return self._word(evidence, *self._bounds(evidence, seen, self.looks.levels))

    def _word(self, evidence: Evidence, price: Bounds, quality: Bounds) -> Word:
        if evidence.rows < LEAST_ROWS or not evidence.has_price:
            return UNDECIDED
        return decided(price, quality, self.margin)

    def _bounds(self, evidence: Evidence, seen: int, levels: Levels) -> tuple[Bounds, Bounds]:
        """Return the bounds of price and quality."""
        unseen = 1 - seen / self.looks.job_rows
        return evidence.price(levels, unseen), evidence.quality.bounds(levels.yes, levels.no, unseen)

    def _why(self, evidence: Evidence, quality: Bounds, word: Word) -> str:
        """Return why a word was said."""
        fanout, baseline = evidence.costs.sums[1], evidence.costs.sums[3]
        if not (fanout and baseline):
            loser = "one agent" if fanout else "the fan-out"
            return f"{loser} has not succeeded once in {evidence.rows:,.0f} rows"
        if quality.high < -self.margin - ROUNDING:
            return "its answers are worse" if self.labelled else "it answers fewer rows"
        if word == YES:
            return f"{self.bought} costs less{', and is no worse' if self.labelled else ''}"
        better = ", though its answers are better" if self.labelled and quality.low > 0 else ""
        return f"{self.bought} costs more{better}"

    def _open(self, price: Bounds, quality: Bounds) -> str:
        """Return what is not known yet."""
        if price.low > 1 - SAME and price.high < 1 + SAME:
            return f"{self.bought} costs the same within {100 * SAME:g} %"
        if price.high >= 1:
            return f"{self.bought} may cost more or less"
        what = "its answers may be worse by" if self.labelled else "the rows that it answers may be fewer by"
        return f"{self.bought} costs less, but {what} more than {100 * self.margin:g} points"

    def _more_than_few(self, evidence: Evidence, rows: int) -> int:
        """Return how many rows more would settle it, where these are so few that none is told; 0: the job has not."""
        if self.looks.job_rows < LEAST_ROWS:
            return 0
        least = LEAST_ROWS - rows
        return max(self._more(evidence, rows), least) if evidence.has_price else min(max(rows, least), self.left(rows))

    def _more(self, evidence: Evidence, rows: int) -> int:
        """Return how many rows more would settle it, if what was seen is how it is; at all rows of the job it is."""
        enough, few = self.looks.job_rows, rows
        if enough <= rows:
            return 0

        def settles(count: int) -> bool:
            bounds = self._bounds(evidence.times(count / rows), count, self.looks.levels_at(count))
            return decided(*bounds, self.margin) != UNDECIDED

        doubled = 2 * rows
        while doubled < enough:
            if settles(doubled):
                enough = doubled
            else:
                few, doubled = doubled, 2 * doubled
        while enough - few > max(few // 100, 1):
            middle = (few + enough) // 2
            few, enough = (few, middle) if settles(middle) else (middle, enough)
        return enough - rows


def price_ratio(pairs: Sequence[Pair]) -> Interval | None:
    """Return dollars per successful row, fan-out over baseline; None where an arm has none."""
    sums = SuccessSums()
    sums.add(
        [pair.fanout for pair in pairs],
        [pair.fanout_points for pair in pairs],
        [pair.baseline for pair in pairs],
        [pair.baseline_points for pair in pairs],
    )
    return sums.ratio()
