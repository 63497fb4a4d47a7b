"""What was sent to whom: slices, the cache, what tokens are made of, the rows with the largest multiplier."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from .allotted import split
from .attempt import Attempt
from .book import Book
from .findings import Findings

AGAIN = ("retry", "repair", "longer")
"""Requests for what was asked before: nobody has been sent it by another agent."""
WORST = 3
KINDS = ("instructions", "context", "row", "upstream", "conversation")


def check_slices(findings: Findings, summary: dict[str, Any], book: Book) -> None:
    """Compare slices and the use of the cache."""
    by_agent: dict[tuple[str, str], list[Attempt]] = defaultdict(list)
    for attempt in book.counting:
        if attempt.asks and attempt.status == "succeeded":
            by_agent[attempt.arm, attempt.agent].append(attempt)
    said = {(part["side"], part["agent"]): part for part in summary["slices"]}
    findings.same("slices", sorted(said), sorted(who for who, sent in by_agent.items()))
    for who in set(said) & set(by_agent):
        computed = _slice(by_agent[who], sent_before(book)) | book.meta["slices"][" ".join(who)]
        for name, figure in computed.items():
            findings.same(f"slices.{'.'.join(who)}.{name}", said[who][name], figure)
    counting = book.counting
    findings.same(
        "cache.distinct_prefixes", summary["cache"]["distinct_prefixes"], len({a.prefix for a in counting} - {""})
    )
    writes = sum(a.tokens.write_5m + a.tokens.write_1h > 0 for a in counting)
    findings.same("cache.writes", summary["cache"]["writes"], writes)
    findings.same("cache.reads", summary["cache"]["reads"], sum(a.tokens.read > 0 for a in counting))


def _slice(attempts: list[Attempt], before: Callable[[Attempt], Fraction]) -> dict[str, Any]:
    written = sum(a.tokens.write_5m + a.tokens.write_1h for a in attempts)
    repeated = sum(a.tokens.prompt * share for a in attempts for share in [before(a)])
    without = sum(not a.is_counted for a in attempts)
    tokens = {
        "input_tokens": sum(a.tokens.prompt for a in attempts), "duplicated_tokens": round(repeated),
        "cache_read_tokens": sum(a.tokens.read for a in attempts), "cache_write_tokens": written,
        "fresh_tokens": sum(a.tokens.input for a in attempts),
    }  # fmt: skip
    is_known = without < len(attempts)
    return {
        "calls": len(attempts), "calls_of_unknown_tokens": without, **(tokens if is_known else dict.fromkeys(tokens)),
    }  # fmt: skip


def sent_before(book: Book) -> Callable[[Attempt], Fraction]:
    """Return what gives the share of a request that its row had sent before.

    A retry, a repair or a longer try has the share of the request that it repeats.
    """
    shares: dict[int, Fraction] = {}
    latest: dict[str, Fraction] = {}
    for attempt in book.attempts:
        if not attempt.asks:
            continue
        share = Fraction(attempt.repeated, attempt.chars) if attempt.chars else Fraction(0)
        key = attempt.asks[0].key
        if attempt.why in AGAIN and key in latest:
            share = latest[key]
        shares[attempt.id] = latest[key] = share
    return lambda attempt: shares[attempt.id]


def check_made_of(findings: Findings, summary: dict[str, Any], book: Book) -> None:
    """Compare what the tokens of each side are made of."""
    for side in {attempt.arm for attempt in book.counting}:
        nodes = book.meta["tasks"][side]["nodes"]
        sums = dict.fromkeys(KINDS, Fraction(0))
        outputs = 0
        for attempt in book.counting:
            if attempt.arm == side and attempt.asks:
                outputs += attempt.tokens.output
                for kind, tokens in _parts_of_tasks(attempt, nodes, book).items():
                    sums[kind] += tokens
        findings.same(f"made_of.{side}", side in summary["made_of"], any((*sums.values(), outputs)))
        said = summary["made_of"].get(side, {})
        for kind, tokens in sums.items():
            findings.same(f"made_of.{side}.{kind}", said.get(kind, 0), round(tokens))
        findings.same(f"made_of.{side}.outputs", said.get("outputs", 0), outputs)


def _parts_of_tasks(attempt: Attempt, nodes: dict[str, Any], book: Book) -> dict[str, Fraction]:
    """Return the tokens of a request by kind: of a pack, those of each of its tasks."""
    inputs = book.inputs_of(attempt.id)
    if inputs == 1:
        return _parts(attempt, nodes, 1)
    sums: dict[str, Fraction] = defaultdict(Fraction)
    for part in split(attempt):
        for kind, tokens in _parts(part, nodes, inputs).items():
            sums[kind] += tokens
    return sums


def _parts(attempt: Attempt, nodes: dict[str, Any], inputs: int) -> dict[str, Fraction]:
    """Return the tokens of a request, or of a task's part of one, by kind.

    Args:
        attempt: The request.
        nodes: What the run has noted of each.
        inputs: How many of them it has shown: an equal part of what they have in common is a task's.
    """
    node, ask = nodes[attempt.asks[0].node], attempt.asks[0]
    chars: dict[str, Fraction] = defaultdict(Fraction)
    for kind in ("instructions", "context"):
        chars[kind] = Fraction(node[kind], inputs)
    for (_, sources), size in zip(sorted(node["params"].items()), ask.sizes, strict=True):
        chars["row" if all(source.startswith("row ") for source in sources) else "upstream"] += size
    chars["conversation"] = max(attempt.chars - sum(chars.values()), Fraction(0)) if inputs == 1 else Fraction(0)
    total = sum(chars.values())
    return {kind: Fraction(attempt.tokens.prompt * chars[kind], total) for kind in KINDS}


def check_worst(findings: Findings, summary: dict[str, Any], book: Book, tokens: dict[int, tuple[int, int]]) -> None:
    """Compare the rows whose fan-out took the most tokens for each of the single agent's.

    Args:
        findings: The checks.
        summary: What was said.
        book: The journal.
        tokens: Of fan-out and single agent, by row, of the rows that both have ended at a known cost.
    """
    failed = {row for (row, _), status in book.outcomes.items() if status == "failed"}
    has_output = set(tokens) - failed
    ratios = {row: tokens[row][0] / tokens[row][1] for row in has_output if all(tokens[row])}
    if summary["own_baseline"]:
        ratios = {}
    worst = sorted(ratios, key=lambda row: (-ratios[row], row))[:WORST]
    findings.same("worst_rows", [part["row"] for part in summary["worst_rows"]], worst)
    before = sent_before(book)
    nodes = book.meta["tasks"]["fanout"]["nodes"]
    for said in summary["worst_rows"]:
        row = said["row"]
        by_agent: dict[str, list[Attempt]] = defaultdict(list)
        for attempt in book.counting:
            if attempt.arm == "fanout":
                by_agent[attempt.agent] += [part for part in split(attempt) if part.asks and part.asks[0].row == row]
        agent = max(by_agent, key=lambda name: sum(a.total for a in by_agent[name]))
        sent = by_agent[agent]
        kinds: dict[str, Fraction] = defaultdict(Fraction)
        for attempt in sent:
            for kind, count in _parts(attempt, nodes, book.inputs_of(attempt.id)).items():
                kinds[kind] += count
        kind = max(kinds, key=lambda name: kinds[name])
        computed = {
            "multiplier": round(ratios[row], 6), "tokens": tokens[row][0], "baseline_tokens": tokens[row][1],
            "agent": agent, "calls": len(sent), "agent_tokens": sum(a.total for a in sent),
            "duplicated_tokens": round(sum(a.tokens.prompt * before(a) for a in sent)),
            "slice": kind, "slice_tokens": round(kinds[kind]),
        }  # fmt: skip
        for name, figure in computed.items():
            findings.same(f"worst_rows.{row}.{name}", said[name], figure)
