"""What is taken of another run brings its part of what was written to the cache there, over HTTP to the emulator."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from fanwise import Block, Emulator, Job, agent, graph
from support import fanwise, lines

GUIDE = Block("guide", "Keep to every rule of this guide, and to its spirit too. " * 900)
FIGURES = ("cost_usd", "fanout_usd", "baseline_usd", "cost_per_successful_row_usd")


class Letter(BaseModel):
    id: str
    body: str


@agent(model="claude-haiku-5-5", context=[GUIDE])
def sort(body: str) -> str:
    """Say what it is about."""
    return f"about {body}"


@agent(model="claude-sonnet-5-5", context=[GUIDE])
def draft(body: str, topic: str) -> str:
    """Draft an answer."""
    return f"{topic}: {body}"


@agent(model="claude-haiku-5-5", context=[GUIDE], pack=3)
def packed(body: str) -> str:
    """Say what it is about."""
    return f"about {body}"


@graph
def desk(letter: Letter) -> str:
    return draft(letter.body, sort(letter.body))


@graph
def packing(letter: Letter) -> str:
    return packed(letter.body)


@pytest.fixture
def url() -> Iterator[str]:
    """An emulator of its own: what another test has written to its cache would be read here."""
    with Emulator() as emulator:
        yield emulator.url


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")


def ran(out: Path, url: str, bodies: Sequence[str], flow: Any = desk, **fields: Any) -> dict[str, Any]:
    rows = [{"id": f"r{number}", "body": body} for number, body in enumerate(bodies)]
    return Job(flow, rows=rows, out=out, base_url=url, **{"channel": "live", **fields}).run_sync().summary


def figures(summary: dict[str, Any]) -> list[Any]:
    """Return what has to be the same; which row was billed for a write is another matter."""
    multiplier = summary["multiplier"] or {}
    return [multiplier.get("usd"), multiplier.get("tokens"), *(summary[figure] for figure in FIGURES)]


def by_row(out: Path) -> list[Decimal]:
    return [Decimal(line["cost_with_shared_usd"]) for line in lines(out / "results.jsonl")]


@pytest.mark.parametrize("channel", ["live", "batch", "auto"])
@pytest.mark.parametrize(
    "how", [{"baseline": "none"}, {"baseline": "auto"}, {"baseline": "auto", "sample": 3}], ids=["none", "all", "some"]
)
@pytest.mark.parametrize("flow", [desk, packing], ids=["single", "packed"])
def test_who_takes_all_has_the_same_figures(
    tmp_path: Path, url: str, channel: str, how: dict[str, Any], flow: Any
) -> None:
    """Also who takes them of the one that has taken them."""
    first = ran(tmp_path / "first", url, "abcdefg", flow, channel=channel, **how)
    for name, other in (("second", "first"), ("third", "second")):
        taken = ran(tmp_path / name, url, "abcdefg", flow, channel=channel, reuse_from=[tmp_path / other], **how)
        assert taken["cash"]["attempts"] == 0
        assert figures(taken) == figures(first)
        if flow is desk:
            assert by_row(tmp_path / name) == by_row(tmp_path / "first")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 2)), min_size=1, max_size=9),
    st.sampled_from([desk, packing]),
    st.sampled_from(["live", "batch"]),
)
def test_disjoint_parts_sum_to_what_was_paid_there(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int]], flow: Any, channel: str
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    with Emulator() as emulator:
        check_parts(folder, emulator.url, rows, flow, channel)


def check_parts(folder: Path, url: str, rows: list[tuple[str, int]], flow: Any, channel: str) -> None:
    part_of = dict(rows)
    first = ran(folder / "first", url, [body for body, _ in rows], flow, channel=channel)
    parts = Decimal(0)
    for part in set(part_of.values()):
        out, bodies = folder / str(part), [body for body, _ in rows if part_of[body] == part]
        after = ran(out, url, bodies, flow, channel=channel, reuse_from=[folder / "first"])
        assert (after["cash"]["attempts"], after["cost_usd"]) == (0, after["cash"]["taken"]["usd"])
        assert sum(by_row(out)) == Decimal(after["fanout_usd"])
        assert Decimal(after["floor_usd"]) <= Decimal(after["fanout_usd"])
        parts += Decimal(after["cost_usd"])
    assert parts == Decimal(first["cost_usd"]) == Decimal(first["cash"]["paid_usd"])


def test_a_few_rows_cost_what_they_cost_there(tmp_path: Path, url: str) -> None:
    """Found: two rows of six had read what a third had written, at the price of the reading: 1.98 times one agent."""
    first = ran(tmp_path / "first", url, "abcdef", baseline="auto")
    last = ran(tmp_path / "last", url, "ef", baseline="auto", reuse_from=[tmp_path / "first"])
    assert by_row(tmp_path / "last") == by_row(tmp_path / "first")[4:]
    (run,) = last["cash"]["taken"]["from"]
    assert 0 < Decimal(run["shared_usd"]) < Decimal(run["usd"])
    assert run["row_cache_read_tokens"] == 0
    assert last["multiplier"]["usd"]["ratio"] == pytest.approx(first["multiplier"]["usd"]["ratio"], rel=0.01)
    assert "as their part of what was cached there for all rows" in fanwise("report", tmp_path / "last").stdout


def test_rows_that_are_asked_here_alone_bear_what_is_written_here(tmp_path: Path, url: str) -> None:
    ran(tmp_path / "first", url, "abcdef")
    mixed = ran(tmp_path / "mixed", url, "abxy", reuse_from=[tmp_path / "first"])
    there, here = by_row(tmp_path / "first"), by_row(tmp_path / "mixed")
    assert here[:2] == there[:2]
    assert sum(here[2:]) == Decimal(mixed["cash"]["paid_usd"])


@pytest.mark.parametrize("wrong", ["UPDATE attempts SET job_share='much'", "UPDATE attempts SET sent=1e300"])
def test_a_run_of_which_no_account_can_be_made_is_said(tmp_path: Path, url: str, wrong: str) -> None:
    ran(tmp_path / "first", url, "abc")
    with closing(sqlite3.connect(tmp_path / "first" / "journal.db")) as db:
        db.execute(f"{wrong} WHERE agent='sort'")
        db.commit()
    after = ran(tmp_path / "second", url, "abc", reuse_from=[tmp_path / "first"])
    assert {line["status"] for line in lines(tmp_path / "second" / "results.jsonl")} == {"succeeded"}
    assert any("no account can be made of" in note for note in after["notes"])
