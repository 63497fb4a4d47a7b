"""A verdict may be looked at as often as one likes: its words stay right, and it says what more rows would do."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanwise.ledger.evidence import Pair, at_least, least_chance
from fanwise.ledger.looks import ERROR, Look, Looks, next_look, spent_by
from fanwise.ledger.verdict import judge

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

from peeking import KINDS, MOST_WRONG, wrong

Z = NormalDist()


@pytest.mark.parametrize(
    ("name", "draws"), [("cv 0.2", 25), ("successes .05 and .10", 40), ("6 % worse, 4 % better", 25)]
)
def test_words_at_a_boundary_are_seldom_wrong_however_often_one_looks(name: str, draws: int) -> None:
    """Looked at every 20 rows, 20 to 37 % of the words were wrong. `bench/peeking.py` draws more."""
    kind = next(kind for kind in KINDS if kind.name == name)
    assert max(wrong(kind, draws).values()) <= MOST_WRONG


def test_the_levels_of_looks_are_those_of_a_walk_that_is_cut_off() -> None:
    """Against 4,000 walks that are drawn: what a look spends is what it was given."""
    looks, steps = Looks(job_rows=1_000), (20, 60, 200, 700)
    levels: list[float] = []
    for rows in steps:
        looks = looks.then(Look(rows, spent_by(rows, 1_000)))
        levels.append(looks.levels.yes)
    assert levels[0] == pytest.approx(ERROR * spent_by(20, 1_000), rel=1e-6), "nothing came before"
    chance, crossed, walks = Random(3), 0, 4_000
    information = [rows / (1 - rows / 1_000) for rows in steps]
    for _ in range(walks):
        place, before = 0.0, 0.0
        for now, level in zip(information, levels, strict=True):
            place, before = place + chance.gauss(0, (now - before) ** 0.5), now
            if place > -Z.inv_cdf(level) * now**0.5:
                crossed += 1
                break
    assert crossed / walks == pytest.approx(ERROR * spent_by(700, 1_000), abs=0.01)


def test_few_looks_leave_more_than_many() -> None:
    once = Looks.at(400, 2_000).levels.yes
    often = Looks.at(400, 2_000, [Look(rows, spent_by(rows, 2_000)) for rows in range(20, 400, 20)]).levels.yes
    assert often < once < ERROR


@given(st.lists(st.integers(10, 400), min_size=1, max_size=4), st.integers(400, 3_000))
def test_looks_never_spend_more_than_there_is(rows: list[int], job_rows: int) -> None:
    made: tuple[Look, ...] = ()
    for count in sorted(rows):
        made = next_look(count, job_rows, made)
        levels = Looks.at(count, job_rows, made).levels
        assert 0 < levels.no <= levels.yes <= ERROR
    spent = [look.spent for look in made]
    assert spent == sorted(spent)
    assert spent[-1] <= 1
    assert next_look(made[-1].rows, job_rows, made) == made, "the same rows again are the same look"


def same(rows: int, fanout: float = 1.0, baseline: float = 2.0) -> list[Pair]:
    """Rows that all say the same."""
    row = Pair(
        fanout=fanout, baseline=baseline, fanout_score=1.0, baseline_score=1.0, fanout_points=1.0, baseline_points=1.0
    )
    return [row] * rows


@pytest.mark.parametrize("job_rows", [60, 400, 5_000, None])
@pytest.mark.parametrize("baseline", [2.0, 1.1, 0.9])
def test_rows_more_are_right_where_nothing_varies(job_rows: int | None, baseline: float) -> None:
    """Ten per cent fewer than it says are not enough."""
    verdict = judge(same(40, baseline=baseline), job_rows=job_rows)
    assert (verdict.word, verdict.rows) == ("not enough rows to tell", 40)
    assert 0 < verdict.more <= (job_rows or 10_000_000) - 40
    looks = verdict.decides.looks
    enough = judge(same(40 + verdict.more, baseline=baseline), job_rows=job_rows, looks=looks)
    assert enough.word == ("fan out" if baseline > 1 else "do not fan out")
    few = judge(same(40 + verdict.more * 9 // 10, baseline=baseline), job_rows=job_rows, looks=looks)
    assert few.word == "not enough rows to tell"


def test_below_ten_rows_there_is_no_word() -> None:
    verdict = judge(same(9, 1.0, 100.0), job_rows=9)
    assert (verdict.word, verdict.more) == ("not enough rows to tell", 0), "the job has no more"
    more = judge(same(9), job_rows=100).more
    assert judge(same(9 + more), job_rows=100).word == "fan out"
    assert judge(same(10), job_rows=100).word == "not enough rows to tell", "one row more would not tell"
    assert judge(same(10), job_rows=10).word == "fan out", "nothing is left open"


def test_nothing_is_called_no_worse_without_labels() -> None:
    """A fan-out that answers 3 % fewer rows was told to fan out."""
    assert judge(same(400), labelled=True).why == "a successful row costs less, and is no worse"
    assert judge(same(400), labelled=False).why == "a successful row costs less"
    unanswered = Pair(
        fanout=0.5, baseline=2.0, fanout_score=0.0, baseline_score=1.0, fanout_points=0.0, baseline_points=1.0
    )
    verdict = judge([*same(900), *[unanswered] * 100], labelled=False)
    assert (verdict.word, verdict.why) == ("do not fan out", "it answers fewer rows")


def test_points_of_score_are_what_is_paid_for() -> None:
    half = Pair(fanout=1.0, baseline=1.5, fanout_score=0.5, baseline_score=0.5, fanout_points=0.5, baseline_points=0.5)
    verdict = judge([half] * 400)
    assert verdict.ratio is not None
    assert verdict.ratio.value == pytest.approx(2 / 3)
    assert verdict.word == "fan out"


def test_a_score_that_was_never_far_off_is_no_proof() -> None:
    """Differences of a thousandth counted as thousands of rows: nobody thought of a wrong answer in fifty."""
    row = Pair(
        fanout=1.0, baseline=2.0, fanout_score=0.9, baseline_score=0.901, fanout_points=0.9, baseline_points=0.901
    )
    assert judge([row] * 60).word == "not enough rows to tell"


@given(st.integers(1, 40), st.floats(0.001, 0.2))
def test_the_least_chance_is_exact(successes: int, level: float) -> None:
    rows = 40
    least = least_chance(successes, rows, level)
    assert at_least(successes, rows, least) == pytest.approx(level, rel=1e-6)
    assert 0 < least < successes / rows + 1e-9
