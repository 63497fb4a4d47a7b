"""Does every run end? Small random graphs with tools under `--channel auto`, many in one process, and one long job.

A run that stands still is halted by fanwise itself, and counts as wrong here. Faults strike now and then, pages are
shared by rows, some runs have a deadline. The long job has 600 rows, tools, a block of 16,000 tokens and a second
agent.

Usage: python bench/hangs.py [--runs N] [--seed N] [--rows N]
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
from pathlib import Path

import anyio
from pydantic import BaseModel

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
os.environ["ANTHROPIC_API_KEY"] = "k"  # the emulator takes any; no other is to be spent here

from fanwise import Block, Emulator, Job, agent, graph, tool
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer
from flows import Ends, carry_out_all

GUIDE = Block("guide", "Keep to every rule of this guide. " * 1_900)  # about 16,000 tokens
EVERY = 500


class Ticket(BaseModel):
    id: str
    text: str


@tool
def look_up(passage: str) -> str:
    """Look up a passage."""
    return "an entry"


@agent(model="claude-sonnet-5-5", context=[GUIDE], tools=[look_up], max_tokens=600)
def seek(text: str) -> str:
    """Look up what the text names, by the guide."""
    return look_up("seek it " * 25) * 25


@agent(model="claude-sonnet-5-5", context=[GUIDE], max_tokens=2_000)
def tell(text: str, entry: str) -> str:
    """Tell what was found, by the guide."""
    return f"{text}: {entry}"


@graph
def told(ticket: Ticket) -> str:
    return tell(ticket.text, seek(ticket.text))


def long_job(rows: int) -> bool:
    """Run the long job; return whether it has ended within ten minutes with every row."""

    async def work(url: str) -> int:
        with tempfile.TemporaryDirectory() as folder, anyio.fail_after(600):
            tickets = [Ticket(id=str(number), text=f"text {number}") for number in range(rows)]
            account = await Job(told, rows=tickets, out=Path(folder) / "run", channel="auto", base_url=url).run()
            for entry in account.summary["choices"]:
                took = [f"{each['calls']} {each['channel']} ({each['why']})" for each in entry["took"]]
                print(f"  {entry['agent']}: {', '.join(took)}")
            return account.summary["rows"]["succeeded"]

    begun = time.monotonic()
    with Emulator(answer=answerer(build_arms({"fanout": told.spec}))) as emulator:
        succeeded = anyio.run(work, emulator.url)
    print(f"the long job has ended: {succeeded} of {rows} rows in {time.monotonic() - begun:.1f} s")
    return succeeded == rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=int, default=600, help="of the long job; 0: none")
    options = parser.parse_args()
    begun = time.monotonic()
    logging.disable(logging.WARNING)  # what runs have to say of faults and deadlines

    def heard(ends: Ends) -> None:
        if ends.runs % EVERY == 0:
            print(f"{ends.runs} runs after {time.monotonic() - begun:.0f} s, {len(ends.wrong)} wrong", flush=True)
            print(*ends.wrong[-1:], sep="\n", end="", flush=True)

    good = not options.rows or long_job(options.rows)
    ends = carry_out_all(options.runs, options.seed, heard=heard)
    print(f"{ends.runs} runs in {time.monotonic() - begun:.0f} s, {time.process_time():.0f} s of processor time")
    print(f"rows: {dict(ends.rows)}; calls: {dict(ends.took)}")
    print(*ends.wrong, f"{len(ends.wrong)} runs did not end as they should", sep="\n")
    sys.exit(0 if good and not ends.wrong else 1)


if __name__ == "__main__":
    main()
