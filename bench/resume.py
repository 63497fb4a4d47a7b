"""kill -9 in the middle of a large job in batches, once or more often, and its resumption, held against the bill.

The emulator is a process of its own and survives; its bill is the judge. A kill comes when the given
shares of all rows have their result. Peak memory of every session is printed.

Usage: python bench/resume.py [ROWS] [SHARE ...]
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from batch import write_rows

from support import emulator, environment, journal_value, summary

GRAPH = f"{Path(__file__).parent / 'batch.py'}:job"


def session(command: str, *args: object, out: Path, until: int | None) -> tuple[bool, int, float]:
    """Run one session, and kill it when so many rows have a result.

    Returns:
        Whether it ended by itself, its peak memory in MiB and its wall time in seconds.
    """
    begun = time.monotonic()
    with (out.parent / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "fanwise", command, *map(str, args)],
            env=environment(ANTHROPIC_API_KEY="k"), stdout=subprocess.DEVNULL, stderr=log,
        )  # fmt: skip
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            done = journal_value(out, "SELECT COALESCE(MAX(row),0) FROM results") if until is not None else None
            if until is not None and done is not None and done >= until:
                process.send_signal(signal.SIGKILL)
                _, status, usage = os.wait4(process.pid, 0)
                break
            time.sleep(0.25)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, -signal.SIGKILL):
        raise SystemExit((out.parent / "log").read_text())
    return process.returncode == 0, usage.ru_maxrss // 1024, time.monotonic() - begun


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    shares = [float(one) for one in sys.argv[2:]] or [0.5]
    print(f"SIMULATED: {count:,} rows in batches, killed at {', '.join(f'{one:.0%}' for one in shares)} of the rows")
    with tempfile.TemporaryDirectory() as folder, emulator() as url:
        rows, out = write_rows(folder, count), Path(folder) / "run"
        common = ("--channel", "batch", "--base-url", url, "--grace-s", 2)
        for number, share in enumerate([*shares, None]):
            words = ("run", GRAPH, "--rows", rows, "--out", out) if number == 0 else ("resume", out)
            until = None if share is None else int(share * count)
            ended, peak, wall = session(*words, *common, out=out, until=until)
            done = journal_value(out, "SELECT COUNT(*) FROM results")
            how = "ended" if ended else "killed"
            print(f"{words[0]}: {how} after {wall:.0f} s with {done:,} rows, peak {peak} MiB", flush=True)
        with urllib.request.urlopen(f"{url}/_emulator/bill?entries=0", timeout=60) as reply:
            billed = json.load(reply)["totals"]
        account = summary(out)
        exact = Decimal(account["cost_usd"]) == Decimal(billed["usd"])
        print(
            f"rows lost {count - account['rows']['succeeded']}, paid again {billed['entries'] - count}, "
            f"told as lost {account['attempts']['lost']}, ledger = bill: {exact}"
        )


if __name__ == "__main__":
    main()
