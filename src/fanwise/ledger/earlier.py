"""What tasks of a run were asked by before: by row and label, whatever has been edited since."""

from __future__ import annotations

from fanwise.journal.reader import Book
from fanwise.journal.records import ArmName

_TABLE = """CREATE TEMP TABLE IF NOT EXISTS earlier(arm TEXT, row INT, label TEXT, key TEXT,
  PRIMARY KEY(arm, row, label)) WITHOUT ROWID"""
_FILL = """INSERT OR REPLACE INTO temp.earlier SELECT arm, row, label, key FROM tasks
  WHERE arm=? AND node=? AND status='done' ORDER BY rowid"""
_KEY = "SELECT key FROM temp.earlier WHERE arm=? AND row=? AND label=?"


class EarlierTasks:
    """The keys under which a run has answers: the last of each task.

    No index of a journal leads from a row to its tasks, so those of a node are copied aside when one is asked for, to
    where SQLite keeps what is temporary: neither the journal nor this process grows.
    """

    def __init__(self, db: Book) -> None:
        self._db, self._copied = db, set[tuple[ArmName, str]]()
        db.execute(_TABLE)

    def key(self, arm: ArmName, node: str, row: int, label: str) -> str | None:
        """Return the key under which a task was answered last; None where it never was.

        Args:
            arm: Its arm.
            node: Path of its node.
            row: The number that its row had.
            label: The task's.
        """
        if (arm, node) not in self._copied:
            self._copied.add((arm, node))
            self._db.execute(_FILL, (arm, node))
            self._db.commit()
        found = self._db.execute(_KEY, (arm, row, label)).fetchone()
        return None if found is None else found[0]
