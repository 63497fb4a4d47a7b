"""The account on one screen: what it cost, against one agent, and what failed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from fanwise.journal.reader import Book
from fanwise.ledger.account import agents, failures
from fanwise.ledger.slices import slices
from fanwise.ledger.summary import read_share
from fanwise.units import usd_text

LEVERS = {"models": "own models", "slices": "slices", "cache": "cache", "batch": "batches"}
MADE = {
    "instructions": "instructions", "context": "context", "row": "data of the row",
    "upstream": "outputs of other tasks", "conversation": "conversation", "outputs": "answers",
}  # fmt: skip
WHY = {
    "price": "for its price",
    "no price": "since no price is known",
    "pilot": "to learn what to go by",
    "time": "since the deadline leaves no round of batches for it",
    "deadline": "since the deadline was near",
}


def agent_name(arm: str, agent: str) -> str:
    """Return an agent's name, with its arm where that is not the fan-out and the name does not say it."""
    return agent if arm == "fanout" or agent == "baseline" else f"{agent} (baseline)"


def money(text: str | None) -> str:
    """Return a dollar amount for people: six decimals, or `unknown`."""
    return "unknown" if text is None else f"${Decimal(text):,.6f}"


def known(text: str, cost: int, unknown: int) -> str:
    """Return an amount with how many attempts are not in it; where that is all that there is, `unknown`."""
    if not unknown:
        return text
    return f"{text} + {unknown:,} unknown" if cost else "unknown"


def account(summary: dict[str, Any], db: Book) -> RenderableType:
    """Return the report of a run."""
    parts: list[RenderableType] = []
    if summary["offline"]:
        parts.append(
            Text(
                "SIMULATED: answered by stand-ins on the embedded emulator; no model was asked, nothing was paid",
                style="bold yellow",
            )
        )
    parts += [_head(summary), _agents(db)]
    parts += [Text(printable(line)) for line in choices(summary["choices"])]
    parts.append(_slices(db))
    parts += [Text(f"note: {note}", style="yellow") for note in summary["notes"]]
    bad = failures(db)
    if bad:
        parts.append(_failures(bad, sum(summary["failed_tasks"].values())))
    return Group(*parts)


def _head(summary: dict[str, Any]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    rows, attempts, tokens = summary["rows"], summary["attempts"], summary["tokens"]
    kept = ", ".join(f"{rows[name]} {name}" for name in ("succeeded", "partial", "failed", "rejected"))
    table.add_row(
        "run",
        f"{summary['run_id']}  {summary['ended'] or ''}" + (f": {summary['halted']}" if summary["halted"] else ""),
    )
    table.add_row(
        "rows", f"{rows['read']} read: {kept}" + (f", {rows['unfinished']} unfinished" if rows["unfinished"] else "")
    )
    table.add_row(
        "attempts",
        f"{attempts['sent']} sent, {attempts['failed']} failed, {attempts['lost']} lost, {attempts['retried']} retried",
    )
    whole = tokens["input"] + tokens["cache_write_5m"] + tokens["cache_write_1h"] + tokens["cache_read"]
    read = f", {100 * read_share(tokens):.0f} % of the input read from the cache" if whole else ""
    table.add_row("tokens", f"{whole:,} in, {tokens['output']:,} out{read}")
    table.add_row(
        "cost",
        f"{money(summary['cost_usd'])} = fan-out {money(summary['fanout_usd'])}"
        f" + baseline {money(summary['baseline_usd'])}",
    )
    over = summary["input_over_floor"]
    if over is not None:
        told = f"{money(summary['floor_usd'])} is the least that the fan-out's tokens could have cost in these channels"
        table.add_row("floor", f"{told}; its input cost {over:.2f} times its floor")
    if summary["bill_usd"] is not None:
        agrees = "equal to the ledger" if summary["bill_usd"] == summary["cost_usd"] else "differs from the ledger"
        table.add_row("bill", f"{money(summary['bill_usd'])} by the emulator's own bill, {agrees}")
    if attempts["lost"]:
        table.add_row(
            "lost", f"{attempts['lost']} attempts may have cost up to {money(summary['lost_upper_bound_usd'])} more"
        )
    if attempts["paid_twice"]:
        table.add_row(
            "paid twice", f"{attempts['paid_twice']} attempts, whose tasks were answered live for the deadline"
        )
    if summary["open"]["attempts"]:
        most = money(summary["open"]["upper_bound_usd"])
        told = f"{summary['open']['attempts']} attempts in batches that have not been read may cost up to {most} more"
        table.add_row("open", f"{told}; `fanwise batches DIR collect` reads them")
    if summary["unpriced_attempts"]:
        table.add_row("unknown", f"{summary['unpriced_attempts']} attempts have no known price and are in no total")
    per_row, base = summary["cost_per_successful_row_usd"], summary["baseline_cost_per_successful_row_usd"]
    told = "no row has succeeded" if per_row is None else f"{money(per_row)}, retries and failures counted"
    table.add_row("per good row", told + (f"; one agent {money(base)}" if base is not None else ""))
    if summary["levers"] is not None:
        table.add_row("levers", _levers(summary["levers"]))
    found = summary["multiplier"]
    if found is None:
        table.add_row("multiplier", "not measured (no row has both a fan-out and a baseline)")
    else:
        table.add_row(
            "multiplier", f"{_spread(found['tokens'])} in tokens, against one agent, measured on {found['rows']} rows"
        )
        table.add_row("", f"{_spread(found['usd'])} in dollars, the writing of shared prefixes spread over all rows")
        for one in summary["worst_rows"][:1]:
            table.add_row("", _worst(one))
    if summary["modelled"] is not None:
        table.add_row("modelled", _modelled(summary["modelled"]))
    for arm, parts in summary["made_of"].items():
        table.add_row("made of" if arm == "fanout" else "", made_of(arm, parts))
    return table


def _modelled(found: dict[str, Any]) -> str:
    """Return the multiplier against one agent that was not asked, and how its call was counted."""
    usd = "" if found["usd"] is None else f", {_short(found['usd'])} in dollars"
    size = "as long as the rows' results" if found["answers"] == "results" else "as long as the measured ones"
    how = f"its call composed and counted on {found['rows']:,} rows, answers {size}"
    return f"{_short(found['tokens'])} in tokens{usd}, against one agent that was not asked: {how}"


def made_of(arm: str, parts: dict[str, int]) -> str:
    """Return what the tokens of one arm are made of, the largest first."""
    whole = max(sum(parts.values()), 1)
    shares = sorted(((one, kind) for kind, one in parts.items() if one), reverse=True)
    told = ", ".join(f"{100 * one / whole:.0f} % {MADE[kind]}" for one, kind in shares)
    return told if arm == "fanout" else f"one agent: {told}"


def _short(one: dict[str, Any]) -> str:
    low, high = one["ci95"]
    return f"{one['mean']:.2f}x (95 % {low:.2f} to {high:.2f})"


def _worst(one: dict[str, Any]) -> Text:
    """Return the row that was multiplied most, and why."""
    share = f"{100 * one['duplicated_tokens'] / max(one['agent_tokens'], 1):.0f} % of it sent before in the row"
    if one["slice"]:
        share = f"{100 * one['slice_tokens'] / max(one['agent_tokens'], 1):.0f} % of it {MADE[one['slice']]}, {share}"
    calls = f"{one['calls']} call{'s' if one['calls'] != 1 else ''}"
    why = f"{one['agent']} took {one['agent_tokens']:,} tokens in {calls}, {share}"
    return Text(printable(f"most: {one['multiplier']:.2f}x in row {one['row_id']} (line {one['row']}): {why}"))


def _levers(found: dict[str, Any]) -> str:
    """Return what each lever took off the bill of the fan-out, in order."""
    steps = ", ".join(
        f"{LEVERS[name]} {'-' if Decimal(saved) > 0 else '+'}${abs(Decimal(saved)):,.6f}"
        for name, saved in found["saved_usd"].items()
        if Decimal(saved)
    )
    naive = f"{money(found['naive_usd'])} with everything to everyone on {found['dearest_model']}, uncached, live"
    return f"{naive}; {steps or 'nothing taken off'}; {money(found['paid_usd'])} paid"


def _spread(one: dict[str, Any]) -> str:
    low, high = one["ci95"]
    return f"{one['mean']:.2f}x (95 % {low:.2f} to {high:.2f}; median {one['p50']:.2f}, p95 {one['p95']:.2f})"


def _agents(db: Book) -> RenderableType:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("agent", "model", "channel"):
        table.add_column(name)
    for name in ("calls", "in", "written", "read", "out", "cost"):
        table.add_column(name, justify="right")
    for one in agents(db):
        usage = one.usage
        name = agent_name(one.arm, one.agent)
        written = usage.cache_write_5m + usage.cache_write_1h
        numbers = [one.attempts, usage.input, written, usage.cache_read, usage.output]
        table.add_row(
            Text(name),
            one.model,
            one.channel,
            *(f"{number:,}" for number in numbers),
            known(money(usd_text(one.cost)), one.cost, one.unknown),
        )
    return table


def choices(given: list[dict[str, Any]]) -> Iterator[str]:
    """Yield why calls took their channel, where that was chosen: agents of which it was one thing in one line."""
    plain: dict[str, list[str]] = {}
    for one in given:
        name = agent_name(one["side"], one["agent"])
        live, batch = (one["expected"].get(channel) for channel in ("live", "batch"))
        took = [f"{'by batch' if each['channel'] == 'batch' else 'live'} {WHY[each['why']]}" for each in one["took"]]
        if len(took) == 1:
            plain.setdefault(took[0], []).append(name)
            continue
        told = ", ".join(f"{each['calls']:,} {words}" for each, words in zip(one["took"], took, strict=True))
        prices = f"; the last was expected to cost {money(usd_text(live))} live, {money(usd_text(batch))} by batch"
        yield f"channel of {name}: {told}{prices if live and batch else ''}"
    for words, names in plain.items():
        yield f"channel of {', '.join(names)}: {words}"


def _slices(db: Book) -> RenderableType:
    """Return what was sent to whom."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("sent to", "its slice"):
        table.add_column(name, overflow="fold")
    for name in ("tokens a call", "sent before", "read", "written", "fresh"):
        table.add_column(name, justify="right")
    for one in slices(db):
        whole = max(one.tokens, 1)
        name = agent_name(one.arm, one.agent)
        shares = (f"{100 * part / whole:.0f} %" for part in (one.repeated, one.read, one.written, one.fresh))
        table.add_row(
            Text(name), Text(printable(", ".join((*one.blocks, *one.fields)))), f"{one.tokens / one.calls:,.0f}",
            *shares,
        )  # fmt: skip
    return table


def _failures(bad: list[Any], total: int) -> RenderableType:
    table = Table(
        title=f"failed tasks ({total})", title_justify="left", title_style="bold red", box=None, pad_edge=False
    )
    for name in ("row", "task", "error", "message", "paid for the row"):
        table.add_column(name, overflow="fold")
    for one in bad:
        arm = "" if one.arm == "fanout" else " (baseline)"
        message = one.message if len(one.message) <= 160 else f"{one.message[:157]}..."
        table.add_row(
            Text(printable(f"{one.row_id} (line {one.row}){arm}")),
            Text(printable(one.task)),
            Text(printable(one.kind)),
            Text(printable(message)),
            money(usd_text(one.paid)),
        )
    return table


def printable(text: str) -> str:
    """Return text without control characters: a model's words must not steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in text)


def show(summary: dict[str, Any], db: Book, console: Console) -> None:
    """Print the report."""
    console.print(account(summary, db), soft_wrap=False)
