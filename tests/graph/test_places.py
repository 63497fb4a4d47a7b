"""Where tasks stand in a drawing: every edge goes to the right, and none across a task."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fanwise.graph.places import Passing, columns

edges = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=30).map(
    lambda pairs: sorted({(f"n{min(pair):02}", f"n{max(pair):02}") for pair in pairs if pair[0] != pair[1]})
)


@given(edges)
def test_every_edge_goes_right_and_has_a_place_where_it_passes(pairs: list[tuple[str, str]]) -> None:
    names = [f"n{number:02}" for number in range(12)]
    placed = columns(names, pairs)
    where = {spot: index for index, column in enumerate(placed) for spot in column}
    assert sorted(spot for spot in where if isinstance(spot, str)) == names
    assert sum(map(len, placed)) == len(where), "nothing stands twice"
    for source, target in pairs:
        assert where[source] < where[target]
        over = [
            spot.column
            for spot in where
            if isinstance(spot, Passing) and (spot.source, spot.target) == (source, target)
        ]
        assert sorted(over) == list(range(where[source] + 1, where[target]))


def test_a_ladder_has_no_crossing() -> None:
    """Each of five agents hands on to its own next one: they stay in line, however they were named."""
    pairs = [(f"a{number}", f"b{(number * 3) % 5}") for number in range(5)]
    pairs += [(target, f"c{number}") for number, (_, target) in enumerate(pairs)]
    placed = columns([name for pair in pairs for name in pair], pairs)
    place = {spot: index for column in placed for index, spot in enumerate(column)}
    for edge in pairs:
        for sibling in pairs:
            if edge[0][0] == sibling[0][0]:
                assert (place[edge[0]] - place[sibling[0]]) * (place[edge[1]] - place[sibling[1]]) >= 0


def test_an_edge_of_an_unknown_task_is_left_out() -> None:
    assert columns(["a"], [("a", "gone"), ("gone", "a")]) == [["a"]]
