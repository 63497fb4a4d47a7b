"""A comparison as people read it."""

from __future__ import annotations

from collections.abc import Iterator
from math import isinf

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fanwise.ledger.comparison import ArmFigures, Comparison
from fanwise.ledger.intervals import Interval
from fanwise.ledger.looks import LEAST_ROWS
from fanwise.ledger.multiplier import interval_data
from fanwise.ledger.quality import Bounds
from fanwise.ledger.verdict import Verdict

from .headline import interval, times

SIMULATED = "SIMULATED: answered by stand-ins; how often they are right says nothing of a model"


def show_comparison(comparison: Comparison, console: Console) -> None:
    """Print a comparison."""
    if comparison.simulated:
        console.print(Text(SIMULATED, style="bold yellow"))
    console.print(Text(" ".join(_sentences(comparison))))
    console.print(_figures(comparison))
    for note in comparison.notes:
        console.print(Text(f"note: {note}"))
    for line in comparison.shape:
        console.print(Text(f"shape: {line}"))


def _sentences(comparison: Comparison) -> Iterator[str]:
    verdict = comparison.verdict
    yield f"{verdict.word.capitalize()}: {verdict.why}."
    yield from _more(comparison)
    unlabelled = comparison.job_rows - comparison.labelled_rows
    of_all = f"the {comparison.labelled_rows:,} of {comparison.job_rows:,} that have a label"
    yield f"On {verdict.rows:,} rows drawn from {of_all if unlabelled else f'{comparison.job_rows:,}'}"
    yield _cost_of_success(comparison)
    if comparison.cut_off == verdict.rows:
        yield "One agent was cut off in every row: nothing is known of the difference in quality."
    else:
        yield _quality(comparison)
        if comparison.cut_off:
            cut_off = f"One agent was cut off in {comparison.cut_off:,} rows"
            yield f"{cut_off}: they are its failures in money, and are not in this difference."
    yield from _in_all(comparison)
    yield from _what_decides(verdict)
    if not comparison.labelled:
        yield "Without labels nothing is known of how right the answers are: --labels tells it."
    if comparison.left_out:
        yield f"{comparison.left_out} rows are left out: without a label, or with a cost that is not known."


def _quality(comparison: Comparison) -> str:
    """Return how right both sides were, or how many rows they answered."""
    fanout, baseline = comparison.fanout, comparison.baseline
    shares = f"{fanout.score:.1%} were {'right' if comparison.labelled else 'answered'} against {baseline.score:.1%}"
    scores = f"the mean score was {fanout.score:.3f} against {baseline.score:.3f}"
    quality = scores if comparison.in_points else shares
    return f"{quality[0].upper()}{quality[1:]}, a difference of {_points(comparison.verdict.quality)}."


def _more(comparison: Comparison) -> Iterator[str]:
    """Yield how many rows more would tell, and whether there are so many with a label."""
    verdict, like_these = comparison.verdict, "would tell, if they are like these"
    have_label = "" if comparison.labelled_rows == comparison.job_rows else " that have a label"
    if verdict.unlabelled and not verdict.more:
        compared = f"All {verdict.rows:,} rows that have a label were compared"
        yield f"{compared}; label more rows: about {verdict.unlabelled:,} more {like_these}."
    elif verdict.unlabelled:
        needed, there = (
            verdict.more + verdict.unlabelled,
            f"{verdict.more:,} more {'has' if verdict.more == 1 else 'have'} a label",
        )
        yield f"About {needed:,} rows more {like_these}, and only {there}; label about {verdict.unlabelled:,} rows."
    elif verdict.more and verdict.rows + verdict.more == comparison.labelled_rows:
        yield f"Only all of its rows{have_label} {like_these}: {verdict.more:,} more."
    elif verdict.more:
        rows = "row" if verdict.more == 1 else "rows"
        yield f"About {verdict.more:,} {rows} more{have_label} {like_these}."


def _what_decides(verdict: Verdict) -> Iterator[str]:
    """Yield the bounds that have decided: they are of all rows of the job, and hold at all looks together."""
    looks = len(verdict.decides.looks)
    if verdict.rows < LEAST_ROWS:
        return
    which = f" (this is look {looks})" if looks > 1 else ""
    bounds = f"{_price_words(verdict.decides.ratio)}, {_quality_words(verdict.decides.quality)}"
    yield f"What decides are bounds for all rows of the job that hold at every look{which}: {bounds}."


def _price_words(ratio: Bounds) -> str:
    """Return between what the ratio of prices lies, or what of it is not known."""
    if isinf(ratio.low):
        return "no price can be told of the fan-out, which has not succeeded once"
    if ratio.high == 0:
        return "no price can be told of one agent, which has not succeeded once"
    if isinf(ratio.high):
        most = "how many times at most is not known"
        return f"{ratio.low:.2f} times or more ({most})" if ratio.low else "nothing is known of the ratio of prices"
    return f"{ratio.low:.2f} to {ratio.high:.2f} times" if ratio.low else f"{ratio.high:.2f} times or less"


def _quality_words(quality: Bounds) -> str:
    """Return between what the difference in quality lies, or that nothing of it is known."""
    if quality.low <= -1 and quality.high >= 1:
        return "nothing is known of the difference in quality"
    return f"{100 * quality.low:+.1f} to {100 * quality.high:+.1f} points"


def _cost_of_success(comparison: Comparison) -> str:
    ratio, fanout, baseline = comparison.verdict.ratio, comparison.fanout, comparison.baseline
    if ratio is None or fanout.per_success_usd is None or baseline.per_success_usd is None:
        return f"the fan-out succeeded {fanout.good} times and one agent {baseline.good} times."
    costs = f"${fanout.per_success_usd:,.6f} with the fan-out and ${baseline.per_success_usd:,.6f} with one agent"
    success = interval_data(ratio, comparison.verdict.rows)
    what = "a point of score" if comparison.in_points else "a successful row"
    return f"{what} cost {costs}, {ratio.value:.2f} times as much ({interval(success)})."


def _in_all(comparison: Comparison) -> Iterator[str]:
    """Yield the multiplier, as the report of the same directory has it."""
    if comparison.multiplier is None:
        return
    multiplier = comparison.multiplier.data()
    took = f"{times(multiplier['tokens'])} the tokens and {times(multiplier['usd'])} the dollars"
    yield f"In all the fan-out took {took} of one agent ({interval(multiplier['usd'])})."
    if multiplier["few_rows"]:
        yield "Few rows carry the bill: one has more than a quarter of what a side took."


def _points(difference: Interval) -> str:
    low, high = 100 * difference.low, 100 * difference.high
    return f"{100 * difference.value:+.1f} points (95 % {low:+.1f} to {high:+.1f})"


def _figures(comparison: Comparison) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("a row")
    for name in ("fan-out", "one agent"):
        table.add_column(name, justify="right")
    arms = (comparison.fanout, comparison.baseline)
    table.add_row("dollars", *(f"${arm.cost_usd:,.6f}" for arm in arms))
    table.add_row(
        "dollars for each point" if comparison.in_points else "dollars for each success",
        *(_per_success(arm) for arm in arms),
    )
    table.add_row("tokens", *(f"{arm.tokens:,.0f}" for arm in arms))
    table.add_row("score", *(f"{arm.score:.3f}" for arm in arms))
    if not comparison.simulated:
        table.add_row("seconds along its longest path", *(f"{arm.seconds:.1f}" for arm in arms))
    return table


def _per_success(arm: ArmFigures) -> str:
    return "none" if arm.per_success_usd is None else f"${arm.per_success_usd:,.6f}"
