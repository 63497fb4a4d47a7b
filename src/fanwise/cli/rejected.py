"""What is said of rows that were set aside: the first reasons, what the file has instead, and where all of them are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

from fanwise.engine.rowsfile import read
from fanwise.errors import UsageError
from fanwise.job.directory import reading
from fanwise.job.manifest import Manifest
from fanwise.ledger.outcomes import rejections
from fanwise.rendering.harmless import one_line

MOST_REASONS, MOST_CHARS = 3, 160
LOOKED_AT = 100
"""Records from the front of a file among which one is looked for that can be read."""


def rejected_words(out: str, rows: dict[str, Any]) -> Iterator[str]:
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
        reasons = rejections(journal.db, MOST_REASONS + 1)
        manifest = Manifest.of(journal)
    for rejection in reasons[:MOST_REASONS]:
        reason = one_line(rejection.reason, MOST_CHARS)
        yield f"  {rejection.records:,} (line {rejection.line} first): {reason}"
    if len(reasons) > MOST_REASONS:
        yield "  and others, for other reasons"
    columns = _columns(manifest)
    if columns:
        yield f"  found in {manifest.rows.name}: {one_line(', '.join(columns), MOST_CHARS)}"
    yield f"  all of them: {os.path.join(out, 'rejects.jsonl')}"


def _columns(manifest: Manifest) -> list[str]:
    """Return the fields of the first record that can be read; none where the file is gone."""
    with suppress(UsageError, OSError):
        first = islice(read(manifest.rows_file), LOOKED_AT)
        return next((list(record.data) for record in first if record.data is not None), list[str]())
    return []
