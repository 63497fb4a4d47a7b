"""kill -9 at random moments, half of them in batches and half live, each resumed: what is lost, what is paid twice.

The emulator is a process of its own and survives; its bill is the judge. Rows go through three stages
behind a shared prefix. Everything here is simulated.

Usage: python bench/crash.py [KILLS] [ROWS] [SEED]
"""

from __future__ import annotations

import json
import random
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support import DESK, bill, emulator, environment, fanwise, journal_value, read_only, started, summary, tickets

GRAPH = f"{DESK}:triage"
KEY = environment(ANTHROPIC_API_KEY="k")
SLOTS = 16


@dataclass(frozen=True)
class Outcome:
    """What one kill has come to."""

    rows_lost: int
    paid_twice: int
    """Entries of the bill beyond one for each task."""
    told_lost: int
    """Attempts that the report names as lost."""
    exact: bool
    """Whether known ledger + the bill's entries of lost attempts = bill."""
    bytes_per_attempt: float


def one(channel: str, rows: int, chance: random.Random) -> Outcome:
    """Run, kill at a random moment, resume to the end, and hold the account against the bill."""
    with tempfile.TemporaryDirectory() as folder:
        file, out = tickets(Path(folder) / "rows.jsonl", rows), Path(folder) / "run"
        with emulator("--batch-delay-s", 0.3, "--latency-s", 0.05, graph=GRAPH) as url:
            options = ("--channel", channel, "--base-url", url, "--grace-s", 2, "--slots", SLOTS)
            run = started("run", GRAPH, "--rows", file, "--out", out, *options, env=KEY)
            while run.poll() is None and journal_value(out, "SELECT COUNT(*) FROM attempts") in (None, 0):
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 2.0 if channel == "batch" else 1.5))
            run.send_signal(signal.SIGKILL)
            run.wait()
            result = fanwise("resume", out, *options, env=KEY)
            if result.returncode:
                raise SystemExit(result.stderr)
            return judged(out, bill(url)["entries"], rows, channel)


def judged(out: Path, entries: list[dict[str, object]], rows: int, channel: str) -> Outcome:
    """Hold the account against the bill; in batches nothing may be lost, so there the ledger is all of it."""
    account = summary(out)
    with read_only(out / "journal.db") as db:
        known = {row[0] for row in db.execute("SELECT request_id FROM ends WHERE status='succeeded'")}
        cost = db.execute("SELECT SUM(cost) FROM ends").fetchone()[0]
        tasks = db.execute("SELECT COUNT(*) FROM tasks WHERE agent<>'questions'").fetchone()[0]
        attempts = db.execute("SELECT COUNT(*) FROM attempts").fetchone()[0]
        outputs = db.execute("SELECT COALESCE(SUM(LENGTH(text)),0) FROM texts").fetchone()[0]
    unknown = [entry for entry in entries if entry["id"] not in known] if channel == "live" else []
    lost = sum(int(str(entry["pico"])) for entry in unknown)
    whole = sum(int(str(entry["pico"])) for entry in entries)
    size = (out / "journal.db").stat().st_size
    return Outcome(
        rows - account["rows"]["succeeded"], len(entries) - tasks, account["attempts"]["lost"],
        cost + lost == whole, (size - outputs) / attempts,
    )  # fmt: skip


def main() -> None:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    chance = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    print(f"SIMULATED: {kills} kills, {rows} rows x 3 stages, {SLOTS} slots")
    found: dict[str, list[Outcome]] = {"batch": [], "live": []}
    for number in range(kills):
        channel = ("batch", "live")[number % 2]
        outcome = one(channel, rows, chance)
        found[channel].append(outcome)
        if outcome.rows_lost or not outcome.exact or outcome.paid_twice > outcome.told_lost:
            print(f"kill {number} ({channel}): {json.dumps(outcome.__dict__)}")
    for channel, some in found.items():
        again, told = sum(one.paid_twice for one in some), sum(one.told_lost for one in some)
        print(
            f"{channel}: {len(some)} kills, rows lost {sum(one.rows_lost for one in some)}, paid again {again} "
            f"(most {max(one.paid_twice for one in some)}), told as lost {told}, "
            f"exact {sum(one.exact for one in some)} of {len(some)}, "
            f"journal {max(one.bytes_per_attempt for one in some):.0f} bytes an attempt beyond outputs"
        )


main()
