"""What a row of a resumed run had sent before: by the tasks that count now, as a run that was never halted sends them.

While it goes on, a request is held against what the row has sent as far as that was come to. A row that has ended is
counted once more, in order: an agent whose prompt was edited is asked anew where it was asked before, so what is sent
after it, though it was answered in an earlier session, is sent again.
"""

from __future__ import annotations

from collections.abc import Sequence

from fanwise.context.repeats import Repeats
from fanwise.graph.scope import Task
from fanwise.graph.waiting import of_other_items
from fanwise.journal.port import Journal
from fanwise.journal.records import AttemptRecord

from .window import Asked, RowRun


def keep(run: RowRun, asked: Asked) -> None:
    """Take note of a task that was answered in an earlier session."""
    run.asked.append(asked)
    run.uncounted.append(asked)


def send(run: RowRun, asked: Asked, repeats: Repeats) -> None:
    """Take note of a task that is about to be asked; what the row has sent in earlier sessions is counted first."""
    run.asked.append(asked)
    for earlier in run.uncounted:
        request = earlier.node.request(earlier.task)
        repeats.count(run.number, run.arm.name, request.common, request.own)
    run.uncounted.clear()


def recount(run: RowRun, journal: Journal) -> None:
    """Correct how much of the first request of each task of a row that has ended was sent before.

    Later requests of a task show what its first has shown, so of them nothing changes. Nor does anything where all
    was sent in this session, or all in earlier ones and nothing of it was replaced.
    """
    earlier = sum(asked.earlier for asked in run.asked)
    if not earlier or (earlier == len(run.asked) and not run.is_noted):
        return
    repeats = Repeats()
    for asked, first in _in_order(run, journal):
        request = asked.node.request(asked.task)
        repeated = repeats.count(run.number, run.arm.name, request.common, request.own).repeated
        if repeated != first.repeated and not asked.node.spec.packs:  # a pack is several rows'
            journal.recount(first.id, repeated)


def _in_order(run: RowRun, journal: Journal) -> list[tuple[Asked, AttemptRecord]]:
    """Return the tasks that were sent, each with its first attempt, in the order of a run that was never halted.

    What replaces an earlier request of this row, whatever its number was then, takes its place. What has none goes
    where it was ready. Nothing goes before what it waits for, as it may where another row's request serves it: that
    was sent when the other row needed it.
    """
    by_label = journal.first_by_label(run.row_id, run.arm.name)
    placed: list[tuple[int, Asked, AttemptRecord]] = []
    latest = 0
    for asked in run.asked:
        served = journal.attempt(asked.first) if asked.first else None
        first = journal.first_attempt(asked.key) if served is None else served.attempt
        if first is None:
            continue
        earliest = min(by_label.get(asked.task.label, first.id), first.id)
        at = earliest if asked.earlier or earliest < first.id else latest
        at = _behind_awaited(run, asked.task, at, placed)
        latest = max(latest, at)
        placed.append((at, asked, first))
    placed.sort(key=lambda part: part[0])  # of one place the first is what was ready first
    return [(asked, first) for _, asked, first in placed]


def _behind_awaited(run: RowRun, task: Task, at: int, placed: Sequence[tuple[int, Asked, AttemptRecord]]) -> int:
    """Return the place of a task, `at` or that of the last task which it waits for."""
    awaited = run.arm.awaited[task.node.path]
    for place, asked, _ in placed:  # of other items only where it matters: a row may have thousands of them
        if place > at and asked.task.node.path in awaited and not of_other_items(task, asked.task):
            at = place
    return at
