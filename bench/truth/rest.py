"""What is left: choices, failed tasks, what is modelled, and the tables of the export."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import Any

from .allotted import parts
from .book import Book
from .findings import Findings, usd

NOT_COMPUTED = {
    "modelled": "composed and counted, of requests that were never sent: no wire and no journal has them",
    "choices.expected": "what the chooser expected before it chose; no bill has it",
    "notes": "sentences",
}
"""Figures that cannot be computed from outside, and why."""


def check_rest(findings: Findings, summary: dict[str, Any], book: Book) -> None:
    """Compare failed tasks and choices, list what has no other source."""
    findings.same("failed_tasks", summary["failed_tasks"], dict(Counter(task["kind"] for task in book.failed)))
    findings.same("own_baseline", summary["own_baseline"], book.meta["own_baseline"])
    findings.same("answers_of_earlier_layouts", summary["answers_of_earlier_layouts"], _of_earlier_layouts(book))
    calls: dict[tuple[str, str, str], int] = defaultdict(int)
    for attempt in book.attempts:  # all that were ever sent, whatever became of their rows
        if attempt.why in ("first", "pilot"):
            calls[attempt.arm, attempt.agent, attempt.channel] += 1
    for choice in summary["choices"]:
        took: dict[str, int] = defaultdict(int)
        for part in choice["took"]:
            took[part["channel"]] += part["calls"]
        for channel, count in took.items():
            name = f"choices.{choice['side']}.{choice['agent']}.{channel}"
            findings.same(name, count, calls[choice["side"], choice["agent"], channel])
    if not summary["choices"]:
        chosen = [a for a in book.counting if a.asks] if book.meta["manifest"]["spec"]["channel"] == "auto" else []
        findings.same("choices", [], chosen)
    for name, reason in NOT_COMPUTED.items():
        if name.partition(".")[0] in summary:
            findings.without(name, reason)


def _of_earlier_layouts(book: Book) -> dict[str, int]:
    """Return by side the answers that another layout than today's has asked for; see docs/figures.md."""
    counts, layouts = {"fanout": 0, "baseline": 0}, book.meta["layouts"]
    started = [row["started"] for row in book.journal.execute("SELECT started FROM sessions ORDER BY id")]
    answers = [a for a in book.counting if a.asks and a.status == "succeeded" and a.blocks]
    marked: dict[tuple[str, str, str], set[int]] = defaultdict(set)
    for answer in answers:
        if answer.prefix:
            session = sum(at <= answer.sent for at in started)
            marked[answer.arm, answer.agent, answer.channel].add(session)
    for answer in answers if len(started) > 1 else ():
        sessions = marked[answer.arm, answer.agent, answer.channel]
        was_unmarked = sessions and sum(at <= answer.sent for at in started) not in sessions
        if was_unmarked or answer.blocks.split(" ")[1] not in layouts[answer.arm][answer.agent]:
            counts[answer.arm] += 1
    return counts


def check_attempts(findings: Findings, table: list[dict[str, Any]], book: Book) -> None:
    """Compare the exported ledger, line by line."""
    findings.same("export attempts", len(table), len(book.attempts))
    attempts = {attempt.id: attempt for attempt in book.attempts}
    names = ("input_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_read_tokens", "output_tokens")
    for line in table:
        attempt = attempts[line["attempt"]]
        said = (line["status"], line["cost_usd"], *(line[name] for name in names))
        computed = (attempt.status, usd(attempt.usd), *(attempt.tokens if attempt.is_counted else (None,) * 5))
        findings.same(f"export attempts {attempt.id}", said, computed)


def check_tasks(findings: Findings, table: list[dict[str, Any]], book: Book) -> None:
    """Compare what tasks of the account cost that have an outcome."""
    sent: dict[str, list[tuple[bool, int | None]]] = defaultdict(list)
    for attempt in book.counting:
        costs = [None] * len(attempt.asks) if attempt.usd is None else parts(attempt.usd, len(attempt.asks) or 1)
        followers = {ask.key for ask in attempt.followers}
        for ask, cost in zip(attempt.asks, costs, strict=False):
            if book.needs(ask.row, attempt.arm, ask.key):
                sent[ask.key].append((ask.key in followers, cost))
    computed, said = Counter[tuple[Any, ...]](), Counter[tuple[Any, ...]]()
    for task in book.journal.execute("SELECT key, row, arm, label, status FROM tasks"):
        if not book.needs(task["row"], task["arm"], task["key"]):
            continue
        attempts = sent[task["key"]]
        unknown = sum(cost is None for _, cost in attempts)
        known = usd(sum(cost or 0 for _, cost in attempts)) if len(attempts) > unknown else None
        served = sum(follows for follows, _ in attempts)
        who = (task["row"], task["arm"], task["label"], task["status"])
        computed[(*who, len(attempts) - served, served, known, unknown)] += 1
    names = ("row", "side", "task", "status", "attempts", "served", "cost_usd", "attempts_of_unknown_cost")
    for line in table:
        said[tuple(line[name] for name in names)] += 1
    for task in said | computed:
        findings.same(f"export tasks {task[:3]}", said[task] and task, computed[task] and task)


def check_exported_totals(findings: Findings, table: list[dict[str, Any]], summary: dict[str, Any]) -> None:
    """Compare the exported totals, which are texts, with the summary."""
    said = {line["name"]: line["value"] for line in table}
    for name, figure in leaves(summary):
        # The bill is asked of the emulator, which is away when a run is exported; what has no parts has no line.
        if name != "bill_usd" and figure != {}:
            text = figure if isinstance(figure, str | None) else json.dumps(figure, ensure_ascii=False)
            findings.same(f"export totals {name}", said.get(name), text)


def leaves(data: dict[str, Any], before: str = "") -> list[tuple[str, Any]]:
    """Return the figures of a record by the way to them."""
    found: list[tuple[str, Any]] = []
    for name, value in data.items():
        found += leaves(value, f"{before}{name}.") if isinstance(value, dict) and value else [(before + name, value)]
    return found
