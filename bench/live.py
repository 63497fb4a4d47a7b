"""Processor time and memory of live calls, beside a hand-written loop over the same SDK in the same run.

The emulator is a process of its own, so that its work is in neither figure. The loop keeps no
journal, no ledger and no order; it is what one would write by hand.

Usage: python bench/live.py [CALLS] [SLOTS]
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import anyio
from anthropic import AsyncAnthropic, DefaultAioHttpClient

from fanwise import Job, agent, graph

TEXT = "A customer writes that the page does not load. " * 4


@agent(model="claude-haiku-5-5", max_tokens=50)
def answer(subject: str, body: str) -> str:
    """Answer the customer in one sentence."""
    return "We look into it."


@graph
def job(subject: str, body: str) -> str:
    return answer(subject, body)


def rows(count: int) -> list[dict[str, str]]:
    return [{"id": str(number), "subject": f"s{number}", "body": TEXT} for number in range(count)]


async def by_hand(url: str, count: int, slots: int) -> None:
    async with AsyncAnthropic(api_key="k", base_url=url, max_retries=0, http_client=DefaultAioHttpClient()) as client:
        limit = anyio.CapacityLimiter(slots)

        async def one(row: dict[str, str]) -> None:
            async with limit:
                await client.messages.create(
                    model="claude-haiku-5-5",
                    max_tokens=50,
                    system="Answer the customer in one sentence.",
                    messages=[{"role": "user", "content": json.dumps(row)}],
                )

        async with anyio.create_task_group() as group:
            for row in rows(count):
                group.start_soon(one, row)


def by_fanwise(url: str, count: int, slots: int, folder: str) -> None:
    path = Path(folder) / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows(count)))
    Job(job, rows=path, out=Path(folder) / "run", channel="live", slots=slots, base_url=url).run_sync()


def measure(kind: str, url: str, count: int, slots: int) -> dict[str, float]:
    """Run one side in a process of its own."""
    command = [sys.executable, __file__, "--side", kind, url, str(count), str(slots)]
    environment = {"ANTHROPIC_API_KEY": "k", "PATH": "/usr/bin:/bin"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(result.stdout.splitlines()[-1])


def side(kind: str, url: str, count: int, slots: int) -> None:
    before, start = time.process_time(), time.monotonic()
    if kind == "hand":
        anyio.run(by_hand, url, count, slots)
    else:
        with tempfile.TemporaryDirectory() as folder:
            by_fanwise(url, count, slots, folder)
    cpu, wall = time.process_time() - before, time.monotonic() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu_ms": cpu * 1000 / count, "calls_per_s": count / wall, "peak_mib": peak}))


def main() -> None:
    if "--side" in sys.argv:
        kind, url, count, slots = sys.argv[2:6]
        side(kind, url, int(count), int(slots))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_500
    slots = int(sys.argv[2]) if len(sys.argv) > 2 else 64
    command = [sys.executable, "-m", "fanwise", "emulate", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as emulator:
        try:
            assert emulator.stdout is not None
            url = emulator.stdout.readline().strip()
            hand, ours = measure("hand", url, count, slots), measure("fanwise", url, count, slots)
        finally:
            emulator.terminate()
    for name, one in (("by hand", hand), ("fanwise", ours)):
        speed = f"{one['cpu_ms']:.2f} ms of processor a call, {one['calls_per_s']:.0f} calls/s"
        print(f"{name}: {speed}, {one['peak_mib']:.0f} MiB")
    print(f"ratio: {ours['cpu_ms'] / hand['cpu_ms']:.2f} in processor time, with journal, ledger and gate")


main()
