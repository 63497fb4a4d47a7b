"""Words and amounts that the terminal and the page have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from fanwise.pricing.usage import Usage
from fanwise.units import usd_text

LEVERS = {
    "models": "own models", "slices": "slices", "cache": "cache", "batch": "batches", "equal": "equal work paid once",
}  # fmt: skip
PARTS = {
    "instructions": "instructions", "context": "context", "row": "data of the row",
    "upstream": "outputs of other tasks", "conversation": "conversation", "outputs": "answers",
}  # fmt: skip
"""What tokens are made of."""
OWN_BASELINE = (
    "the graph has one agent, so its calls are the single agent's: 1.00 times the tokens and 1.00 times the dollars;"
    " nothing was asked twice"
)
NONE_LEFT_OUT = {"attempts": 0, "tokens": 0, "attempts_of_unknown_tokens": 0}
"""What a figure leaves out of which an earlier version has not said it."""
CHANNEL_REASONS = {
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


def at_least(text: str | None, unknown: int) -> str:
    """Return a dollar amount for people, with how many attempts are not in it."""
    return with_unknown(money(text), bool(text and Decimal(text)), unknown)


def with_unknown(text: str, cost: int, unknown: int) -> str:
    """Return an amount with how many attempts are not in it: `at least $0.12 (3 unknown)`; `unknown` without any."""
    if not unknown:
        return text
    return f"at least {text} ({unknown:,} unknown)" if cost else "unknown"


def left_out_of(leaves_out: Mapping[str, int], whole: str) -> str:
    """Return in words what a figure leaves out for want of a price; empty where that is nothing.

    Args:
        leaves_out: As `ledger.unpriced` has it.
        whole: The figure, as the end of the sentence has it.
    """
    if not leaves_out["attempts"]:
        return ""
    return f"{of_unknown_cost(leaves_out)} {'is' if leaves_out['attempts'] == 1 else 'are'} not in {whole}"


def of_unknown_cost(leaves_out: Mapping[str, int]) -> str:
    """Return in words attempts without a known price, with their tokens as far as these are known."""
    attempts, tokens, uncounted = (leaves_out[name] for name in NONE_LEFT_OUT)
    known = f"{tokens:,} tokens" if tokens or not uncounted else ""
    unknown = f"the tokens of {uncounted:,} are unknown" if uncounted else ""
    counted = ", ".join(filter(None, (known, unknown)))
    return f"{attempts:,} attempt{'s' if attempts != 1 else ''} of unknown cost ({counted})"


def may_have_cost(bound: str | None, shown: Callable[[str], str] = money) -> str:
    """Return in words what attempts of unknown cost may have cost at most.

    Args:
        bound: Dollars; None: no bound is known.
        shown: How dollars are shown.
    """
    return "may have cost any amount" if bound is None else f"may have cost up to {shown(bound)} more"


def token_cells(usage: Usage, unknown: int) -> list[str]:
    """Return the cells of a table for input, written, read and output tokens; `unknown` where nothing is known of them.

    Args:
        usage: What is known.
        unknown: Attempts of which the cost, and so perhaps these, are not known.
    """
    written = usage.cache_write_5m + usage.cache_write_1h
    counts = (usage.input, written, usage.cache_read, usage.output)
    return ["unknown" if unknown and not any(counts) else f"{count:,}" for count in counts]


def choice_lines(choices: Iterable[Mapping[str, Any]], replaced: int = 0) -> Iterator[str]:
    """Yield why calls took their channel, where that was chosen: agents of which it was one thing in one line.

    Args:
        choices: Of the account.
        replaced: Requests that count no more; calls are counted over all that were ever sent, these among them.
    """
    ever = f", of all that were ever sent, {replaced:,} replaced requests among them" if replaced else ""
    names_by_reason: dict[str, list[str]] = {}
    for choice in choices:
        name = agent_name(choice["side"], choice["agent"])
        if len(choice["took"]) == 1:
            names_by_reason.setdefault(_reason(choice["took"][0]), []).append(name)
        else:
            counted = ", ".join(f"{way['calls']:,} {_reason(way)}" for way in choice["took"])
            yield f"channel of {name}: {counted}{ever}{_last_prices(choice['expected'])}"
    for reason, names in names_by_reason.items():
        yield f"channel of {', '.join(names)}: {reason}"


def _reason(way: Mapping[str, Any]) -> str:
    """Return in words a channel that was taken, and why."""
    return f"{'by batch' if way['channel'] == 'batch' else 'live'} {CHANNEL_REASONS[way['why']]}"


def _last_prices(expected: Mapping[str, int]) -> str:
    """Return what the last choice went by; empty where one of the prices was not known."""
    live, batch = expected.get("live"), expected.get("batch")
    if not live or not batch:
        return ""
    return f"; the last was expected to cost {money(usd_text(live))} live, {money(usd_text(batch))} by batch"
