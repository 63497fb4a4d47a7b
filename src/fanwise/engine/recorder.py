"""What becomes of tasks and rows, written into the journal."""

from __future__ import annotations

from fanwise.canonical import canonical
from fanwise.dispatch.books import Books
from fanwise.dispatch.errand import Ask
from fanwise.foreign import let_through, reason
from fanwise.graph.outcomes import Done, Failed, Outcome
from fanwise.journal.records import AnswerRecord, ArmName, RowResult, TaskRecord, new_row_result, new_task_record
from fanwise.jsonable import without_halves
from fanwise.log import log

from .unread import KIND, MESSAGE, Unread
from .window import RowRun

_NOTHING = object()


class Recorder:
    """Writes outcomes down; used by one event loop."""

    def __init__(self, books: Books) -> None:
        self._books, self._journal, self._session = books, books.journal, max(books.journal.session, 1)
        self._last: tuple[object, str] = (_NOTHING, "")
        """The output that was kept last, and its hash."""

    def task(self, ask: Ask, arm: ArmName, name: str, outcome: Outcome) -> Outcome:
        """Write down the outcome of a task, and return it: a failure where its value cannot be written down.

        Args:
            ask: The task.
            arm: Its arm.
            name: Of its agent or step.
            outcome: What it came to.
        """
        outcome, sha = self._keep(outcome, ask.label)
        if isinstance(outcome, Done):
            self._books.task(
                new_task_record(
                    key=ask.key, row=ask.row, arm=arm, node=ask.node, label=ask.label, agent=name, status="done",
                    output=sha,
                )
            )  # fmt: skip
            return outcome
        cause = outcome if isinstance(outcome, Failed) else outcome.cause
        self._books.task(
            TaskRecord(
                key=ask.key, row=ask.row, arm=arm, node=ask.node, label=ask.label, agent=name, status="failed",
                output=None, kind=cause.kind, message=without_halves(cause.message),
            )
        )  # fmt: skip
        log.info("task failed", row=ask.row, task=ask.label, kind=cause.kind)
        return outcome

    def unread(self, ask: Ask, arm: ArmName, name: str, answer: Unread) -> None:
        """Write down an answer that nobody can read, as it came; arguments as for `task`."""
        self._journal.add_task(
            TaskRecord(
                key=ask.key, row=ask.row, arm=arm, node=ask.node, label=ask.label, agent=name, status="failed",
                output=self._journal.add_text(answer.kept()), kind=KIND, message=MESSAGE,
            )
        )  # fmt: skip

    def answer(self, attempt: int, place: int, outcome: Outcome) -> None:
        """Write down what a model said to the ask at a place of an attempt, where it said something."""
        if isinstance(outcome, Done):
            sha = self._keep(outcome, "")[1] if outcome.said is None else self._journal.add_text(outcome.said)
            if sha is not None:
                self._journal.add_answer(AnswerRecord(attempt, place, sha))

    def row(self, run: RowRun) -> RowResult:
        """Write down the result of a row on one arm, and return it."""
        outcome, sha = self._keep(run.state.outcome(), "the result")
        number, arm, session = run.number, run.arm.name, self._session
        if isinstance(outcome, Done):
            status = "partial" if run.state.failures else "succeeded"
            result = new_row_result(row=number, arm=arm, status=status, output=sha, session=session)
        else:
            cause = outcome if isinstance(outcome, Failed) else outcome.cause
            reason = without_halves(f"{cause.task}: {cause.kind}: {cause.message}")
            result = RowResult(row=number, arm=arm, status="failed", output=None, reason=reason, session=session)
        self._books.result(result)
        return result

    def _keep(self, outcome: Outcome, label: str) -> tuple[Outcome, str | None]:
        """Keep the value of a task or a row, once: the last task's is most often the row's too.

        Returns:
            The outcome, a failure where its value cannot be written down; and the hash of the value, None of a failure.
        """
        if not isinstance(outcome, Done):
            return outcome, None
        if outcome.value is not self._last[0]:
            try:
                text = canonical(outcome.value)
            except BaseException as error:  # of a serializer, which is users' code
                let_through(error)
                return Failed(label, "invalid_value", reason(error)), None
            self._last = outcome.value, self._journal.add_text(text)
        return outcome, self._last[1]
