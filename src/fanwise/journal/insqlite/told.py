"""What has been told of results to those who load them elsewhere, and what has changed since.

Its tables are made by the first sync of a run: a run that is never synced has none. They hold no content.
"""

from __future__ import annotations

from collections.abc import Iterable

from fanwise.canonical import digest
from fanwise.journal.changes import HAS_TOLD, TOLD_TABLES, ToldResult

from .contents import WritableContents

_CONTENT = "UPDATE told SET hash=(SELECT w.hash FROM rows w WHERE w.row_id=told.row_id)"
"""What a row held whose result was told; unknown where the run has lost it since."""
_NOW = (
    """CREATE TEMP TABLE now_told AS SELECT w.row_id, r.row, w.hash, r.status,
    CASE COALESCE(r.reason,'') WHEN '' THEN '' ELSE digest(r.reason) END AS reason, r.output
  FROM row_ends r JOIN rows w ON w.number=r.row WHERE r.arm='fanout'""",
    "CREATE INDEX temp.now_told_id ON now_told(row_id)",
)
_DIFFERS = " || ".join(
    f"CASE WHEN t.{column} IS NOT n.{column} THEN '{name} ' ELSE '' END"
    for name, column in (("row", "hash"), ("status", "status"), ("output", "output"), ("reason", "reason"))
)
_CHANGES = (
    """INSERT INTO changes(session, change, row_id, row_before, status_before)
  SELECT :session, 'removed', t.row_id, t.row, t.status FROM told t
  WHERE NOT EXISTS(SELECT 1 FROM temp.now_told n WHERE n.row_id=t.row_id) ORDER BY t.row""",
    f"""INSERT INTO changes(session, change, row_id, row, row_before, status, status_before, differs)
  SELECT :session, CASE WHEN t.row_id IS NULL THEN 'added' ELSE 'changed' END, n.row_id, n.row, t.row, n.status,
    t.status, CASE WHEN t.row_id IS NULL THEN '' ELSE TRIM({_DIFFERS}) END
  FROM temp.now_told n LEFT JOIN told t ON t.row_id=n.row_id
  WHERE t.row_id IS NULL OR {_DIFFERS}<>'' ORDER BY n.row""",
    "DELETE FROM told",
    "INSERT OR REPLACE INTO told SELECT * FROM temp.now_told",
    "DROP TABLE temp.now_told",
)
_COUNTS = "SELECT change, COUNT(*) FROM changes WHERE session=? GROUP BY change"


class ToldInSqlite(WritableContents):
    """Keeps which results were told, and tells what has changed."""

    @property
    def has_told(self) -> bool:
        """Whether results were told: the run was synced once at least."""
        return bool(self._value(HAS_TOLD))

    def begin_telling(self, results: Iterable[ToldResult]) -> None:
        """Take note of the results that whoever loads them may have: all of them, or none.

        Args:
            results: Those of the results file, before the session that begins has read a row.
        """
        with self._writer.transaction() as db:
            for statement in TOLD_TABLES:
                db.execute(statement)
            db.executemany("INSERT OR REPLACE INTO told VALUES(?,?,NULL,?,?,?)", results)
            db.execute(_CONTENT)

    def tell(self) -> dict[str, int]:
        """Tell what has changed of the results since it was told last; return how many were added, changed, removed."""
        with self._writer.transaction() as db:
            db.create_function("digest", 1, digest, deterministic=True)
            for statement in (*_NOW, *_CHANGES):
                db.execute(statement, {"session": self.session})
        return dict(self.db.execute(_COUNTS, (self.session,)).fetchall())
