"""A job is computed again by what shares no code with the account: `bench/truth.py` has more of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parent.parent / "bench"


def test_a_job_with_failures_is_computed_again_to_the_last_digit() -> None:
    """At twelve rows bounds of the headline were off by three in the sixth decimal, at five rows in the fourth."""
    ended = subprocess.run(
        (sys.executable, BENCH / "truth.py", "failures and refusals"), capture_output=True, text=True, timeout=240
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "1 jobs" in ended.stdout, ended.stdout


def test_what_computes_again_imports_nothing_of_ours() -> None:
    for path in (BENCH / "truth").glob("*.py"):
        if path.name != "graphs.py":
            lines = path.read_text("utf-8").splitlines()
            assert not [line for line in lines if line.strip().startswith(("import fanwise", "from fanwise"))], path
