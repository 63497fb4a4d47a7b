"""The run and its sessions."""

from __future__ import annotations

from dataclasses import replace

from fanwise.journal.records import EditRecord, EndRecord, SessionRecord

from .contents import ContentsInMemory


class SessionsInMemory(ContentsInMemory):
    """What a run is, when it was worked on, and what a session does with what others have left."""

    def meta(self, key: str) -> str | None:
        """Return a setting of the run."""
        return self._meta.get(key)

    def set_meta(self, key: str, value: str) -> None:
        """Keep a setting of the run."""
        self._meta[key] = value

    def edits(self) -> dict[str, int]:
        """Return by arm the session since which its graph is as it is; without those that were never changed."""
        return {arm: edit.session for arm, edit in self._edits.items()}

    def set_edit(self, record: EditRecord) -> None:
        """Keep when the graph of an arm was changed."""
        self._edits[record.arm] = record

    def start_session(self, at: float, channel: str, changed: str) -> int:
        """Record that a worker begins; return the session's number."""
        self.session += 1
        self._sessions[self.session] = SessionRecord(id=self.session, started=at, channel=channel, changed=changed)
        return self.session

    def session_start(self) -> float:
        """Return when the present session began, in seconds since 1970; 0 before the first."""
        return self._sessions[self.session].started if self._sessions else 0.0

    def end_session(self, at: float, how: str) -> None:
        """Record when and how the present session ended, if there is one."""
        if self.session:
            self._sessions[self.session] = replace(self._sessions[self.session], ended=at, how=how)

    def lose_open(self, at: float) -> int:
        """End the live attempts that a killed session left open as lost; return how many."""
        pending = [
            number
            for number, attempt in self._attempts.items()
            if attempt.channel == "live" and number not in self._ends
        ]
        for number in pending:
            message = "the process ended before the reply came"
            self._ends[number] = EndRecord(
                attempt=number, at=at, status="lost", kind="killed", message=message, cost=None
            )
        return len(pending)

    def drop_stale_rows(self) -> None:
        """Forget rows and rejects that the present session, having read all, did not see."""
        session = self.session
        self._rows = {number: row for number, row in self._rows.items() if row.session >= session}
        self._rejects = {number: reject for number, reject in self._rejects.items() if reject.session >= session}

    def purge(self) -> int:
        """Forget all content; the account stays. Return how many records had some."""
        removed = len(self._texts) + len(self._blocks) + len(self._rejects)
        self._texts.clear()
        self._blocks.clear()
        for number, reject in self._rejects.items():
            self._rejects[number] = reject._replace(reason="", raw="")
        for key, task in self._tasks.items():
            removed += bool(task.message)
            self._tasks[key] = replace(task, message="")
        for number, end in self._ends.items():
            removed += bool(end.message)
            self._ends[number] = replace(end, message="")
        for place, result in self._results.items():
            removed += bool(result.reason)
            self._results[place] = result._replace(reason="")
        return removed
