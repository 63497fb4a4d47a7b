"""Write down what the three examples send and cost: `python tests/golden/golden_runs.py` after a change on purpose.

Each example runs offline, live and in batches, through one slot, so that every run sends the same requests in the same
order. Kept are, for each task node, the number and a hash of its task keys and of its request hashes, and the summary
without times and ids. A refactoring changes none of it; a change on purpose is named in its commit.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import anyio
import anyio.to_thread
import time_machine

from fanwise import Account, Job
from fanwise.engine import steps
from fanwise.job.close import close
from fanwise.job.opening import Terms
from fanwise.job.prepare import prepare
from fanwise.job.work import work
from fanwise.journal.port import Journal

HERE = Path(__file__).parent
EXAMPLES = HERE.parent.parent / "examples"
GOLDEN = HERE / "golden.json"
DAY = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
"""Every run begins at this moment, so that dated prices do not move the figures."""
CHANNELS = ("live", "batch")
JOBS = {
    "stdlib_review": ("stdlib_review/graph.py:review", "modules.jsonl", "auto"),
    "tickets": ("tickets/graph.py:triage", "tickets.jsonl", "auto"),
    "verdicts": ("verdicts/graph.py:apart", "cases.jsonl", "verdicts/graph.py:alone"),
}
"""Graph, rows file and baseline of each example."""
ROWS = 40
TIMES_AND_IDS = ("run_id", "graph", "created", "wall_s")
TASK_KEYS = "SELECT arm, node, key FROM tasks"
REQUEST_HASHES = "SELECT arm, node, request_hash FROM attempts JOIN asks ON attempt=id"


def rows_file(example: str, folder: Path) -> Path:
    """Return the rows of an example: twenty modules kept here, or what its script makes."""
    if example == "stdlib_review":
        return HERE / "modules.jsonl"
    command = [sys.executable, str(EXAMPLES / example / "make_rows.py"), str(folder), str(ROWS)]
    subprocess.run(command, check=True, capture_output=True)
    return folder / JOBS[example][1]


def outcome(example: str, channel: str, journal: Journal | None = None) -> dict[str, Any]:
    """Run an example in one channel, in SQLite or another journal; return its keys, request hashes and summary."""
    graph, _, baseline = JOBS[example]
    reference = str(EXAMPLES / baseline) if baseline != "auto" else baseline
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        job = Job(
            str(EXAMPLES / graph), rows=rows_file(example, folder), out=folder / "run",
            channel=channel, baseline=reference, slots=1, seed=1, sample=ROWS // 2,
        )  # fmt: skip
        with time_machine.travel(DAY, tick=True):
            summary = anyio.run(_on_one_thread, job, journal).summary
        with closing(sqlite3.connect(folder / "run" / "journal.db")) as db:
            keys, hashes = _digests(db, TASK_KEYS), _digests(db, REQUEST_HASHES)
    kept = {name: value for name, value in summary.items() if name not in TIMES_AND_IDS}
    return {"task_keys": keys, "request_hashes": hashes, "summary": json.loads(json.dumps(kept))}


async def _on_one_thread(job: Job, journal: Journal | None) -> Account:
    """Run a job whose steps end in the order in which they began: that order decides who sends first."""
    anyio.to_thread.current_default_thread_limiter().total_tokens = 1
    with patch.object(steps, "WORKERS", 1):
        return await _carried_out(job, journal)


async def _carried_out(job: Job, journal: Journal | None) -> Account:
    async with prepare(job.spec, Terms(journal=journal)) as prepared:
        await work(prepared)
        return await close(prepared)


def _digests(db: sqlite3.Connection, query: str) -> dict[str, str]:
    """Return, for each arm and node, how many values a query gives and a hash of them in sorted order."""
    groups: dict[str, list[str]] = {}
    for arm, node, value in db.execute(query):
        groups.setdefault(f"{arm} {node}", []).append(value)
    return {
        name: f"{len(values)} {hashlib.sha256(' '.join(sorted(values)).encode()).hexdigest()[:16]}"
        for name, values in sorted(groups.items())
    }


def main() -> None:
    """Write the golden file anew, or only print what differs with `--check`."""
    for name in [name for name in os.environ if name.startswith(("ANTHROPIC_", "FANWISE_"))]:
        del os.environ[name]
    os.environ |= dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), "/dev/null/nowhere")
    fresh = {f"{example} {channel}": outcome(example, channel) for example in JOBS for channel in CHANNELS}
    text = json.dumps(fresh, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if "--check" in sys.argv:
        before = GOLDEN.read_text(encoding="utf-8")
        sys.stdout.writelines(
            difflib.unified_diff(before.splitlines(True), text.splitlines(True), "golden", "now", n=1)
        )
        sys.exit(text != before)
    GOLDEN.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
