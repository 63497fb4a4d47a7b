"""Tells what has changed of the results of a run, from sync to sync: `changes.jsonl`."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from fanwise.canonical import digest
from fanwise.journal.changes import ToldResult
from fanwise.jsonable import as_object

from .directory import RunDirectory

_OUTPUT = '"output": '
_DECODER = json.JSONDecoder()


def begin_telling(directory: RunDirectory) -> None:
    """Take note, where a run is synced for the first time, of the results that anybody may have loaded.

    These are those of its results file, whatever killed sessions have done since.
    """
    book = directory.book()
    if not book.has_told:
        book.begin_telling(_results(directory.path / "results.jsonl"))


def tell(directory: RunDirectory) -> str:
    """Tell what has changed, where the run was synced once at least; return it in words, empty where nothing has."""
    book = directory.book()
    if not book.has_told:
        return ""
    counts = book.tell()
    said = ", ".join(f"{counts[name]:,} {name}" for name in ("added", "changed", "removed") if name in counts)
    return f"results since the sync before: {said}; see changes.jsonl" if said else ""


def _results(path: Path) -> Iterator[ToldResult]:
    """Yield what a results file has; nothing where there is none that a run writes, nor of lines that it does not."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return
        file = path.open(encoding="utf-8", errors="replace")
    except OSError:
        return
    with file:
        for line in file:
            try:
                result = as_object(json.loads(line))
            except (ValueError, RecursionError):
                continue
            row_id, row, status, reason = (result.get(name) for name in ("id", "row", "status", "reason"))
            if isinstance(row_id, str) and isinstance(row, int) and isinstance(status, str):
                yield ToldResult(
                    row_id=row_id, row=row, status=status, reason=digest(str(reason)) if reason else "",
                    output=None if result.get("output") is None else _hash(line),
                )  # fmt: skip


def _hash(line: str) -> str:
    """Return the hash under which a journal keeps the output of a line, from its very characters."""
    begin = line.find(_OUTPUT)  # no text in JSON has it, as a quote in one is escaped
    if begin < 0:
        return ""
    begin += len(_OUTPUT)
    return digest(line[begin : _DECODER.raw_decode(line, begin)[1]])
