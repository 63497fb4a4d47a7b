"""Memory and processor time of jobs in Message Batches, beside a bare loop over the same SDK in the same run.

The emulator is a process of its own. The loop keeps no journal and no ledger, and holds its requests
in memory, as one would write it by hand.

Usage: python bench/batch.py [ROWS] [STAGES]
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

import anyio
from anthropic import Anthropic
from pydantic import BaseModel

from fanwise import Block, Job, agent, graph
from fanwise.dispatch.spool import Spool
from fanwise.engine.arms import build_arms, row_state
from fanwise.engine.rows import Row
from fanwise.journal.records import AskRecord, AttemptRecord, EndRecord
from fanwise.journal.sqlite import SqliteJournal
from fanwise.pricing.usage import Usage

GUIDE = Block("guide", "Every rule of this guide is to be kept by whoever answers. " * 150)  # 9 kB
MODEL = "claude-haiku-5-5"


@agent(model=MODEL, context=[GUIDE], max_tokens=50)
def answer(body: str) -> str:
    """Answer the customer in one sentence."""
    return "We look into it."


class Ticket(BaseModel):
    id: str
    body: str


@agent(model=MODEL, max_tokens=50)
def check(answer: str) -> str:
    """Check the answer."""
    return "It will do."


@graph
def job(ticket: Ticket) -> str:
    return answer(ticket.body)


@graph
def two(ticket: Ticket) -> str:
    return check(answer(ticket.body))


def by_hand(url: str, count: int, folder: str) -> None:
    """Read the rows, send them in batches and write the answers in order; nothing else is kept."""
    path = write_rows(folder, count)
    client = Anthropic(api_key="k", base_url=url, max_retries=0)
    system: Any = [{"type": "text", "text": GUIDE.text}, {"type": "text", "text": "Answer in one sentence."}]
    ids: list[str] = []
    for first in range(0, count, 20_000):  # the same prefix in each: more would not fit into 256 MB
        with path.open() as file:
            rows = [json.loads(line) for line in islice(file, first, first + 20_000)]
        requests: list[Any] = [
            {
                "custom_id": f"r{row['id']}",
                "params": {
                    "model": MODEL,
                    "max_tokens": 50,
                    "system": system,
                    "messages": [{"role": "user", "content": row["body"]}],
                },
            }
            for row in rows
        ]
        ids.append(client.messages.batches.create(requests=requests).id)
    answers: dict[str, str] = {}
    for batch_id in ids:
        while client.messages.batches.retrieve(batch_id).processing_status != "ended":
            time.sleep(0.2)
        for result in client.messages.batches.results(batch_id):
            if result.result.type == "succeeded":
                block = result.result.message.content[0]
                answers[result.custom_id] = block.text if block.type == "text" else ""
    assert len(answers) == count, len(answers)
    with (Path(folder) / "results.jsonl").open("w") as file:
        for number in range(count):
            file.write(json.dumps({"id": str(number), "output": answers[f"r{number}"]}) + "\n")


def write_rows(folder: str, count: int) -> Path:
    path = Path(folder) / "rows.jsonl"
    with path.open("w") as file:
        for number in range(count):
            file.write(json.dumps({"id": str(number), "body": f"Ticket {number} does not load."}) + "\n")
    return path


def by_fanwise(url: str, count: int, folder: str, stages: int = 1) -> None:
    path = write_rows(folder, count)
    account = Job(
        job if stages == 1 else two,
        rows=path,
        out=Path(folder) / "run",
        channel="batch",
        base_url=url,
        reuse=stages == 1,
    ).run_sync()
    assert account.summary["rows"]["succeeded"] == count, account.summary["rows"]


def rates(count: int = 20_000) -> None:
    """Print how many requests are built and written in a second, and how many records of the journal."""
    plan = build_arms({"fanout": job.spec})["fanout"]
    row = Row(1, 0, "1", {"ticket": Ticket(id="1", body="The page does not load.")}, "", 0)
    (node,), task = plan.agents(), row_state(plan, row).start()[0]
    begun, body = time.process_time(), Spool()
    for number in range(count):
        body.add(f"r-{number}", *node.request(task).encode(run_id="r", ttl="5m", row_ttl=None))
    assert anyio.run(written, body) == body.size
    took = time.process_time() - begun
    print(f"requests built and written: {count / took:,.0f} a second, {body.size / took / 1e6:,.0f} MB a second")
    body.close()
    with tempfile.TemporaryDirectory() as folder:
        journal = SqliteJournal(Path(folder) / "journal.db")
        begun = time.monotonic()
        anyio.run(recorded, journal, count)
        took = time.monotonic() - begun
        print(f"attempts of the journal: {count / took:,.0f} a second, each with its ask and its end, durable")
        journal.close()


async def written(body: Spool) -> int:
    """Return how many bytes a body has on the wire, read piece by piece as they are sent."""
    return sum([len(chunk) async for chunk in body.chunks()])


async def recorded(journal: SqliteJournal, count: int) -> None:
    usage, sha = Usage(input=100, output=10), "h" * 64
    for number in range(1, count + 1):
        attempt = AttemptRecord(
            id=number, arm="fanout", agent="answer", model=MODEL, channel="batch", why="first", request_hash=sha,
            reserved=10**6, sent=1.0, intent=1,
        )  # fmt: skip
        ask = AskRecord(attempt=number, key=f"key {number}", row=number, node="answer", label="answer", number=1)
        journal.add_attempt(attempt, (ask,))
        journal.add_end(
            EndRecord(
                attempt=number, at=1.0, status="succeeded", kind="end_turn", request_id="req", usage=usage, cost=1_000,
                latency_s=1.0,
            )
        )  # fmt: skip
        if number % 1_000 == 0:
            await journal.commit()


FIRST = 20
"""Rows before the clock starts: what the first of a process loads is not measured."""


def side(kind: str, url: str, count: int) -> None:
    carry_out(kind, url, FIRST)
    before, start = time.process_time(), time.monotonic()
    carry_out(kind, url, count)
    cpu, wall = time.process_time() - before, time.monotonic() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu_ms": cpu * 1000 / count, "rows_per_s": count / wall, "peak_mib": peak}))


def measure(kind: str, url: str, count: int) -> dict[str, float]:
    """Run one side in a process of its own."""
    command = [sys.executable, __file__, "--side", kind, url, str(count)]
    environment = {"ANTHROPIC_API_KEY": "k", "PATH": "/usr/bin:/bin"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise SystemExit(result.stderr)
    return json.loads(result.stdout.splitlines()[-1])


def carry_out(kind: str, url: str, count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        if kind == "hand":
            by_hand(url, count, folder)
        else:
            by_fanwise(url, count, folder, int(kind))


def main() -> None:
    if "--side" in sys.argv:
        side(sys.argv[2], sys.argv[3], int(sys.argv[4]))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    stages = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    command = [sys.executable, "-m", "fanwise", "emulate", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as emulator:
        try:
            assert emulator.stdout is not None
            url = emulator.stdout.readline().strip()
            hand = measure("hand", url, count) if stages == 1 else None
            ours = measure(str(stages), url, count)
        finally:
            emulator.terminate()
    print(f"SIMULATED: {count} rows behind a prefix of 9 kB, {stages} stages, in batches")
    for name, one in (("by hand", hand), ("fanwise", ours)):
        if one is not None:
            speed = f"{one['cpu_ms']:.2f} ms of processor a row, {one['rows_per_s']:.0f} rows/s"
            print(f"{name}: {speed}, peak {one['peak_mib']:.0f} MiB")
    if hand is not None:
        print(f"ratio: {ours['cpu_ms'] / hand['cpu_ms']:.2f} in processor time, with journal and ledger")
    rates()


if __name__ == "__main__":
    main()
