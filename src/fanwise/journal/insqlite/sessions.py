"""The run and its sessions."""

from __future__ import annotations

from fanwise.journal.records import EditRecord, MetaRecord, SessionRecord
from fanwise.journal.schema import INDEXES
from fanwise.journal.tables import TABLES

from .contents import ContentsInSqlite, WritableContents


class SessionLookups(ContentsInSqlite):
    """What a run is, and when it was worked on."""

    def meta(self, key: str) -> str | None:
        """Return a setting of the run."""
        row = self.db.execute("SELECT value FROM meta WHERE key=?", (key,)).fetchone()
        return None if row is None else row[0]

    def session_start(self) -> float:
        """Return when the present session began, in seconds since 1970; 0 before the first."""
        # By number: the clock may have been set back since the session before.
        return self._value("SELECT COALESCE((SELECT started FROM sessions ORDER BY id DESC LIMIT 1),0)")

    def edits(self) -> dict[str, int]:
        """Return by arm the session since which its graph is as it is; without those that were never changed."""
        return dict(self.db.execute("SELECT arm, session FROM edits").fetchall())


class SessionsInSqlite(SessionLookups, WritableContents):
    """What is kept of a run at once, and what a session does with what others have left."""

    def set_meta(self, key: str, value: str) -> None:
        """Keep a setting of the run, at once."""
        self._writer.run(TABLES[MetaRecord].insert, MetaRecord(key, value))

    def set_edit(self, record: EditRecord) -> None:
        """Keep when the graph of an arm was changed, at once."""
        self._writer.run(TABLES[EditRecord].insert, record)

    def start_session(self, at: float, channel: str, changed: str) -> int:
        """Record that a process works on the run; return the session's number."""
        for index in INDEXES if self._numbers.highest else ():
            self._writer.run(index)
        self.session += 1
        self._commits.add(SessionRecord, SessionRecord(id=self.session, started=at, channel=channel, changed=changed))
        self._commits.write()
        return self.session

    def end_session(self, at: float, how: str) -> None:
        """Record when and how the present session ended, if there is one."""
        self._writer.run("UPDATE sessions SET ended=?, how=? WHERE id=?", (at, how, self.session))

    def lose_open(self, at: float) -> int:
        """End the live attempts that a killed session left open as lost; return how many."""
        query = """INSERT OR IGNORE INTO ends
          SELECT a.id, ?, 'lost', 'killed', 'the process ended before the reply came', '', 0, 0, 0, 0, 0, 0, 0, NULL, 0
          FROM attempts a LEFT JOIN ends e ON e.attempt=a.id WHERE a.channel='live' AND e.attempt IS NULL"""
        return self._writer.run(query, (at,)).rowcount

    def drop_stale_rows(self) -> None:
        """Forget rows and rejects that the present session, having read all, did not see."""
        for table in ("rows", "rejects"):
            self._writer.run(f"DELETE FROM {table} WHERE session<?", (self.session,))

    def purge(self) -> int:
        """Forget all content; the account stays. Return how many records had some."""
        self._texts.clear()
        run = self._writer.run
        run("PRAGMA secure_delete=ON")
        removed = sum(run(f"DELETE FROM {table}").rowcount for table in ("texts", "blocks"))
        removed += run("UPDATE rejects SET raw='', reason=''").rowcount
        removed += run("UPDATE tasks SET message='' WHERE message<>''").rowcount
        removed += run("UPDATE ends SET message='' WHERE message<>''").rowcount
        removed += run("UPDATE results SET reason='' WHERE reason<>''").rowcount
        run("VACUUM")
        run("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # the log has the pages as they were
        return removed
