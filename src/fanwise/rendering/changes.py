"""What has become of the rows of a run, in words."""

from __future__ import annotations

from fanwise.ledger.rowchanges import RowChanges


def changes_words(changes: RowChanges) -> str:
    """Return in words how the rows of a file differ from those that a run has read."""
    parts = {
        "added": changes.added,
        "changed": changes.changed,
        "removed": changes.removed,
        "in other places": changes.moved,
    }
    said = ", ".join(f"{count:,} {words}" for words, count in parts.items() if count)
    without = f"; {changes.without_id:,} have no id, and are known by what they hold" if changes.without_id else ""
    return f"rows since this run has read them: {said or 'as they were'}{without}"
