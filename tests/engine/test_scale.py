"""Memory does not grow with the number of rows; slow, run by `make scale`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support import DESK, emulator, environment, summary, tickets

PROGRAM = """
import json, resource, sys
from fanwise.cli.main import main
try:
    main(sys.argv[1:], standalone_mode=False)
finally:
    print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss), file=sys.stderr)
"""


def peak_kib(tmp_path: Path, count: int, url: str) -> int:
    rows, out = tickets(tmp_path / f"{count}.jsonl", count), tmp_path / f"run{count}"
    arguments = [
        "run",
        f"{DESK}:single",
        "--rows",
        str(rows),
        "--out",
        str(out),
        "--channel",
        "live",
        "--base-url",
        url,
    ]
    env = environment(ANTHROPIC_API_KEY="k")
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], env=env, capture_output=True, text=True, check=False
    )
    assert summary(out)["rows"]["succeeded"] == count, result.stderr[-2000:]
    assert summary(out)["cost_usd"] == summary(out)["bill_usd"]
    return int(json.loads(result.stderr.strip().splitlines()[-1]))


@pytest.mark.scale
def test_memory_at_100_000_rows_is_within_1_3_times_that_at_10_000(tmp_path: Path) -> None:
    with emulator(graph=f"{DESK}:single") as url:
        small = peak_kib(tmp_path, 10_000, url)
        large = peak_kib(tmp_path, 100_000, url)
    ratio = large / small
    print(f"peak memory: {small / 1024:.0f} MiB at 10,000 rows, {large / 1024:.0f} MiB at 100,000: {ratio:.2f} times")
    assert ratio <= 1.3
