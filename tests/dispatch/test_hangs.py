"""No run hangs: small random graphs with tools, under faults and deadlines; `bench/hangs.py` runs ten thousand."""

from __future__ import annotations

from flows import carry_out_all

RUNS = 200


def test_two_hundred_random_graphs_with_tools_end() -> None:
    """A run that stands still is halted, and counts as one that did not end."""
    ends = carry_out_all(RUNS, seed=1, most_rows=3)
    assert ends.runs == RUNS
    assert not ends.wrong
    assert ends.rows["succeeded"] > ends.rows["failed"]
    for way in (("live", "pilot"), ("batch", "pilot"), ("live", "price"), ("batch", "price")):
        assert ends.took[way], "what could wait is among them"
