"""Batches read a prefix that a batch of one request wrote before; where that does not pay, nothing is marked."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from fanwise import Block, Emulator, Job, agent, graph
from fanwise.context.frame import Frame
from fanwise.context.parts import Part, Prefix
from fanwise.context.request import Request
from fanwise.dispatch.errand import Ask, Errand
from fanwise.dispatch.prefixes import Prefixes, sharers
from fanwise.dispatch.primer import Primer
from fanwise.dispatch.queue import Queue
from fanwise.dispatch.role import Role
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer
from fanwise.job.account import Account
from fanwise.job.job import resume
from fanwise.journal.sqlite import SqliteJournal
from fanwise.pricing.usage import Usage
from fanwise.units import now, pico_from_usd
from support import read_only

MODEL = "claude-opus-5-5"
ROLE = Role(arm="fanout", agent="a", model=MODEL)
GUIDE = Block("guide", "Keep to every rule of this guide. " * 300)  # about 4,000 tokens


class Row(BaseModel):
    id: str
    text: str


@agent(model=MODEL, context=[GUIDE], max_tokens=50)
def first(text: str) -> str:
    """Read the text."""
    return f"read: {text}"


@agent(model="claude-haiku-5-5", max_tokens=50)
def plain(text: str) -> str:
    """Read the text too."""
    return "seen"


@agent(model=MODEL, context=[GUIDE], max_tokens=50)
def second(first: str, plain: str) -> str:
    """Read what was read."""
    return f"{first}, {plain}"


@agent(model=MODEL, context=[GUIDE], max_tokens=50)
def third(text: str) -> str:
    """Read it a third time, by the guide."""
    return "third"


@graph
def at_once(row: Row) -> tuple[str, str]:
    return first(row.text), third(row.text)


@graph
def twice(row: Row) -> str:
    return second(first(row.text), plain(row.text))


def rows(count: int) -> list[Row]:
    return [Row(id=str(number), text=f"text {number}") for number in range(count)]


def batches(out: Path) -> list[tuple[int, int, int, int]]:
    """Size of each batch in order, tokens written for an hour, written for five minutes, read."""
    query = """SELECT COUNT(*), SUM(cache_write_1h), SUM(cache_write_5m), SUM(cache_read) FROM paid
      GROUP BY intent ORDER BY intent"""
    with read_only(out / "journal.db") as db:
        return [tuple(row) for row in db.execute(query)]


def carried_out(out: Path, count: int = 40, **options: Any) -> Account:
    return Job(twice, rows=rows(count), out=out, channel="batch", **options).run_sync()


def test_one_request_writes_for_an_hour_and_the_rest_reads(tmp_path: Path) -> None:
    account = carried_out(tmp_path / "run").summary
    assert account["rows"]["succeeded"] == 40
    assert account["cost_usd"] == account["bill_usd"]
    sizes = batches(tmp_path / "run")
    assert sizes[0][0] == 1, "the leader travels alone"
    assert sizes[0][1] > 4_000
    assert sum(written for _, written, _, _ in sizes[1:]) < 200, "what is behind the guide alone, for the other agent"
    assert sum(five for _, _, five, _ in sizes) == 0
    assert account["cache"]["reads"] >= 78
    assert account["input_over_floor"] < 1.2


def test_agents_that_begin_at_once_have_their_front_written_once(tmp_path: Path) -> None:
    """Found: four agents behind one guide wrote it four times, an hour each, and paid more than live calls."""
    account = Job(at_once, rows=rows(40), out=tmp_path / "run", channel="batch").run_sync().summary
    assert account["rows"]["succeeded"] == 40
    assert account["cost_usd"] == account["bill_usd"]
    sizes = batches(tmp_path / "run")
    assert [size for size, *_ in sizes[:1]] == [1], "the leader travels alone"
    assert sizes[0][1] > 4_000
    assert sum(written for _, written, _, _ in sizes[1:]) < 200, "what is behind the guide alone, for the other agent"
    assert account["cache"]["reads"] == 79


def test_a_leader_that_does_not_come_hands_its_front_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    with Emulator(answer=answerer(build_arms({"fanout": at_once.spec}))) as emulator:
        emulator.fault(item="errored", count=2, match="Read")
        account = Job(
            at_once, rows=rows(20), out=tmp_path / "run", channel="batch", base_url=emulator.url
        ).run_sync().summary  # fmt: skip
    assert account["rows"]["succeeded"] == 20
    assert account["attempts"]["failed"] == 2
    assert sum(written > 4_000 for _, written, _, _ in batches(tmp_path / "run")) == 1


def test_a_job_too_small_to_wait_for_sends_no_breakpoint(tmp_path: Path) -> None:
    account = carried_out(tmp_path / "run", 1).summary
    assert account["cache"]["writes"] == account["cache"]["reads"] == 0


@pytest.mark.parametrize("channel", ["batch", "auto"])
def test_more_rows_never_cost_less_in_all_nor_more_a_row(tmp_path: Path, channel: str) -> None:
    """Found by plans of one file repeated: a cent had to be saved first, so that 400 rows cost less than 200."""
    spent: dict[int, int] = {}
    for count in (1, 2, 3, 4, 6, 40):
        equal = [Row(id=f"row {number:03}", text="text") for number in range(count)]
        out = tmp_path / str(count)
        account = Job(twice, rows=equal, out=out, channel=channel).run_sync().summary
        spent[count] = pico_from_usd(account["cost_usd"])
    for (few, less), (many, more) in pairwise(spent.items()):
        assert less <= more, spent
        assert more * few <= less * many, spent


def shares(*prefixes: tuple[str, int]) -> list[Prefix]:
    return [Prefix(key * 16, tokens, True) for key, tokens in prefixes]


def test_nodes_that_share_only_the_front_count_as_that_part_of_a_reader() -> None:
    first_node, second_node = shares(("a", 3_000), ("b", 4_000)), shares(("a", 3_000), ("c", 6_000))
    counts = sharers([first_node, second_node, shares(("d", 500)), []])
    assert counts == {"b" * 16: 1.75, "c" * 16: 1.5, "d" * 16: 1.0}


def test_a_leader_that_fails_hands_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    with Emulator(answer=answerer(build_arms({"fanout": twice.spec}))) as emulator:
        emulator.fault(item="expired", count=1, match="Read the text.")
        account = carried_out(tmp_path / "run", base_url=emulator.url).summary
    assert account["rows"]["succeeded"] == 40
    assert account["attempts"]["failed"] == 1
    first_batches = batches(tmp_path / "run")[:2]
    assert [size for size, *_ in first_batches] == [1, 1], "the next one leads, alone as well"


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_what_is_warm_is_known_to_the_next_session(tmp_path: Path, anyio_backend: str) -> None:
    await Job(twice, rows=rows(80), out=tmp_path / "run", channel="batch", limit=40).run()
    before = len(batches(tmp_path / "run"))
    account = await resume(tmp_path / "run", graph=twice, limit=80)
    assert account.summary["rows"]["succeeded"] == 80
    assert batches(tmp_path / "run")[before][0] > 1, "nobody leads again"
    assert account.summary["cost_usd"] == account.summary["bill_usd"]


def journal(tmp_path: Path) -> SqliteJournal:
    return SqliteJournal(tmp_path / "journal.db")


def errand(number: int = 0) -> Errand:
    system = (Part("Keep to the rules. " * 900, True),)
    frame = Frame(model=MODEL, max_tokens=50, thinking="adaptive", effort="low", system=system)
    request = Request(frame=frame, content=(Part("Hi"),))
    return Errand(role=ROLE, asks=(Ask(f"k{number}", 1, "n", "n"),), compose=lambda _: request)


def waiting(store: SqliteJournal, count: int = 500) -> tuple[Primer, Queue, str]:
    """Return a primer whose queue holds so many errands with one prefix, and its key."""
    prefixes = Prefixes()
    queue = Queue(prefixes.key)
    for number in range(count):
        queue.put(errand(number))
    return Primer(store, prefixes, queue, lambda: 0), queue, prefixes.key(errand())


def test_errands_wait_for_the_one_that_writes_their_prefix(tmp_path: Path) -> None:
    store = journal(tmp_path)
    primer, queue, prefix = waiting(store, 0)
    assert primer.way(errand()) == "plain", "nobody else is there to read it"
    for number in range(500):
        queue.put(errand(number))
    assert primer.way(queue.first()) == "lead"
    queue.take(prefix)
    while queue:
        assert primer.way(queue.first()) == "wait"
        queue.hold(prefix)
    assert (queue.total, queue.waiting(prefix)) == (499, 499)
    primer.answered(prefix, Usage(cache_write_1h=7_000), now().timestamp(), led=True)
    assert len(queue) == 499 and primer.way(queue.first()) == "read"
    store.close()


def test_reads_that_turn_out_to_be_rare_end_the_marking(tmp_path: Path) -> None:
    store = journal(tmp_path)
    primer, _, prefix = waiting(store)
    assert primer.way(errand()) == "lead"
    assert primer.way(errand()) == "wait"
    primer.answered(prefix, Usage(cache_write_1h=7_000), now().timestamp(), led=True)
    assert primer.way(errand()) == "read"
    for _ in range(3):
        primer.answered(prefix, Usage(cache_write_5m=7_000), now().timestamp(), led=False)
    assert primer.way(errand()) == "read", "a third of the reads still pays"
    for _ in range(40):
        primer.answered(prefix, Usage(cache_write_5m=7_000), now().timestamp(), led=False)
    assert primer.way(errand()) == "plain", "below 22 % a marker costs more than none"
    store.close()


def test_an_entry_that_is_too_old_is_written_again(tmp_path: Path) -> None:
    store = journal(tmp_path)
    primer, _, prefix = waiting(store)
    primer.way(errand())
    primer.answered(prefix, Usage(cache_write_1h=7_000), now().timestamp() - 3_600, led=True)
    assert primer.way(errand()) == "lead"
    store.close()


def test_a_prefix_that_is_not_cached_is_never_marked_again(tmp_path: Path) -> None:
    store = journal(tmp_path)
    primer, _, prefix = waiting(store)
    primer.way(errand())
    primer.answered(prefix, Usage(input=7_000), now().timestamp(), led=True)
    assert primer.way(errand()) == "plain"
    store.close()
