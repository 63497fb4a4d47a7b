"""Helpers of the tests: the command line in this process or as one, an emulator, the journal from outside."""

from __future__ import annotations

import json
import os
import sqlite3
import struct
import subprocess
import sys
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from fanwise.emulator import Emulator
from forked import Forked
from inprocess import ROOT, call, own_modules

DESK = str(ROOT / "tests" / "sample" / "desk.py")
PATIENCE_S = 60.0


def environment(**more: str) -> dict[str, str]:
    """The environment without any key or option that could leak into a test."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANTHROPIC_", "FANWISE_"))}
    nowhere = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), "/dev/null/nowhere")
    return {**kept, **nowhere, "COLUMNS": "200", **more}


def fanwise(
    *args: object, env: dict[str, str] | None = None, stdin: str | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Call the command line in this process, to its end: for what it says, writes and returns."""
    return call([*map(str, args)], env=env or environment(), stdin=stdin, cwd=cwd)


def program(
    *args: object, env: dict[str, str] | None = None, stdin: str | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process, to its end: where a process is what is tested."""
    command = [sys.executable, "-m", "fanwise", *map(str, args)]
    return subprocess.run(
        command, env=env or environment(), input=stdin, cwd=cwd, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip


def started(
    *args: object, env: dict[str, str] | None = None, stderr: int = subprocess.DEVNULL
) -> subprocess.Popen[str] | Forked:
    """Start the command line as a process of its own and go on; where a system forks, nothing is loaded anew."""
    if hasattr(os, "fork"):
        return Forked([*map(str, args)], env=env or environment(), heard=stderr == subprocess.PIPE)
    command = [sys.executable, "-m", "fanwise", *map(str, args)]
    return subprocess.Popen(command, env=env or environment(), stdout=subprocess.DEVNULL, stderr=stderr, text=True)


@contextmanager
def emulator(*, graph: str | None = None, **settings: Any) -> Iterator[str]:
    """An emulator on a thread, with the stand-ins of a graph and of its single agent; yields its URL."""
    with emulated(graph=graph, **settings) as server:
        yield server.url


@contextmanager
def emulated(*, graph: str | None = None, **settings: Any) -> Iterator[Emulator]:
    """The same, with its controls."""
    answer = None
    if graph is not None:
        # Only here: many tests of the emulator need nothing of the client side.
        from fanwise.engine.arms import build_arms
        from fanwise.engine.standin import answerer
        from fanwise.engine.toolbox import list_tools
        from fanwise.job.arms import arms_of

        with own_modules():
            arms = arms_of(graph, "auto")
        answer = answerer(build_arms(arms, toolbox=list_tools(arms.values())))
    with Emulator(answer=answer, **settings) as server:
        yield server


def post(url: str, data: Any, key: str = "") -> Any:
    """POST JSON to a control route."""
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
    request = urllib.request.Request(url, json.dumps(data).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as reply:
        return json.load(reply)


def clear_faults(url: str) -> None:
    """Let nothing go wrong any more."""
    urllib.request.urlopen(urllib.request.Request(f"{url}/_emulator/faults", method="DELETE"), timeout=10).close()


def bill(url: str, run: str | None = None) -> dict[str, Any]:
    """The emulator's bill, seen from outside."""
    with urllib.request.urlopen(f"{url}/_emulator/bill" + (f"?run={run}" if run else ""), timeout=10) as reply:
        return json.load(reply)


def stored_bill(directory: Path) -> list[sqlite3.Row]:
    """The bill of an embedded emulator, read from its file."""
    with read_only(directory / "emulator.db") as db:
        return db.execute("SELECT * FROM bill").fetchall()


def billed(directory: Path) -> Decimal:
    """Dollars that the embedded emulator of a run has billed."""
    return Decimal(sum(entry["pico"] for entry in stored_bill(directory))) / 10**12


@contextmanager
def read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """A database, opened beside the process that writes it."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    db.row_factory = sqlite3.Row
    try:
        yield db
    finally:
        db.close()


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Ask until a condition holds; the process beside us gives no event to wait for."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"never saw: {what}")


def journal_value(directory: Path, query: str) -> Any:
    """One value from a journal, or None while there is no journal."""
    try:
        with read_only(directory / "journal.db") as db:
            row = db.execute(query).fetchone()
            return row[0] if row else None
    except sqlite3.OperationalError:
        return None


def tickets(path: Path, count: int) -> Path:
    """A rows file of tickets, each with two questions."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            word = "password" if number % 3 == 0 else "page"
            row = {"id": f"t{number}", "subject": f"s{number}", "body": f"Where is {word} {number}? And when, {number}"}
            file.write(json.dumps(row) + "\n")
    return path


def example_rows(example: str, folder: Path, count: int) -> Path:
    """The first rows of an example, as its own script makes them."""
    script = ROOT / "examples" / example / "make_rows.py"
    subprocess.run([sys.executable, str(script), str(folder), str(count)], check=True, capture_output=True)
    return folder / {"tickets": "tickets.jsonl", "stdlib_review": "modules.jsonl"}[example]


def lines(path: Path) -> list[dict[str, Any]]:
    """A JSONL file."""
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]


def summary(directory: Path) -> dict[str, Any]:
    """The summary of a run."""
    return json.loads((directory / "summary.json").read_text(encoding="utf-8"))


def png(width: int, height: int, shade: int = 0) -> bytes:
    """A picture of one shade of grey."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    lines = b"".join(b"\0" + bytes([shade]) * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


@contextmanager
def no_file_grows_beyond(size: int) -> Iterator[None]:
    """As on a disk that is full."""
    import resource  # only here: Windows has none

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
