"""The removal of all content of a run; the account stays."""

from __future__ import annotations

from pathlib import Path

from .directory import RunDirectory


def purge_content(directory: str) -> int:
    """Remove blocks, values, outputs, rejected rows and error texts; returns how many records.

    Raises:
        RunDirectoryError: It is no run directory, or a process works on it.
    """
    removed = 0
    with RunDirectory(Path(directory), create=False) as held:
        removed = held.journal.purge()
        for name in (
            "results.jsonl",
            "rejects.jsonl",
            "report.html",
            "emulator.db",
            "emulator.db-wal",
            "emulator.db-shm",
            "input.jsonl",
            "input.csv",
            "input.parquet",
        ):
            (held.path / name).unlink(missing_ok=True)
        for path in (held.path / "export").glob("*"):
            path.unlink()
    return removed
