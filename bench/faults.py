"""What goes wrong and what becomes of it: every row accounted for, refusals bounded, no budget passed.

Each line is a whole job against an emulator with one kind of fault, over real HTTP. Everything is
simulated. The last lines run jobs with a budget of one dollar while all of it goes wrong at once.

Usage: python bench/faults.py [ROWS] [SEEDS]
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from fanwise import Block, Emulator, HaltedError, Job, agent, graph
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer

GUIDE = Block("guide", "Keep to every rule of this guide, and to its spirit too. " * 300)
MODEL = "claude-opus-5-5"
SLOTS = 16
MESSAGES, BATCHES = "/v1/messages", "/v1/messages/batches"


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


NO_CREDIT = "Your credit balance is too low to access the Anthropic API."
Faults = list[dict[str, Any]]
CASES: list[tuple[str, str, Faults]] = [
    ("429 with retry-after", "live", [{"status": 429, "probability": 0.1, "retry_after": 0.3, "path": MESSAGES}]),
    ("429 without", "live", [{"status": 429, "probability": 0.1, "path": MESSAGES}]),
    ("529 for three seconds", "live", [{"status": 529, "for_s": 3, "path": MESSAGES}]),
    ("500", "live", [{"status": 500, "probability": 0.1, "path": MESSAGES}]),
    ("connections cut before", "live", [{"cut": True, "status": 500, "probability": 0.1, "path": MESSAGES}]),
    ("replies lost, billed", "live", [{"lost": True, "probability": 0.05, "path": MESSAGES}]),
    ("streams that stall", "live", [{"stream": "stall", "count": 2, "path": MESSAGES}]),
    ("streams that break", "live", [{"stream": "cut", "count": 3, "path": MESSAGES}]),
    ("replies that are no JSON", "live", [{"malformed": True, "probability": 0.05, "path": MESSAGES}]),
    ("a create whose reply is lost", "batch", [{"lost": True, "count": 2, "path": BATCHES}]),
    ("a create that is cut off", "batch", [{"cut": True, "status": 500, "count": 2, "path": BATCHES}]),
    ("a full queue of batches", "batch", [{"status": 429, "count": 3, "path": BATCHES}]),
    ("404 on polls for 3 s", "batch", [{"status": 404, "for_s": 3, "path": f"{BATCHES}/"}]),
    ("404 on results for 3 s", "batch", [{"status": 404, "for_s": 3, "path": "/results"}]),
    ("500 on polls", "batch", [{"status": 500, "probability": 0.5, "path": f"{BATCHES}/"}]),
    ("expired items", "batch", [{"item": "expired", "probability": 0.1}]),
    ("errored items", "batch", [{"item": "errored", "probability": 0.1}]),
    ("canceled items", "batch", [{"item": "canceled", "probability": 0.1}]),
    ("missing results", "batch", [{"item": "missing", "probability": 0.1}]),
    ("duplicated results", "batch", [{"item": "duplicated", "probability": 0.1}]),
    ("creates that are too large", "batch", [{"status": 413, "count": 3, "path": BATCHES}]),
    ("refused items", "batch", [{"item": "errored", "status": 400, "probability": 0.1}]),
    ("requests that are refused", "live", [{"status": 400, "probability": 0.1, "path": MESSAGES}]),
    ("all of them", "live", [{"status": 400, "path": MESSAGES}]),
    ("no credit", "live", [{"status": 400, "path": MESSAGES, "message": NO_CREDIT}]),
    ("no credit at a create", "batch", [{"status": 400, "path": BATCHES, "message": NO_CREDIT}]),
    ("no credit in items", "batch", [{"item": "errored", "status": 400, "message": NO_CREDIT}]),
    ("come again in a day", "live", [{"status": 429, "retry_after": 90_000, "path": MESSAGES}]),
    ("come again in a day, to create", "batch", [{"status": 429, "retry_after": 90_000, "path": BATCHES}]),
]
ALL: Faults = [
    {"status": 429, "probability": 0.02, "retry_after": 0.05, "path": MESSAGES},
    {"status": 529, "probability": 0.02, "path": MESSAGES},
    {"lost": True, "probability": 0.03, "path": MESSAGES},
    {"malformed": True, "probability": 0.03, "path": MESSAGES},
    {"item": "expired", "probability": 0.05},
    {"item": "missing", "probability": 0.05},
]


def carried_out(
    faults: Faults, rows: int, channel: str, text: str = "", settings: dict[str, Any] | None = None, **options: Any
) -> dict[str, Any]:
    """Run one job and return its summary, with what the emulator has seen."""
    data = [Row(id=str(number), text=f"text {number} {text}") for number in range(rows)]
    with (
        tempfile.TemporaryDirectory() as folder,
        Emulator(
            answer=answerer(build_arms({"fanout": job.spec})), keep_requests=100_000, **(settings or {})
        ) as server,
    ):
        for fault in faults:
            server.fault(**fault)
        begun = time.monotonic()
        # Nobody lists batches but this job, so a batch that is not listed soon was never taken.
        work = Job(
            job, rows=data, out=Path(folder) / "run", channel=channel, slots=SLOTS, base_url=server.url, grace_s=1.0,
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
    known, most = Decimal(found["cost_usd"]), Decimal(found["lost_upper_bound_usd"])
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
    for channel in ("live", "batch"):
        found = carried_out([], rows, channel, settings={"spend_limit_pico": 10**11})
        good &= check("a spend limit in the middle", channel, found, rows)
        after = found["refused"]
        print(f"    halted: {found['halted'][:60]}...; {after} requests were refused, at most {SLOTS} in flight")
        good &= found["ended"] == "halted" and after <= SLOTS
    over, spent = 0, list[Decimal]()
    for seed in range(seeds):
        channel = ("live", "batch", "auto")[seed % 3]
        random.seed(seed)
        text = "A long story about this text. " * random.randint(60, 160)
        found = carried_out(ALL, 120, channel, text=text, budget_usd="1")
        spent.append(found["bill"])
        over += found["bill"] > 1 or found["ended"] != "halted"
    least, most = min(spent, default=Decimal(0)), max(spent, default=Decimal(0))
    print(f"a budget of $1 under all of it, {seeds} seeds: bills of ${least:.4f} to ${most:.4f}, {over} over it")
    return 0 if good and not over else 1


if __name__ == "__main__":
    sys.exit(main())
