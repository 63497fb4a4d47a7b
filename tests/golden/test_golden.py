"""What the examples send and cost is what it was: see `golden_runs.py` beside this file."""

from __future__ import annotations

import json

import pytest
from golden_runs import CHANNELS, GOLDEN, JOBS, outcome


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("example", JOBS)
def test_keys_requests_and_summary_are_those_of_the_golden_file(example: str, channel: str) -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert outcome(example, channel) == golden[f"{example} {channel}"]
