"""What an attempt was made for is found again in some 20 bytes, however many there are."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from fanwise.canonical import digest
from fanwise.engine.worktable import WorkTable

MANY = 60_000


def test_many_are_found_in_some_twenty_bytes_each() -> None:
    table = WorkTable()
    for attempt in range(1, MANY + 1):
        table.add(digest(str(attempt)), attempt)
    assert len(table) == MANY
    assert table.size <= 22 * MANY
    for attempt in range(1, MANY + 1, 97):
        assert attempt in table.find(digest(str(attempt)))
    strangers = [digest(f"not {number}") for number in range(MANY)]
    assert sum(bool(table.find(stranger)) for stranger in strangers) <= 5, "whoever asks looks, so they are to be few"


works = st.sampled_from([digest(str(number)) for number in range(30)]) | st.sampled_from(
    [f"{segment:02x}{tag:08x}{'0' * 54}" for segment in (0, 1) for tag in (0, 1, 7, 8, 2**32 - 1)]
)
"""Some that stand in one place, and at the end of a segment."""


@given(st.lists(works, max_size=200))
@settings(deadline=None)
def test_every_attempt_is_found_the_newest_first(added: list[str]) -> None:
    table, expected = WorkTable(), defaultdict[str, list[int]](list)
    for attempt, work in enumerate(added, 1):
        table.add(work, attempt)
        expected[work].insert(0, attempt)
    for work in added:
        assert table.find(work) == expected[work]
