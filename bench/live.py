"""Processor time and memory of live calls, beside a hand-written loop over the same SDK in the same run.

The emulator is a process of its own, so that its work is in neither figure. The loop keeps no
journal, no ledger and no order; it is what one would write by hand. Where `make bench-peers` was run,
a fan-out to four agents and a join is carried out too, by fanwise, LangGraph and pydantic-ai.

Usage: python bench/live.py [CALLS] [SLOTS]
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
from anthropic import AsyncAnthropic, DefaultAioHttpClient

from fanwise import Graph, Job, agent, graph

TEXT = "A customer writes that the page does not load. " * 4


@agent(model="claude-haiku-5-5", max_tokens=50)
def answer(subject: str, body: str) -> str:
    """Answer the customer in one sentence."""
    return "We look into it."


@graph
def job(subject: str, body: str) -> str:
    return answer(subject, body)


@agent(model="claude-haiku-5-5", max_tokens=50)
def judge(subject: str, body: str) -> str:
    """Judge it."""
    return "It is so."


facts, tone, risk, policy = (judge.options(name=name) for name in ("facts", "tone", "risk", "policy"))


@agent(model="claude-haiku-5-5", max_tokens=50)
def join(facts: str, tone: str, risk: str, policy: str) -> str:
    """Answer by the reviews."""
    return "We look into it."


@graph
def fan_out(subject: str, body: str) -> str:
    return join(*(one(subject, body) for one in (facts, tone, risk, policy)))


def rows(count: int) -> Iterator[dict[str, str]]:
    for number in range(count):
        yield {"id": str(number), "subject": f"s{number}", "body": TEXT}


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


def by_fanwise(url: str, count: int, slots: int, folder: str, work: Graph[..., str] = job) -> None:
    path = Path(folder) / "rows.jsonl"
    with path.open("w") as file:  # as a stream: what the bench holds is in the peak too
        file.writelines(json.dumps(row) + "\n" for row in rows(count))
    Job(
        work, rows=path, out=Path(folder) / "run", channel="live", slots=slots, base_url=url, reuse=work is job
    ).run_sync()


WORK = {"fanwise": job, "fan-out": fan_out}
PEERS = Path(__file__).parent.parent / ".venv-peers" / "bin" / "python"
"""Set up by `make bench-peers`."""


def peer(kind: str, url: str, count: int, slots: int) -> dict[str, float]:
    """Carry out the fan-out by another framework."""
    script = Path(__file__).parent / "clients" / "peers.py"
    command = [str(PEERS), str(script), kind, url, str(count // 5), str(slots)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise SystemExit(result.stderr)
    return json.loads(result.stdout.splitlines()[-1])


def measure(kind: str, url: str, count: int, slots: int) -> dict[str, float]:
    """Run one side in a process of its own."""
    command = [sys.executable, __file__, "--side", kind, url, str(count), str(slots)]
    environment = {"ANTHROPIC_API_KEY": "k", "PATH": "/usr/bin:/bin"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(result.stdout.splitlines()[-1])


FIRST = 20
"""Calls before the clock starts: what the first of a process loads is not measured."""


def side(kind: str, url: str, count: int, slots: int) -> None:
    carry_out(kind, url, FIRST, slots)
    before, start = time.process_time(), time.monotonic()
    carry_out(kind, url, count, slots)
    cpu, wall = time.process_time() - before, time.monotonic() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu_ms": cpu * 1000 / count, "calls_per_s": count / wall, "peak_mib": peak}))


def carry_out(kind: str, url: str, count: int, slots: int) -> None:
    if kind == "hand":
        anyio.run(by_hand, url, count, slots)
    else:
        with tempfile.TemporaryDirectory() as folder:
            by_fanwise(url, count if kind == "fanwise" else count // 5, slots, folder, WORK[kind])


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
            others = {"fanwise": measure("fan-out", url, count, slots)} if PEERS.exists() else {}
            others |= {kind: peer(kind, url, count, slots) for kind in ("langgraph", "pydantic-ai") if PEERS.exists()}
        finally:
            emulator.terminate()
    print(f"SIMULATED: {count} calls, {slots} slots")
    told("by hand", hand)
    told("fanwise", ours)
    print(f"ratio: {ours['cpu_ms'] / hand['cpu_ms']:.2f} in processor time, with journal, ledger and gate")
    if others:
        print("a fan-out to four agents and a join, the same number of calls:")
    for name, one in others.items():
        told(name, one)
        if name != "fanwise":
            print(f"ratio: {others['fanwise']['cpu_ms'] / one['cpu_ms']:.2f} of {name}'s processor time")


def told(name: str, one: dict[str, float]) -> None:
    speed = f"{one['cpu_ms']:.2f} ms of processor a call, {one['calls_per_s']:.0f} calls/s"
    print(f"{name}: {speed}, {one['peak_mib']:.0f} MiB")


if __name__ == "__main__":
    main()
