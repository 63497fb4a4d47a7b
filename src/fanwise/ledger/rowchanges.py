"""What has become of the rows of a run: those of its file as it is, against those that the run has read."""

from __future__ import annotations

from dataclasses import dataclass

from fanwise.journal.reader import Book
from fanwise.journal.tables import select

_TABLE = "CREATE TEMP TABLE present(row_id TEXT PRIMARY KEY, number INT, hash TEXT) WITHOUT ROWID"
_NAMED, _UNNAMED = "{of}.row_id NOT GLOB 'row [0-9]*'", "{of}.row_id GLOB 'row [0-9]*'"
"""Whether a row has an id: those without one are called by their number, as `engine.rows.row_id_of` has it."""
_BY_ID = f"""SELECT
  (SELECT COUNT(*) FROM temp.present p WHERE {_NAMED.format(of="p")}
    AND NOT EXISTS(SELECT 1 FROM rows r WHERE r.row_id=p.row_id)) AS added,
  (SELECT COUNT(*) FROM temp.present p JOIN rows r ON r.row_id=p.row_id
    WHERE {_NAMED.format(of="p")} AND r.hash<>p.hash) AS changed,
  (SELECT COUNT(*) FROM rows r WHERE {_NAMED.format(of="r")}
    AND NOT EXISTS(SELECT 1 FROM temp.present p WHERE p.row_id=r.row_id)) AS removed,
  (SELECT COUNT(*) FROM temp.present p JOIN rows r ON r.row_id=p.row_id
    WHERE {_NAMED.format(of="p")} AND r.hash=p.hash AND r.number<>p.number) AS moved,
  0 AS without_id"""
_BY_CONTENT = f"""WITH
  now AS (SELECT hash, COUNT(*) AS rows FROM temp.present p WHERE {_UNNAMED.format(of="p")} GROUP BY hash),
  before AS (SELECT hash, COUNT(*) AS rows FROM rows r WHERE {_UNNAMED.format(of="r")} GROUP BY hash),
  there AS (SELECT COALESCE(SUM(MIN(n.rows,b.rows)),0) AS rows FROM now n JOIN before b ON b.hash=n.hash),
  in_place AS (SELECT COUNT(*) AS rows FROM temp.present p JOIN rows r ON r.number=p.number AND r.hash=p.hash
    WHERE {_UNNAMED.format(of="p")} AND {_UNNAMED.format(of="r")})
SELECT COALESCE((SELECT SUM(rows) FROM now),0)-there.rows AS added, 0 AS changed,
  COALESCE((SELECT SUM(rows) FROM before),0)-there.rows AS removed, there.rows-in_place.rows AS moved,
  COALESCE((SELECT SUM(rows) FROM now),0) AS without_id FROM there, in_place"""
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChanges:
    """How the rows of a file differ from those that a run has read; rows that were set aside are none."""

    added: int
    changed: int
    removed: int
    moved: int
    """As they were, in other places."""
    without_id: int
    """Rows of the file without an id: they are known by what they hold, so one that is changed is another."""


class RowsCompared:
    """Holds rows, as they pass, against those that a run has read; memory does not grow with their number."""

    def __init__(self, db: Book) -> None:
        """Begin.

        Args:
            db: The journal.
        """
        self._db, self._some = db, list[tuple[str, int, str]]()
        db.execute("DROP TABLE IF EXISTS temp.present")
        db.execute(_TABLE)

    def take(self, row_id: str, number: int, content: str) -> None:
        """Take a row of the file; of those with one id the first is a row.

        Args:
            row_id: Its id.
            number: Its number.
            content: Hash of what it holds.
        """
        self._some.append((row_id, number, content))
        if len(self._some) >= _AT_ONCE:
            self._write()

    def changes(self) -> RowChanges:
        """Return how the rows that were taken differ from those that the run has read."""
        self._write()
        by_id, by_content = (next(select(self._db, RowChanges, query)) for query in (_BY_ID, _BY_CONTENT))
        return RowChanges(
            added=by_id.added + by_content.added,
            changed=by_id.changed,
            removed=by_id.removed + by_content.removed,
            moved=by_id.moved + by_content.moved,
            without_id=by_content.without_id,
        )

    def _write(self) -> None:
        self._db.executemany("INSERT OR IGNORE INTO temp.present VALUES(?,?,?)", self._some)
        self._db.commit()
        self._some.clear()
