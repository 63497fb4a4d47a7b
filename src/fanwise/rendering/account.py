"""The account on one screen: what it cost, against one agent, and what failed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from fanwise.ledger.account import AgentAccount
from fanwise.ledger.failing import FailedTask
from fanwise.ledger.report import ReportTables
from fanwise.ledger.slices import SliceAccount
from fanwise.ledger.summary import input_tokens, read_share
from fanwise.units import usd_text

from .bill import bill_words
from .cash import paid_in_all
from .harmless import one_line
from .headline import interval, remarks, times, why_not_measured, with_rows
from .layouts import earlier_layouts
from .modelled import modelled_words
from .words import (
    LEVERS,
    NONE_LEFT_OUT,
    OWN_BASELINE,
    PARTS,
    agent_name,
    at_least,
    choice_lines,
    left_out_of,
    may_have_cost,
    money,
    of_unknown_cost,
    token_cells,
    with_unknown,
)

SIMULATED = "SIMULATED: answered by stand-ins on the embedded emulator; no model was asked, nothing was paid"
MOST_MESSAGE = 160
"""Characters of the message of a failure that are shown."""
Line = tuple[str, str | Text]
"""Name and text of a figure; the name is empty where the text belongs to the line before."""


def show_account(summary: Mapping[str, Any], tables: ReportTables, console: Console) -> None:
    """Print the report of a run."""
    console.print(_account(summary, tables), soft_wrap=False)


def _account(summary: Mapping[str, Any], tables: ReportTables) -> RenderableType:
    parts: list[RenderableType] = []
    if summary["offline"]:
        parts.append(Text(SIMULATED, style="bold yellow"))
    parts += [_figures(summary), _agents(tables.agents)]
    parts += [
        Text(one_line(line)) for line in choice_lines(summary["choices"], summary["cash"]["replaced"]["attempts"])
    ]
    parts.append(_slices(tables.slices))
    parts += [Text(f"note: {note}", style="yellow") for note in summary["notes"]]
    if tables.failures:
        parts.append(_failures(tables.failures, sum(summary["failed_tasks"].values())))
    return Group(*parts)


# The figures ----------------------------------------------------------------------------------------


def _figures(summary: Mapping[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    for figures in (_work, _cost, _not_in_the_cost, _comparison, _made_of):
        for name, text in figures(summary):
            table.add_row(name, text)
    return table


def _work(summary: Mapping[str, Any]) -> Iterator[Line]:
    """Yield what was done: rows, attempts, tokens."""
    rows, attempts, tokens = summary["rows"], summary["attempts"], summary["tokens"]
    halted = f": {summary['halted']}" if summary["halted"] else ""
    yield "run", f"{summary['run_id']}  {summary['ended'] or ''}{halted}"
    ends = ", ".join(f"{rows[end]} {end}" for end in ("succeeded", "partial", "failed", "rejected"))
    unfinished = f", {rows['unfinished']} unfinished" if rows["unfinished"] else ""
    yield "rows", f"{rows['read']} read: {ends}{unfinished}"
    ends = ", ".join(f"{attempts[end]} {end}" for end in ("sent", "failed", "lost", "retried"))
    served = summary.get("served_tasks", {"all": 0})["all"]
    many = "1 task more was" if served == 1 else f"{served:,} tasks more were"
    taken = summary.get("cash", {}).get("taken", {"attempts": 0})["attempts"]
    parts = [f"{taken:,} of them by other runs"] if taken else []
    parts += [f"{many} served by those for equal ones"] if served else []
    yield "attempts", "; ".join([ends, *parts])
    share, uncounted = read_share(tokens), summary["attempts_of_unknown_tokens"]
    read = "" if share is None else f", {100 * share:.0f} % of the input read from the cache"
    counted = "unknown" if tokens["output"] is None else f"{input_tokens(tokens):,} in, {tokens['output']:,} out{read}"
    if uncounted:
        counted = counted if tokens["output"] is None else f"at least {counted}"
        counted = f"{counted}; of {uncounted:,} attempts they are unknown"
    yield "tokens", counted


def _cost(summary: Mapping[str, Any]) -> Iterator[Line]:
    """Yield what was paid, beside the least that it could have been and beside the emulator's bill."""
    unknown = summary["attempts_of_unknown_cost"]
    fanout, baseline = (at_least(summary[f"{side}_usd"], unknown[side]) for side in ("fanout", "baseline"))
    parts = "the graph is its own baseline" if summary["own_baseline"] else f"fan-out {fanout} + baseline {baseline}"
    joint = "," if summary["own_baseline"] else " ="
    yield "cost", f"{at_least(summary['cost_usd'], sum(unknown.values()))}{joint} {parts}"
    in_all = paid_in_all(summary)
    if in_all is not None:
        yield "", in_all
    relaid = earlier_layouts(summary.get("answers_of_earlier_layouts", {}))
    if relaid is not None:
        yield "", relaid
    yield from _floor(summary)
    if summary["bill_usd"] is not None:
        yield "bill", bill_words(summary)


def _floor(summary: Mapping[str, Any]) -> Iterator[Line]:
    """Yield the least that it could have been, and how much has none."""
    over, leaves_out = summary["input_over_floor"], summary.get("floor_leaves_out", NONE_LEFT_OUT)
    if over is not None:
        least = f"{money(summary['floor_usd'])} is the least that the fan-out's tokens could have cost"
        unpriced = left_out_of(leaves_out, "it")
        more = f"; {unpriced}" if unpriced else ""
        yield "floor", f"{least} in these channels; its input cost {over:.2f} times its floor{more}"
    elif summary["floor_usd"] is None and leaves_out["attempts"]:
        yield "floor", f"unknown, with {of_unknown_cost(leaves_out)}"


def _not_in_the_cost(summary: Mapping[str, Any]) -> Iterator[Line]:
    """Yield what may have cost more, or in vain."""
    attempts, unread = summary["attempts"], summary["open"]
    if attempts["lost"]:
        yield "lost", f"{attempts['lost']} attempts {may_have_cost(summary['lost_upper_bound_usd'])}"
    if attempts["paid_twice"]:
        yield "paid twice", f"{attempts['paid_twice']} attempts, whose tasks were sent again before these were answered"
    if unread["attempts"]:
        most = may_have_cost(unread["upper_bound_usd"]).replace("have cost", "cost")
        in_batches = f"{unread['attempts']} attempts in batches that have not been read {most}"
        yield "open", f"{in_batches}; `fanwise batches DIR collect` reads them"
    if summary["unpriced_attempts"]:
        most = may_have_cost(summary["unpriced_upper_bound_usd"])
        yield "unknown", f"{summary['unpriced_attempts']} attempts have no known price and are in no total; they {most}"


def _comparison(summary: Mapping[str, Any]) -> Iterator[Line]:
    """Yield what a good row cost, what took how much off, and the fan-out against one agent."""
    per_row, alone = summary["cost_per_successful_row_usd"], summary["baseline_cost_per_successful_row_usd"]
    unknown = summary["attempts_of_unknown_cost"]
    as_it_is = "" if paid_in_all(summary) is None else " as rows and graph are now"
    cost = f"{at_least(per_row, unknown['fanout'])}{as_it_is}, retries and failures counted"
    cost = cost if summary["rows"]["succeeded"] else "no row has succeeded"
    one_agent = at_least(alone, unknown["baseline"])
    yield "per good row", cost if alone is None or summary["own_baseline"] else f"{cost}; one agent {one_agent}"
    yield from _multiplier(summary)
    if summary["modelled"] is not None and summary["multiplier"] is None:
        yield "modelled", modelled_words(summary["modelled"])
    if summary["levers"] is not None:
        yield from _levers(summary["levers"])


def _levers(levers: Mapping[str, Any]) -> Iterator[Line]:
    """Yield what each lever took off, from the single agent's bill on where that is known, in both orders."""
    naive, alone = Decimal(levers["naive_usd"]), levers["alone_usd"]
    begin = f"{money(levers['naive_usd'])} with"
    if alone is not None:
        begin = f"{money(alone)} for one agent, {_off(Decimal(alone) - naive)} with"
    naive_calls = f"{begin} everything to everyone on {levers['dearest_model']}, uncached, live"
    steps = _steps(levers["saved_usd"])
    yield "levers", f"{naive_calls}; {steps or 'nothing taken off'}; {money(levers['paid_usd'])} paid"
    if levers["saved_usd"] != levers["saved_in_reverse_usd"]:
        yield "", f"in the other order: {_steps(levers['saved_in_reverse_usd'])}"
    unpriced = left_out_of(levers.get("leaves_out", NONE_LEFT_OUT), "the levers")
    if unpriced:
        yield "", unpriced


def _steps(saved_by_lever: Mapping[str, str]) -> str:
    return ", ".join(f"{LEVERS[name]} {_off(Decimal(usd))}" for name, usd in saved_by_lever.items() if Decimal(usd))


def _off(saved: Decimal) -> str:
    """Return dollars that were taken off with the sign that they have on the bill."""
    return f"{'-' if saved > 0 else '+'}${abs(saved):,.6f}"


def _multiplier(summary: Mapping[str, Any]) -> Iterator[Line]:
    """Yield the fan-out against one agent on the same rows, and the row that was multiplied most."""
    multiplier = summary["multiplier"]
    if summary["own_baseline"] and summary["attempts"]["sent"]:
        yield "multiplier", f"1.00x: {OWN_BASELINE}"
        return
    if multiplier is None:
        yield "multiplier", f"not measured ({why_not_measured(summary)})"
        return
    rows = f"{multiplier['rows']} rows"
    yield "multiplier", f"{with_rows(multiplier['tokens'])} in tokens, against one agent, sum over sum on {rows}"
    in_dollars = "in dollars, the writing of shared prefixes spread over all rows"
    yield "", f"{with_rows(multiplier['usd'])} {in_dollars}"
    success = summary["per_success"]
    if success is not None:
        yield "", f"{times(success)} ({interval(success)}) in dollars for each row that succeeded"
    for remark in remarks(multiplier):
        yield "", remark
    for worst_row in summary["worst_rows"][:1]:
        yield "", _worst(worst_row, multiplier["left_out"]["unknown_cost"])


def _worst(row: Mapping[str, Any], unranked: int) -> Text:
    """Return the row that was multiplied most, and why; so many rows could have been it."""
    agent_tokens = max(row["agent_tokens"], 1)
    share = f"{100 * row['duplicated_tokens'] / agent_tokens:.0f} % of it sent before in the row"
    if row["slice"]:
        share = f"{100 * row['slice_tokens'] / agent_tokens:.0f} % of it {PARTS[row['slice']]}, {share}"
    calls = f"{row['calls']} call{'s' if row['calls'] != 1 else ''}"
    why = f"{row['agent']} took {row['agent_tokens']:,} tokens in {calls}, {share}"
    of_known = f" of the rows whose cost is known (of {unranked:,} it is not)" if unranked else ""
    return Text(one_line(f"most{of_known}: {row['multiplier']:.2f}x in row {row['row_id']} (line {row['row']}): {why}"))


def _made_of(summary: Mapping[str, Any]) -> Iterator[Line]:
    """Yield what the tokens of each arm are made of, the largest part first."""
    for arm, tokens_by_part in summary["made_of"].items():
        total = sum(tokens_by_part.values())
        largest_first = sorted(((tokens, part) for part, tokens in tokens_by_part.items() if tokens), reverse=True)
        shares = ", ".join(f"{100 * tokens / total:.0f} % {PARTS[part]}" for tokens, part in largest_first)
        if shares:
            yield ("made of", shares) if arm == "fanout" else ("", f"one agent: {shares}")


# The tables -----------------------------------------------------------------------------------------


def _agents(agents: Iterable[AgentAccount]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("agent", "model", "channel"):
        table.add_column(name)
    for name in ("calls", "in", "written", "read", "out", "cost"):
        table.add_column(name, justify="right")
    for agent in agents:
        table.add_row(
            Text(agent_name(agent.arm, agent.agent)),
            agent.model,
            agent.channel,
            f"{agent.attempts:,}",
            *token_cells(agent.usage, agent.unknown),
            with_unknown(money(usd_text(agent.cost)), agent.cost, agent.unknown),
        )
    return table


def _slices(slices: Iterable[SliceAccount]) -> Table:
    """Return what was sent to whom."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("sent to", "its slice"):
        table.add_column(name, overflow="fold")
    for name in ("tokens a call", "sent before", "read", "written", "fresh"):
        table.add_column(name, justify="right")
    for slice_ in slices:
        total, without = slice_.tokens, slice_.uncounted  # an answered call has some, where they are known
        a_call = f"{total / slice_.counted:,.0f}{f' ({without:,} unknown)' if without else ''}" if total else "unknown"
        counts = (slice_.repeated, slice_.read, slice_.written, slice_.fresh)
        table.add_row(
            Text(agent_name(slice_.arm, slice_.agent)),
            Text(one_line(", ".join((*slice_.blocks, *slice_.fields)))),
            a_call,
            *(f"{100 * count / total:.0f} %" if total else "unknown" for count in counts),
        )
    return table


def _failures(failures: Iterable[FailedTask], total: int) -> Table:
    table = Table(
        title=f"failed tasks ({total})", title_justify="left", title_style="bold red", box=None, pad_edge=False
    )
    for name in ("row", "task", "error", "message", "paid for the row"):
        table.add_column(name, overflow="fold")
    for failure in failures:
        arm = "" if failure.arm == "fanout" else " (baseline)"
        message = failure.message
        if len(message) > MOST_MESSAGE:
            message = f"{message[: MOST_MESSAGE - 3]}..."
        table.add_row(
            Text(one_line(f"{failure.row_id} (line {failure.row}){arm}")),
            Text(one_line(failure.task)),
            Text(one_line(failure.kind)),
            Text(one_line(message)),
            with_unknown(money(usd_text(failure.paid)), failure.paid, failure.unknown),
        )
    return table
