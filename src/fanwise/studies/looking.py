"""The looks that were made at the rows of a run: kept beside it, since each has spent a part of one error."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from fanwise.errors import UsageError
from fanwise.ledger.looks import Look
from fanwise.rendering.files import replace_file

LOOKS = "looks.json"
"""In the run directory, and not in its journal: a comparison may look while another process works on it."""


def looks_of(directory: Path) -> tuple[Look, ...]:
    """Return the looks that were made at the rows of a run.

    Raises:
        UsageError: What is kept of them cannot be read.
    """
    file = directory / LOOKS
    try:
        kept = cast("list[dict[str, Any]]", json.loads(file.read_text(encoding="utf-8")))
        return tuple(Look(int(look["rows"]), min(max(float(look["spent"]), 0.0), 1.0)) for look in kept)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = f"{type(error).__name__}: {error}"
        raise UsageError(f"{file} does not hold the looks at this run ({what}); remove it to look anew") from None


def keep_looks(directory: Path, before: Sequence[Look], made: Sequence[Look]) -> None:
    """Keep looks beside a run; one at as many rows as before is the same look.

    Args:
        directory: Of the run.
        before: Those that are kept.
        made: Those up to this one.

    Raises:
        UsageError: They cannot be written there.
    """
    looks = {look.rows: look.spent for look in (*made, *before)}
    if looks != {look.rows: look.spent for look in before}:
        data = [{"rows": rows, "spent": spent} for rows, spent in sorted(looks.items())]
        replace_file(directory / LOOKS, [json.dumps(data) + "\n"])
