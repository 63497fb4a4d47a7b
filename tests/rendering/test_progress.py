"""The progress of a run on one line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fanwise.ledger.progress import Progress
from fanwise.rendering.progress import progress_line

HALF_WAY = Progress(
    elapsed_s=10.0, total_rows=40, read=25, finished=16, failed=3, rejected=4, calls=50, remembered=7, open_batches=2,
    batch_requests=300, cost=1_234_567_890_000, unknown=0, simulated=True, cache_read_tokens=12_345,
)  # fmt: skip


def test_everything_is_on_the_line() -> None:
    assert progress_line(HALF_WAY) == (
        "16/40 rows (3 failed, 4 set aside), 50 calls, 7 answers known, 2 batches with 300 requests, "
        "$1.2346 simulated, 12,345 tokens read from the cache, about 10 s left"
    )


def test_what_there_is_none_of_is_not_on_it() -> None:
    plain = replace(
        HALF_WAY, total_rows=None, failed=0, rejected=0, remembered=0, open_batches=0, simulated=False,
        cache_read_tokens=0,
    )  # fmt: skip
    assert progress_line(plain) == "16 rows, 50 calls, $1.2346, 0 tokens read from the cache"


def test_what_is_not_known_of_the_spend_is_on_it() -> None:
    assert "at least $1.2346 (3 unknown) simulated" in progress_line(replace(HALF_WAY, unknown=3))
    assert ", unknown simulated" in progress_line(replace(HALF_WAY, cost=0, unknown=50))


@pytest.mark.parametrize(
    ("change", "left_s"),
    [
        ({}, 10.0),
        ({"rejected": 24}, None),
        ({"finished": 0, "rejected": 0}, None),
        ({"total_rows": None}, None),
        ({"total_rows": 0}, None),
    ],
    ids=["half way", "all rows done", "no row done", "rows not counted", "an empty file"],
)
def test_the_time_left_is_that_of_the_other_rows_at_the_pace_so_far(
    change: dict[str, int | None], left_s: float | None
) -> None:
    assert replace(HALF_WAY, **change).left_s == left_s


def test_a_file_that_holds_more_rows_than_were_counted_is_not_overtaken() -> None:
    assert progress_line(replace(HALF_WAY, read=41)).startswith("16/41 rows")
