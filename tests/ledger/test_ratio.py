"""The ratio of two sums: what it is, what does not move it, and how often its interval holds the truth."""

from __future__ import annotations

import importlib.util
import math
import sys
from fractions import Fraction
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanwise.ledger.intervals import LEVEL, student
from fanwise.ledger.ratio import LEAST_ROWS, PairedSums, Ratio
from fanwise.ledger.spread import EqualRatios, RowRatios
from support import ROOT

Rows = list[tuple[int, int]]
amounts = st.integers(1, 10**15)
rows_of_both = st.lists(st.tuples(amounts, amounts), min_size=1, max_size=30)
"""Picodollars, or tokens: up to a thousand dollars a row."""


def ratio_of(rows: Rows) -> Ratio:
    sums = PairedSums()
    half = len(rows) // 2
    for part in (rows[:half], rows[half:]):  # in which parts rows are added up makes no difference
        sums.add([top for top, _ in part], [bottom for _, bottom in part])
    ratio = sums.ratio()
    assert ratio is not None
    return ratio


@given(rows_of_both)
def test_it_is_the_quotient_of_the_sums(rows: Rows) -> None:
    assert ratio_of(rows).value == sum(top for top, _ in rows) / sum(bottom for _, bottom in rows)


@given(rows_of_both)
def test_its_interval_is_that_of_the_definition(rows: Rows) -> None:
    """Sums of products are what is kept; the definition goes over the rows a second time."""
    ratio = ratio_of(rows)
    if len(rows) < LEAST_ROWS:
        assert (ratio.low, ratio.high) == (None, None)
        return
    top, bottom = sum(row[0] for row in rows), sum(row[1] for row in rows)
    parts = [(Fraction(row[0], top), Fraction(row[1], bottom)) for row in rows]
    variance = sum((over - under) ** 2 * (1 + over + under) for over, under in parts)
    half = student(LEVEL, len(rows) - 1) * math.sqrt(variance)
    assert ratio.low == pytest.approx(ratio.value * math.exp(-half), rel=1e-12)
    assert ratio.high == pytest.approx(ratio.value * math.exp(half), rel=1e-12)


@given(rows_of_both)
def test_swapping_the_sides_inverts_the_ratio_and_its_interval(rows: Rows) -> None:
    ratio, inverse = ratio_of(rows), ratio_of([(bottom, top) for top, bottom in rows])
    assert ratio.value * inverse.value == pytest.approx(1)
    if ratio.low is not None and inverse.high is not None:
        assert ratio.low * inverse.high == pytest.approx(1)


@given(rows_of_both, st.integers(1, 10**6))
def test_the_unit_does_not_matter(rows: Rows, unit: int) -> None:
    ratio, scaled = ratio_of(rows), ratio_of([(top * unit, bottom * unit) for top, bottom in rows])
    assert scaled == pytest.approx(ratio) if ratio.low is not None else scaled == ratio


@given(st.lists(st.integers(1, 10**9), min_size=LEAST_ROWS, max_size=30), st.integers(1, 50), st.integers(1, 50))
def test_where_every_row_has_the_ratio_its_size_does_not_matter(sizes: list[int], over: int, under: int) -> None:
    ratio = ratio_of([(over * size, under * size) for size in sizes])
    assert ratio == Ratio(over / under, over / under, over / under)


def test_nothing_below_is_no_ratio_and_nothing_on_top_has_no_interval() -> None:
    assert PairedSums().ratio() is None
    sums = PairedSums()
    sums.add([3] * 9, [0] * 9)
    assert sums.ratio() is None
    assert ratio_of([(0, 7)] * 9) == Ratio(0.0, None, None)


def test_one_row_may_carry_the_bill_of_either_side() -> None:
    sums = PairedSums()
    sums.add([1] * 8, [1] * 7 + [3])
    assert sums.largest_share() == 0.3


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 10**9)), min_size=1, max_size=40))
def test_the_spread_over_rows_lies_within_their_ratios(rows: Rows) -> None:
    ratios = RowRatios()
    ratios.add([top for top, _ in rows], [bottom for _, bottom in rows])
    spread = ratios.spread()
    assert spread is not None
    least, most = min(ratios.values), max(ratios.values)
    margin = 1e-6 + 1e-9 * most
    for value in (spread.ratio, spread.mean, spread.p50, spread.p95, *(spread.ci95 or ())):
        assert least - margin <= value <= most + margin
    assert spread.p50 <= spread.p95
    assert (spread.ci95 is None) == (spread.low is None and bool(sum(top for top, _ in rows))) or not spread.ratio
    assert ratios.spread() == spread, "the same rows give the same interval"


@given(st.lists(st.integers(0, 10**18), max_size=600))
def test_the_sums_of_one_side_say_what_the_rows_say_of_two_equal_ones(amounts: list[int]) -> None:
    ratios, equal = RowRatios(), EqualRatios()
    for half in (amounts[: len(amounts) // 2], amounts[len(amounts) // 2 :]):
        ratios.add(half, list(half))
        equal.add(half)
    assert equal.spread() == ratios.spread()
    if any(amounts):
        assert equal.bins() == ratios.bins()


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_coverage", ROOT / "bench" / "coverage.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("size", [5, 8, 20, 50])
def test_the_interval_holds_the_truth_as_often_as_the_bench_demands(bench: ModuleType, size: int) -> None:
    """A small form of `bench/coverage.py`: few draws, so three standard errors under the bound are chance."""
    draws = 250
    for kind in bench.KINDS:
        bound = bench.bound(kind, size)
        if bound is not None:
            share = bench.coverage(kind, size, draws)
            assert share >= bound - 3 * math.sqrt(bound * (1 - bound) / draws), (kind.name, share)
