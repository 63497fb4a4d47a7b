"""A request of a run, rendered again and checked against the hash of what was sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fanwise.engine.arms import Arm
from fanwise.engine.meaning import LONGER
from fanwise.engine.nodes import AgentNode, StepNode
from fanwise.engine.rows import Row, row_id_of
from fanwise.engine.rowsfile import fetch
from fanwise.errors import UsageError
from fanwise.graph.scope import Task
from fanwise.job.arms import arms_of
from fanwise.job.directory import reading
from fanwise.job.manifest import Manifest
from fanwise.job.recorded import looked_at
from fanwise.journal.reader import JournalReader
from fanwise.ledger.account import baseline_arm
from fanwise.ledger.cash import taken_from
from fanwise.ledger.outcomes import row_named
from fanwise.ledger.tasks import requests_of

from .sent import PacksSent, find_task


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt of a task, and whether its request is still the same."""

    number: int
    is_unchanged: bool | None
    """None where that cannot be told: not all of the request was kept, or it was sent at another node."""
    served: str = ""
    """The equal task for which it was sent, in words; empty where it was this one."""
    taken: str = ""
    """Directory of the run that has sent it; empty where it was this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A task's request, made again."""

    body: dict[str, Any]
    attempts: tuple[Attempt, ...]
    answer: str | None
    """The output as canonical JSON, where there is one."""
    has_another_form: bool
    """Whether the run began when requests had another form."""


def rendered(
    directory: str, row_id: str, label: str, arm: str, *, graph: str | None = None, baseline: str | None = None
) -> Rendered:
    """Return the request of one task, rendered from the rows file, the graph and the journal.

    Args:
        directory: Of the run.
        row_id: Of the row.
        label: Of the task.
        arm: Side on which it was carried out.
        graph: Reference of the run's graph; None: as it was recorded, where that lies under the current directory.
        baseline: Of its single agent, likewise.

    Raises:
        NotNamedError: The directory records a graph that nobody has named here.
        UsageError: There is no such run, row or task, or its row is not in the file any more.
    """
    with reading(directory) as journal:
        manifest = Manifest.of(journal)
        spec = looked_at(manifest, directory, graph, baseline)
        arms = manifest.arms(arms_of(spec.graph, spec.baseline))
        if arm == "baseline" and baseline_arm(journal.db) == "fanout":
            raise UsageError("the graph has one agent and is its own baseline: --side fanout shows its requests")
        if arm not in arms:
            raise UsageError(f"the run has no {arm}")
        run_arm = arms[arm]
        row = _row(journal, manifest, run_arm, row_id)
        task, key = find_task(journal, run_arm, row, label)
        node = run_arm.nodes[task.node.path]
        if isinstance(node, StepNode):
            raise UsageError(f"task {label!r} is a step: it runs here and sends nothing")
        record = journal.task(key)
        answer = journal.text(record.output or "") if record is not None else None
        packs = PacksSent(journal, run_arm, node, lambda row_id: _row(journal, manifest, run_arm, row_id))
        return Rendered(
            body=(packs.first(key) or node.request(task)).body(run_id=manifest.run_id),
            attempts=tuple(_attempts(journal, node, task, key, packs)),
            answer=answer,
            has_another_form=manifest.has_another_form,
        )


def _attempts(journal: JournalReader, node: AgentNode, task: Task, key: str, packs: PacksSent) -> Iterator[Attempt]:
    """Yield the attempts of a task, each held against the requests that can be made for it now.

    These are all but one kind: what says why an answer was refused, since the answer is not kept.
    """
    rounds = journal.turns(key)
    is_purged = any(message is None for message, _ in rounds)
    hashes = _hashes(node, task, [(message, results) for message, results in rounds if message and results])
    is_partly_kept = False
    for sent in requests_of(journal.db, key):
        # What follows a repair may say it too: a retry, or a round of tools.
        is_partly_kept = is_partly_kept or sent.why == "repair" or (sent.why == "tools" and is_purged)
        is_unchanged = sent.request_hash in hashes or packs.is_unchanged(sent)
        cannot_tell = is_partly_kept or sent.node != task.node.path or packs.is_incomplete(sent.attempt)
        cannot_tell = cannot_tell or sent.taken > 0
        yield Attempt(
            number=sent.number,
            is_unchanged=None if cannot_tell and not is_unchanged else is_unchanged,
            served=sent.served,
            taken=taken_from(journal.db, sent.taken),
        )


def _hashes(node: AgentNode, task: Task, rounds: Sequence[tuple[str, str]]) -> set[str]:
    """Return the hashes of all requests of a task that can be made: behind each of its rounds of tools, by each cap."""
    turns = [message for both in rounds for message in both]
    return {
        node.request(task, factor=factor, turns=tuple(turns[:end])).hash()
        for factor in (1, LONGER)
        for end in range(0, len(turns) + 1, 2)
    }


def _row(journal: JournalReader, manifest: Manifest, arm: Arm, row_id: str) -> Row:
    place = row_named(journal.db, row_id)
    if place is None and row_id.isdecimal():  # no row has that id; one that has none is called by its number
        place = row_named(journal.db, row_id_of(int(row_id), None))
    if place is None:
        raise UsageError(f"the run has no row {row_id!r}")
    record = next((record for _, record in fetch(manifest.rows_file, [place.locator])), None)
    row = None if record is None else manifest.row_types(arm.graph).check(record)
    if not isinstance(row, Row) or row.hash != place.hash:
        raise UsageError(f"row {row_id!r} is not in {manifest.rows} any more as it was when it ran")
    return row._replace(number=place.number, row_id=place.row_id)
