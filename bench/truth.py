"""Is every figure of the account right? Jobs are run by the command line and computed again by another way.

What computes them imports nothing of fanwise: it reads the journal as plain SQLite, the emulator's bill over HTTP, the
export, and a price list typed from the documentation (`truth/prices.py`). Rules come from the pages in
docs/decisions. A figure is equal to the last digit, or listed with the reason why nobody can compute it, or wrong.

Usage: python bench/truth.py [WORD ...]    only the jobs whose name has one of the words
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from truth.findings import Findings
from truth.jobs import JOBS
from truth.recomputed import recomputed
from truth.running import carried_out


def main() -> int:
    """Print a line a job, and what is wrong; return 1 where anything is."""
    words = sys.argv[1:]
    every: list[Findings] = []
    print(f"{'job':24}  checks   equal  listed  wrong  seconds")
    for job in JOBS:
        if words and not any(word in job.name for word in words):
            continue
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            try:
                findings = recomputed(carried_out(job, Path(folder)))
            except RuntimeError as error:
                findings = Findings(job=job.name, reasons={}, wrong=[str(error)])
        every.append(findings)
        _print(findings, time.monotonic() - begun)
    listed = Counter(f"{name}: {reason}" for findings in every for name, reason in findings.listed.items())
    print("\nlisted, and in how many jobs:")
    for reason, jobs in sorted(listed.items()):
        print(f"  {jobs:2}  {reason}")
    wrong = sum(len(findings.wrong) for findings in every)
    print(f"\n{len(every)} jobs, {sum(f.equal for f in every):,} figures equal to the last digit, {wrong} wrong")
    return 1 if wrong else 0


def _print(findings: Findings, seconds: float) -> None:
    equal, listed, wrong = findings.equal, len(findings.listed), len(findings.wrong)
    checks = f"{equal + listed + wrong:6}  {equal:6}  {listed:6}  {wrong:5}"
    print(f"{findings.job:24}  {checks}  {seconds:7.1f}", flush=True)
    for line in findings.wrong:
        print(f"    {line}")


if __name__ == "__main__":
    sys.exit(main())
