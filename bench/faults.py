"""What goes wrong and what becomes of it: every row accounted for, refusals bounded, no budget passed.

Each line is a whole job against an emulator with one kind of fault, over real HTTP; `fault_cases.py` has the kinds,
those in which a reply is changed on its way to us among them. Everything is simulated. The last lines run jobs with a
budget of one dollar while all of it goes wrong at once.

Usage: python bench/faults.py [ROWS] [SEEDS]
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path
from typing import Any

from fault_cases import ALL, BATCHES, CASES, GIVEN_UP, MESSAGES, Faults, Scripted, all_at_once, mark, odd_cases
from pydantic import BaseModel

from fanwise import Block, Emulator, HaltedError, Job, agent, graph
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer
from odd_server import foreign

GUIDE = Block("guide", "Keep to every rule of this guide, and to its spirit too. " * 300)
MODEL = "claude-opus-5-5"
SLOTS = 16


class Row(BaseModel):
    id: str
    text: str


@agent(model=MODEL, context=[GUIDE], max_tokens=200, time_limit_s=3)
def facts(text: str) -> str:
    """Find the facts."""
    return f"facts of {text[:20]}"


@agent(model=MODEL, context=[GUIDE], max_tokens=200, time_limit_s=3)
def tone(text: str) -> str:
    """Judge the tone."""
    return f"tone of {text[:20]}"


@agent(model=MODEL, context=[GUIDE], max_tokens=400, time_limit_s=3)
def answer(facts: str, tone: str) -> str:
    """Answer by the facts and in the tone."""
    return f"{facts}; {tone}"


@graph
def job(row: Row) -> str:
    return answer(facts(row.text), tone(row.text))


def carried_out(
    faults: Faults,
    rows: int,
    channel: str,
    *,
    text: str = "",
    settings: dict[str, Any] | None = None,
    script: Scripted | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Run one job and return its summary, with what the emulator has seen.

    Args:
        faults: What the emulator does.
        rows: How many.
        channel: Of the job.
        text: Of every row.
        settings: Of the emulator.
        script: What is done to replies on their way.
        options: Of the job.
    """
    data = [Row(id=str(number), text=f"text {mark(number)} {text}") for number in range(rows)]
    with (
        tempfile.TemporaryDirectory() as folder,
        Emulator(
            answer=answerer(build_arms({"fanout": job.spec})), keep_requests=100_000, **(settings or {})
        ) as server,
        foreign(server.url) if script else nullcontext() as front,
    ):
        url = server.url
        if front is not None and script is not None:
            front.scripts["odd"], url = script(rows), f"{front.url}/odd"
        for fault in faults:
            server.fault(**fault)
        begun = time.monotonic()
        # Nobody lists batches but this job, so a batch that is not listed soon was never taken.
        work = Job(
            job, rows=data, out=Path(folder) / "run", channel=channel, slots=SLOTS, base_url=url, grace_s=1.0,
            **options,
        )  # fmt: skip
        try:
            summary = work.run_sync().summary
        except HaltedError:
            summary = json.loads((Path(folder) / "run" / "summary.json").read_text())
        posts = [one for one in server.requests() if one["method"] == "POST" and one["path"] in (MESSAGES, BATCHES)]
        bill = Decimal(server.bill()["totals"]["pico"]) / 10**12
        return summary | {
            "seconds": time.monotonic() - begun,
            "posts": len(posts),
            "refused": sum(one["status"] >= 400 for one in posts),
            "bill": bill,
        }


def check(name: str, channel: str, found: dict[str, Any], rows: int) -> bool:
    """Print a line and return whether every row is accounted for, and the bill."""
    counts, attempts = found["rows"], found["attempts"]
    ended = sum(counts[kind] for kind in ("succeeded", "partial", "failed", "unfinished"))
    known = Decimal(found["cost_usd"] or 0)
    most = sum(Decimal(found[name]) for name in ("lost_upper_bound_usd", "unpriced_upper_bound_usd"))
    most += Decimal(found["open"]["upper_bound_usd"])  # what is in batches when a job halts is read by `resume`
    billed = known <= found["bill"] <= known + most
    good = ended == rows and billed and (found["ended"] == "halted" or not counts["unfinished"])
    kept = ", ".join(f"{counts[kind]} {kind}" for kind in ("succeeded", "failed", "unfinished") if counts[kind])
    told = f"{attempts['sent']:5} attempts, {attempts['failed']:3} failed, {attempts['lost']:3} lost"
    print(f"{'ok ' if good else 'BAD'} {channel:5} {name:30} {kept:28} {told}, {found['refused']:3} refused, "
          f"{found['seconds']:4.1f} s, ledger ${known:.4f}, bill ${found['bill']:.4f}")  # fmt: skip
    return good


def main() -> int:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    os.environ["ANTHROPIC_API_KEY"] = "k"
    print(f"SIMULATED: {rows} rows, two agents and one behind them, {SLOTS} slots")
    good = True
    for name, channel, faults in CASES:
        good &= check(name, channel, carried_out(faults, rows, channel), rows)
    for name, channel, faults in GIVEN_UP:
        found = carried_out(faults, rows, channel, give_up_after="2s")
        good &= check(name, channel, found, rows) and found["ended"] == "halted"
    for case in odd_cases():
        found = carried_out([], rows, case.channel, script=case.script)
        good &= check(case.name, case.channel, found, rows)
    for channel in ("live", "batch"):
        found = carried_out([], rows, channel, settings={"spend_limit_pico": rows * 10**11 // 60})
        good &= check("a spend limit in the middle", channel, found, rows)
        after = found["refused"]
        print(f"    halted: {found['halted'][:60]}...; {after} requests were refused, at most {SLOTS} in flight")
        good &= found["ended"] == "halted" and after <= SLOTS
    over, spent = 0, list[Decimal]()
    for seed in range(seeds):
        channel = ("live", "batch", "auto")[seed % 3]
        random.seed(seed)
        text = "A long story about this text. " * random.randint(60, 160)
        found = carried_out(ALL, 120, channel, text=text, script=all_at_once, budget_usd="1")
        spent.append(found["bill"])
        over += found["bill"] > 1 or found["ended"] != "halted"
    least, most = min(spent, default=Decimal(0)), max(spent, default=Decimal(0))
    print(f"a budget of $1 under all of it, {seeds} seeds: bills of ${least:.4f} to ${most:.4f}, {over} over it")
    return 0 if good and not over else 1


if __name__ == "__main__":
    sys.exit(main())
