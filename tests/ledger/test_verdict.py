"""Three right verdicts, and intervals that hold what they say."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanwise.ledger.evidence import Pair
from fanwise.ledger.intervals import LEVEL, student
from fanwise.ledger.quality import difference
from fanwise.ledger.verdict import judge, price_ratio

SIMULATIONS = 400


def pair(fanout: float, baseline: float, fanout_good: bool, baseline_good: bool) -> Pair:
    """A row that is right or wrong on each arm, at a price."""
    return Pair(
        fanout=fanout, baseline=baseline, fanout_score=float(fanout_good), baseline_score=float(baseline_good),
        fanout_points=float(fanout_good), baseline_points=float(baseline_good),
    )  # fmt: skip


def drawn(chance: Random, rows: int, times: float, good: tuple[float, float]) -> list[Pair]:
    """Rows whose price varies by half, on both sides together; a hard row is hard for both."""
    found: list[Pair] = []
    for _ in range(rows):
        size, hard = chance.lognormvariate(0, 0.5), chance.random()
        fanout, baseline = (math.sqrt(hard) < share for share in good)
        found.append(
            pair(
                times * size * chance.lognormvariate(0, 0.2), size * chance.lognormvariate(0, 0.2), fanout, baseline
            )
        )  # fmt: skip
    return found


@pytest.mark.parametrize(("times", "good"), [(0.6, (0.9, 0.9)), (1.5, (0.95, 0.8)), (1.0, (0.8, 0.9))])
@pytest.mark.parametrize("rows", [40, 200])
def test_intervals_cover_as_often_as_they_say(times: float, good: tuple[float, float], rows: int) -> None:
    """Within two standard errors of the stated level, over seeded simulations."""
    chance = Random(7)
    chances = [share**2 for share in good]
    truth_ratio = times * chances[1] / chances[0]
    truth_quality = chances[0] - chances[1]
    covered = [0, 0]
    for _ in range(SIMULATIONS):
        pairs = drawn(chance, rows, times, good)
        ratio, quality = price_ratio(pairs), difference([one.fanout_score - one.baseline_score for one in pairs])
        assert ratio is not None
        covered[0] += ratio.low <= truth_ratio <= ratio.high
        covered[1] += quality.low <= truth_quality <= quality.high
    error = math.sqrt(LEVEL * (1 - LEVEL) / SIMULATIONS)
    shares = [count / SIMULATIONS for count in covered]
    assert abs(shares[0] - LEVEL) <= 2 * error, shares
    if truth_quality:  # where both sides are right on the same rows nothing varies, and what is added is all
        assert abs(shares[1] - LEVEL) <= 2 * error, shares


def test_a_cheaper_job_that_is_as_good_fans_out() -> None:
    verdict = judge(drawn(Random(1), 300, 0.6, (0.9, 0.9)))
    assert verdict.word == "fan out", verdict


def test_a_dearer_job_does_not() -> None:
    assert judge(drawn(Random(1), 300, 1.6, (0.9, 0.9))).word == "do not fan out"


def test_worse_answers_are_no_bargain() -> None:
    verdict = judge(drawn(Random(1), 400, 0.5, (0.6, 0.9)))
    assert verdict.word == "do not fan out"
    assert verdict.why == "its answers are worse"


def test_too_few_rows_say_how_many_more() -> None:
    few = drawn(Random(3), 12, 0.93, (0.9, 0.9))
    verdict = judge(few)
    assert verdict.word == "not enough rows to tell"
    assert verdict.more > 0
    enough = judge(drawn(Random(3), 12 + 3 * verdict.more, 0.93, (0.9, 0.9)))
    assert enough.word == "fan out", "thrice as many as it said are enough for sure"


def test_a_side_that_never_succeeds_decides() -> None:
    pairs = [pair(1.0, 1.0, True, False) for _ in range(30)]
    assert judge(pairs).word == "fan out"
    assert judge([pair(1.0, 1.0, False, True) for _ in range(30)]).word == "do not fan out"
    assert judge(pairs[:3]).word == "not enough rows to tell"
    assert judge([]).word == "not enough rows to tell"


def test_few_rows_that_carry_the_bill_decide_nothing() -> None:
    pairs = [pair(1.0, 2.0, True, True) for _ in range(400)]
    assert judge(pairs).word == "fan out"
    verdict = judge([*pairs, pair(100.0, 300.0, True, True)])
    assert verdict.word == "not enough rows to tell"
    assert verdict.why.startswith("few rows carry the bill: one has 27 % of")
    assert verdict.more > 0


def test_what_was_cut_off_decides_nothing_and_is_no_difference_in_quality() -> None:
    """A cap of ours cut one agent off, and the word was "fan out"."""
    cut_off = Pair(
        fanout=1.0, baseline=1.0, fanout_score=1.0, baseline_score=0.0, fanout_points=1.0, baseline_points=0.0,
        cut_off=True,
    )  # fmt: skip
    even = [pair(1.0, 1.0, True, True) for _ in range(30)]
    verdict = judge([*even, *[cut_off] * 30], margin=1.0)
    assert verdict.quality.value == 0
    assert (verdict.word, verdict.more) == ("not enough rows to tell", 0)
    assert "cut off in 30 rows" in verdict.why
    assert judge([cut_off] * 30, margin=1.0).word == "not enough rows to tell"
    cheaper = [pair(1.0, 2.0, True, True) for _ in range(300)]
    assert judge([*cheaper, cut_off]).word == "fan out", "they have not decided it"


def test_the_same_price_and_the_same_answers_are_no_reason_before_all_rows_are_there() -> None:
    """ "Do not" was said where the fan-out costs 4 % less."""
    pairs = [pair(1.0 + n % 3, 1.0 + n % 3, True, True) for n in range(400)]
    verdict = judge(pairs, job_rows=1_000)
    assert (verdict.word, verdict.why) == ("not enough rows to tell", "a successful row costs the same within 5 %")
    assert verdict.more == 600, "only all of them tell"
    assert judge(pairs, job_rows=400).word == "do not fan out"
    cheaper = [pair(0.99, 1.0, True, True) for n in range(400)]
    assert judge(cheaper, job_rows=400).word == "fan out"


@pytest.mark.parametrize(
    ("degrees", "exact"),
    [(1, 12.706205), (4, 2.776445), (5, 2.570582), (9, 2.262157), (29, 2.045230), (199, 1.971957), (10**6, 1.959966)],
)
def test_students_quantile_is_the_tabled_one(degrees: int, exact: float) -> None:
    """It was an expansion that is off in the fourth digit at four degrees: nobody could compute the bounds again."""
    assert student(0.95, degrees) == pytest.approx(exact, abs=6e-7)


@given(st.lists(st.tuples(st.floats(0.01, 10), st.floats(0.01, 10), st.booleans(), st.booleans()), max_size=40))
def test_any_rows_get_a_verdict(rows: list[tuple[float, float, bool, bool]]) -> None:
    verdict = judge([pair(*row) for row in rows])
    assert verdict.rows == len(rows)
    assert (verdict.more > 0) == (verdict.word == "not enough rows to tell")
    assert verdict.quality.low <= verdict.quality.value <= verdict.quality.high
    if verdict.ratio is not None:
        assert verdict.ratio.low <= verdict.ratio.value <= verdict.ratio.high


@pytest.mark.parametrize("rows", [1, 2, 9])
def test_rows_more_below_ten_are_those_that_would_tell_and_none_where_the_job_has_not_ten(rows: int) -> None:
    """One row more was said to tell, of nine, where 165 do."""
    few = [pair(1.0, 2.0, True, True)] * rows
    verdict = judge(few, job_rows=600)
    assert (verdict.word, verdict.why) == ("not enough rows to tell", "below 10 rows nothing is told")
    assert 0 < verdict.more < 600 - rows
    enough = judge(few[:1] * (rows + verdict.more), job_rows=600)
    assert enough.word == "fan out"
    assert judge(few[:1] * ((rows + verdict.more) * 9 // 10), job_rows=600).word == "not enough rows to tell"
    assert judge(few, job_rows=9).more == 0


@pytest.mark.parametrize("labelled", [20, 24, 29, 600])
def test_rows_more_are_of_those_that_have_a_label_and_the_others_are_to_be_given_one(labelled: int) -> None:
    """Seven rows more were said to tell of a job in which no other row had a label."""
    even = [pair(1.0 + n % 2, 1.3 + n % 2, True, True) for n in range(20)]
    whole = judge(even, job_rows=600)
    assert whole.more > 9
    assert whole.unlabelled == 0
    verdict = judge(even, job_rows=600, labelled_rows=labelled)
    assert verdict.more == min(whole.more, labelled - 20)
    assert verdict.more + verdict.unlabelled == whole.more
    assert verdict.decides == whole.decides, "they are of the whole job"
    assert judge(even * 30, job_rows=600, labelled_rows=600).unlabelled == 0


def test_of_scores_that_are_fractions_points_are_spoken_of() -> None:
    pairs = [
        Pair(
            fanout=1.0, baseline=2.0, fanout_score=0.5, baseline_score=0.5, fanout_points=0.5, baseline_points=0.5
        )
    ] * 200  # fmt: skip
    assert judge(pairs, job_rows=200, in_points=True).why == "a point of score costs less, and is no worse"
