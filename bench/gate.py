"""What the prefix gate saves: four reviewers of each row behind a shared prefix, with the gate and without.

500 rows, a prefix of 6,000 tokens that all rows share, a document of 3,000 tokens in each row, four
reviewers and a join, 64 slots. The emulator answers as slowly as `LATENCY_S` says, so that slots
overlap as they would against the API. Everything here is simulated.

Usage: python bench/gate.py [ROWS] [SLOTS]
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel

from fanwise import Block, Job, agent, graph

MODEL = "claude-opus-5-5"
LATENCY_S = 0.05
GUIDE = Block("guide", "Every rule of this guide is to be kept by whoever reviews. " * 255)  # 15,045 characters


class Page(BaseModel):
    text: Annotated[str, Block]


class Review(BaseModel):
    verdict: str
    reason: str


@agent(model=MODEL, context=[GUIDE], max_tokens=200)
def security(text: str) -> Review:
    """Review the text for security."""
    return Review(verdict="good", reason="security: nothing found")


@agent(model=MODEL, context=[GUIDE], max_tokens=200)
def style(text: str) -> Review:
    """Review the text for style."""
    return Review(verdict="good", reason="style: nothing found")


@agent(model=MODEL, context=[GUIDE], max_tokens=200)
def facts(text: str) -> Review:
    """Review the text for facts."""
    return Review(verdict="good", reason="facts: nothing found")


@agent(model=MODEL, context=[GUIDE], max_tokens=200)
def tone(text: str) -> Review:
    """Review the text for tone."""
    return Review(verdict="good", reason="tone: nothing found")


@agent(model="claude-haiku-5-5", max_tokens=200)
def join(reviews: list[Review]) -> Review:
    """Join the reviews into one."""
    return Review(verdict="good", reason="joined")


@graph
def review(page: Page) -> Review:
    return join([security(page.text), style(page.text), facts(page.text), tone(page.text)])


def rows(count: int) -> list[dict[str, str]]:
    return [
        {"id": str(number), "text": f"Document {number}. " + "It says this and that. " * 325} for number in range(count)
    ]


def measure(count: int, slots: int, *, gate: bool) -> dict[str, Any]:
    """Run the job once; returns its summary."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        options = {"channel": "live", "slots": slots, "latency_s": LATENCY_S, "gate": gate}
        return Job(review, rows=rows(count), out=out, **options).run_sync().summary


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    slots = int(sys.argv[2]) if len(sys.argv) > 2 else 64
    for name in [name for name in os.environ if name.startswith("ANTHROPIC_")]:
        del os.environ[name]  # this is about the emulator: nothing is to be paid
    print(f"SIMULATED: {count} rows x 4 reviewers and a join, {slots} slots, {LATENCY_S} s a reply")
    for gate in (True, False):
        one = measure(count, slots, gate=gate)
        cache = one["cache"]
        print(
            f"gate {'on ' if gate else 'off'}: {one['attempts']['sent']} calls, {cache['writes']} writes and "
            f"{cache['reads']} reads, input {one['input_over_floor']:.3f} times its floor, "
            f"${one['cost_usd']}, {one['wall_s']:.1f} s"
        )


main()
