"""Runs a job by the command line against an emulator beside it, and gathers what the account can be checked by."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import urllib.request
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .gateway import gateway
from .jobs import Job

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FANWISE = (sys.executable, "-m", "fanwise")
ENVIRONMENT = os.environ | {"ANTHROPIC_API_KEY": "key", "PYTHONPATH": str(ROOT / "src")}
DOT = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a job has left behind."""

    job: Job
    summary: dict[str, Any]
    results: list[dict[str, Any]]
    journal: sqlite3.Connection
    bill: dict[str, Any]
    """Of the run, as the emulator gave it over HTTP."""
    tables: dict[str, list[dict[str, Any]]]
    """What `fanwise export` wrote."""


def carried_out(job: Job, folder: Path) -> Evidence:
    """Run a job in an empty folder.

    Raises:
        RuntimeError: A command has ended as it should not.
    """
    target, rows = _laid_out(job, folder)
    run = folder / "run"
    with _emulator(target) as url, _known_as(job, url) as base_url:
        for path, entries in (("faults", job.faults), ("answers", job.answers)):
            for entry in entries:
                _http(f"{url}/_emulator/{path}", entry)
        options = ("--rows", str(rows), "--out", str(run), "--base-url", base_url, "--yes", "--grace-s", "1")
        _called(job.exits, "run", target, *options, *job.options, folder=folder)
        if job.resume is not None:
            _edited(job, target, rows)
            _called((0, 1), "resume", str(run), "--base-url", base_url, "--yes", *job.resume, folder=folder)
        summary = json.loads((run / "summary.json").read_text("utf-8"))
        bill = _http(f"{url}/_emulator/bill?run={summary['run_id']}")
    _called((0,), "export", str(run), "--to", "jsonl", folder=folder)
    journal = sqlite3.connect(f"file:{run / 'journal.db'}?mode=ro", uri=True)
    journal.row_factory = sqlite3.Row
    return Evidence(
        job=job, summary=summary, results=_lines(run / "results.jsonl"), journal=journal, bill=bill,
        tables={path.stem: _lines(path) for path in (run / "export").iterdir()},
    )  # fmt: skip


def _laid_out(job: Job, folder: Path) -> tuple[str, Path]:
    """Put graph and rows into the folder; return where they stand."""
    file, name = job.graph.split(":")
    if isinstance(job.rows, str):
        stem, count = job.rows.split()
        shutil.copytree(ROOT / "agents", folder / "agents")
        shutil.copytree((ROOT / file).parent, folder / Path(file).parent)
        subprocess.run((sys.executable, folder / Path(file).parent / "make_rows.py", folder, count), check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        return f"{folder / file}:{name}", folder / f"{stem}.jsonl"
    shutil.copy(HERE / file, folder / file)
    (folder / "dot.png").write_bytes(DOT)
    _write(folder / "rows.jsonl", job.rows)
    return f"{folder / file}:{name}", folder / "rows.jsonl"


def _edited(job: Job, target: str, rows: Path) -> None:
    """Change graph and rows as they are before the run is resumed."""
    if job.edit is not None:
        file = Path(target.rpartition(":")[0])
        file.write_text(file.read_text("utf-8").replace(*job.edit), "utf-8")
    if job.dropped:
        left = _lines(rows)
        _write(rows, left[-job.dropped :] if job.dropped < 0 else left[: -job.dropped])


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]


def _called(exits: tuple[int, ...], *arguments: str, folder: Path) -> None:
    ended = subprocess.run((*FANWISE, *arguments), cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)
    if ended.returncode not in exits:
        words = (ended.stdout + ended.stderr)[-2_000:]
        raise RuntimeError(f"fanwise {' '.join(arguments)} ended with {ended.returncode}, not {exits}:\n{words}")


@contextmanager
def _emulator(target: str) -> Iterator[str]:
    """Let an emulator answer with the stand-ins of a graph."""
    command = (*FANWISE, "emulate", "--port", "0", "--graph", target)
    with subprocess.Popen(
        command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


@contextmanager
def _known_as(job: Job, url: str) -> Iterator[str]:
    if not job.through:
        yield url
        return
    with gateway(url, job.through, "claude-haiku-5-5") as address:
        yield address


def _http(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data)) as reply:
        return json.load(reply)
