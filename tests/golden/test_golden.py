"""What the examples send and cost is what it was: see `golden_runs.py` beside this file."""

from __future__ import annotations

import json

import pytest
from golden_runs import CHANNELS, GOLDEN, JOBS, outcome

from fanwise.journal.memory import MemoryJournal


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("example", JOBS)
def test_keys_requests_and_summary_are_those_of_the_golden_file(example: str, channel: str) -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert outcome(example, channel) == golden[f"{example} {channel}"]


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_run_that_is_kept_in_memory_has_the_same_account(channel: str) -> None:
    """The main job runs whole on the other store, and its account is made from a copy."""
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert outcome("stdlib_review", channel, MemoryJournal()) == golden[f"stdlib_review {channel}"]
