"""The HTML report of a run with many attempts: how long it takes, how large it is, how much memory it needs.

Usage: python bench/report.py [ATTEMPTS]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from batch import write_rows

from support import environment

GRAPH = f"{Path(__file__).parent / 'batch.py'}:two"


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        rows, out = write_rows(folder, count // 2), Path(folder) / "run"
        command = [sys.executable, "-m", "fanwise"]
        run = [*command, "run", GRAPH, "--rows", str(rows), "--out", str(out), "--channel", "batch"]
        subprocess.run(run, env=environment(), check=True, capture_output=True)
        begun = time.monotonic()
        process = subprocess.Popen([*command, "report", str(out), "--html"], env=environment())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        took, size = time.monotonic() - begun, (out / "report.html").stat().st_size
        print(f"SIMULATED: a report of {count:,} attempts in {took:.1f} s (the start of Python in it), "
              f"{size / 1e6:.2f} MB, peak {usage.ru_maxrss // 1024} MiB")  # fmt: skip


if __name__ == "__main__":
    main()
