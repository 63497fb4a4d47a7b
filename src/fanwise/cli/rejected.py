"""What is said of rows that were set aside: the reasons, what the file has instead, and where all of them are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from fanwise.engine.rowsfile import read
from fanwise.errors import UsageError
from fanwise.job.directory import reading
from fanwise.job.manifest import Manifest
from fanwise.ledger.rejections import rejections
from fanwise.paths import typed
from fanwise.rendering.harmless import one_line
from fanwise.rendering.rejected import MOST_CHARS, rejection_lines

LOOKED_AT = 100
"""Records from the front of a file among which one is looked for that can be read."""


def rejected_words(out: Path, rows: dict[str, Any]) -> Iterator[str]:
    """Yield lines about the rows that were set aside; none where there are none.

    Args:
        out: The run directory.
        rows: The counts of the summary.
    """
    if not rows["rejected"]:
        return
    every = "all of" if rows["rejected"] == rows["read"] else f"{rows['rejected']:,} of"
    yield f"{every} {rows['read']:,} rows were set aside and not sent:"
    with reading(out) as journal:
        reasons, manifest = rejections(journal.db), Manifest.of(journal)
    yield from rejection_lines(reasons)
    columns = _columns(manifest)
    if columns:
        yield f"  found in {manifest.rows.name}: {one_line(', '.join(columns), MOST_CHARS)}"
    yield f"  all of them: {typed(out / 'rejects.jsonl')}"


def _columns(manifest: Manifest) -> list[str]:
    """Return the fields of the first record that can be read; none where the file is gone."""
    with suppress(UsageError, OSError):
        first = islice(read(manifest.rows_file), LOOKED_AT)
        return next((list(record.data) for record in first if record.data is not None), list[str]())
    return []
