"""The bill: prices by the page, exact, and what is on it."""

from __future__ import annotations

from datetime import UTC, datetime

import anthropic
import pytest
from anthropic import Anthropic
from sending import BODY, HI, MODEL, Send, answered

from fanwise.emulator import Emulator
from fanwise.emulator.charges import Tokens, price
from fanwise.emulator.tables import MODELS

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
MILLION = 1_000_000
DOLLAR = 10**12
PAGE = {
    # dollars per million tokens of input, output, 5m write, 1h write, read: the page's own columns
    "claude-fable-5-2": (8, 40, 10, 16, 0.20), "claude-mythos-5-2": (8, 40, 10, 16, 0.20),
    "claude-fable-5-1": (10, 50, 12.5, 20, 0.25), "claude-mythos-5-1": (10, 50, 12.5, 20, 0.25),
    "claude-fable-5": (10, 50, 12.5, 20, 1), "claude-mythos-5": (10, 50, 12.5, 20, 1),
    "claude-opus-5-5": (4, 20, 5, 8, 0.20), "claude-opus-5": (5, 25, 6.25, 10, 0.50),
    "claude-opus-4-8": (5, 25, 6.25, 10, 0.50), "claude-opus-4-7": (5, 25, 6.25, 10, 0.50),
    "claude-opus-4-6": (5, 25, 6.25, 10, 0.50), "claude-opus-4-5": (5, 25, 6.25, 10, 0.50),
    "claude-sonnet-5-5": (2, 10, 2.5, 4, 0.10), "claude-sonnet-5": (2, 10, 2.5, 4, 0.20),
    "claude-sonnet-4-6": (3, 15, 3.75, 6, 0.30), "claude-sonnet-4-5": (3, 15, 3.75, 6, 0.30),
    "claude-haiku-4-5": (1, 5, 1.25, 2, 0.10),
}  # fmt: skip


@pytest.mark.rule("price-table", "price-writes")
def test_every_price_of_the_page() -> None:
    assert set(PAGE) | {"claude-haiku-5-5"} == set(MODELS)
    for name, dollars in PAGE.items():
        kinds = (
            {"input": MILLION},
            {"output": MILLION},
            {"write_5m": MILLION},
            {"write_1h": MILLION},
            {"read": MILLION},
        )
        prices = tuple(price(name, NOW, Tokens(**kind), batch=False) / DOLLAR for kind in kinds)
        assert prices == dollars, name
    day = datetime(2026, 10, 6, 12, tzinfo=UTC).timestamp()
    assert price("claude-sonnet-5-5", day, Tokens(read=MILLION), batch=False) == 0.2 * DOLLAR


@pytest.mark.rule("price-cliff")
def test_haiku_costs_five_times_as_much_for_long_prompts() -> None:
    def haiku(**tokens: int) -> int:
        return price("claude-haiku-5-5", NOW, Tokens(**tokens), batch=False)

    assert haiku(input=100_000, output=10) == 100_000 * 100_000 + 10 * 500_000
    assert haiku(input=100_001, output=10) == 5 * (100_001 * 100_000 + 10 * 500_000)
    assert haiku(read=100_001) == 5 * 100_001 * 10_000, "reads are part of the prompt"


@pytest.mark.rule("price-factors")
def test_factors_multiply() -> None:
    tokens = Tokens(10, 20, 30, 40, 50)
    plain = price("claude-opus-5-5", NOW, tokens, batch=False)
    assert price("claude-opus-5-5", NOW, tokens, batch=True) * 2 == plain
    assert price("claude-opus-5-5", NOW, tokens, batch=False, geo="us") * 10 == plain * 11
    assert price("claude-opus-5-5", NOW, tokens, batch=False, fast=True) == plain * 2
    assert price("claude-opus-5-5", NOW, tokens, batch=False, geo="us", fast=True) * 10 == plain * 22
    assert price("claude-opus-5-5", NOW, tokens, batch=False, geo="global") == plain


@pytest.mark.rule("bill-lost")
def test_a_lost_reply_is_billed(client: Anthropic, emulator: Emulator, send: Send) -> None:
    emulator.fault(lost=True, count=1)
    with pytest.raises(anthropic.APIConnectionError):
        client.messages.create(model=MODEL, max_tokens=5, messages=HI)
    assert emulator.bill()["totals"]["entries"] == 1
    emulator.fault(malformed=True, count=1)
    assert "raw" in send("/v1/messages", BODY)[1], "no JSON"
    assert emulator.bill()["totals"]["entries"] == 2
    assert answered(send)["type"] == "message", "both faults are used up"


def test_the_bill_is_by_run_and_names_every_request(emulator: Emulator, send: Send) -> None:
    usages = [answered(send, metadata={"user_id": run})["usage"] for run in ("one", "two", "one")]
    all_runs, one_run = emulator.bill(), emulator.bill("one")
    for entry, usage in zip(all_runs["entries"], usages, strict=True):
        assert entry["usage"] == {name: usage[name] for name in entry["usage"]}
    assert (all_runs["totals"]["entries"], one_run["totals"]["entries"], all_runs["simulated"]) == (3, 2, True)
    assert all_runs["totals"]["pico"] == sum(entry["pico"] for entry in all_runs["entries"])
    assert {entry["id"][:4] for entry in one_run["entries"]} == {"req_"}
    assert one_run["totals"]["usd"] == f"{one_run['totals']['pico'] / DOLLAR:.12f}".rstrip("0")


def test_a_refused_request_is_not_on_the_bill(emulator: Emulator, send: Send) -> None:
    assert send("/v1/messages", {**BODY, "max_tokens": -1})[0] == 400
    emulator.fault(status=529, count=1)
    assert send("/v1/messages", BODY)[0] == 529
    assert emulator.bill()["totals"] == {
        "entries": 0, "input": 0, "write_5m": 0, "write_1h": 0, "read": 0, "output": 0, "pico": 0, "usd": "0"
    }  # fmt: skip
