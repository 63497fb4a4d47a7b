"""The account is of the graph and of the rows as they are now: after edit and resume it is that of a fresh run."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, Phase, event, example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from fanwise import Block, Job, agent, graph, optional, report, resume, step
from fanwise.graph.graphs import Graph
from fanwise.rendering.cash import paid_in_all
from support import billed, fanwise, read_only, stored_bill

NOT_OF_THE_ACCOUNT = ("run_id", "created", "graph", "wall_s", "sessions", "notes", "cash", "bill_usd", "choices")
"""Of a summary: ids and times, what sessions had to say, and cash."""


class Letter(BaseModel):
    id: str
    body: str


@step
def known(body: str) -> str:
    if body.startswith("bad"):
        raise ValueError("not known")
    return body.upper()


ROWS = tuple((f"l{number}", f"{'bad ' * (number == 2)}letter {number}") for number in range(6))
"""Ids and bodies; a step fails on one of them."""


@dataclass(frozen=True)
class State:
    """What may be edited between two sessions."""

    prompt: str = "Say what it is about."
    model: str = "claude-haiku-5-5"
    guide: str = "Keep to the house style."
    reviewed: bool = False
    rows: tuple[tuple[str, str], ...] = ROWS

    def graph(self) -> Graph[..., Any]:
        """Four agents, two of which see what the first says, and a step that may fail."""

        def sort(body: str) -> str:
            return f"about {len(body)}"

        def draft(body: str, topic: str) -> str:
            """Draft an answer."""
            return f"{topic}: {body[:4]}"

        def sign(text: str) -> str:
            """Sign it."""
            return f"{text}, yours"

        def review(body: str, text: str) -> str:
            """Look it over."""
            return f"fine: {text[:2]}"

        sort.__doc__ = self.prompt
        guide = Block("guide", self.guide)
        sorting = agent(model=self.model, context=[guide])(sort)
        drafting = agent(model="claude-sonnet-5-5", context=[guide])(draft)
        signing = agent(model="claude-haiku-5-5")(sign)
        reviewing = agent(model="claude-haiku-5-5")(review)

        def plain(letter: Letter) -> list[str | None]:
            text = drafting(letter.body, sorting(letter.body))
            return listed(optional(known(letter.body)), signing(text))

        def reviewed(letter: Letter) -> list[str | None]:
            text = drafting(letter.body, sorting(letter.body))
            return listed(optional(known(letter.body)), reviewing(letter.body, text))

        return graph(reviewed if self.reviewed else plain)

    def write(self, path: Path) -> Path:
        """The rows, as JSON lines."""
        path.write_text("".join(f"{json.dumps({'id': name, 'body': body})}\n" for name, body in self.rows))
        return path


@step
def listed(first: str | None, second: str) -> list[str | None]:
    return [first, second]


START = State()
CACHED = replace(START, guide="Keep to every rule of the house style. " * 500)
"""A guide that is long enough for the cache: what wrote it may count no more while it is read."""
NEW = (("l9", "a letter in front"), ("l8", "a second one"), ("l7", "a third one"))
"""Rows that are put in front: those that were last come to lines that were not there before."""


def edits_of(start: State) -> dict[str, State]:
    """What may become of a state, by what is edited.

    Two agents on one model would share the guide, and the answers that stay were asked without that.
    """
    return {
        "prompt": replace(start, prompt="Say in two words what it is about."),
        "model": replace(start, model="claude-sonnet-5-5" if start is START else "claude-opus-5-5"),
        "block": replace(start, guide=f"Keep to it, too: {start.guide}"),
        "an agent for another": replace(start, reviewed=True),
        "rows": replace(start, rows=(*NEW, start.rows[2], start.rows[1], ("l3", "another letter"), *start.rows[4:])),
        "first row": replace(start, rows=start.rows[1:]),
    }


EDITS = edits_of(START)


def carried_out(state: State, folder: Path, *, again: bool = False, **fields: Any) -> dict[str, Any]:
    """The summary of a session on a state, embedded."""
    rows = state.write(folder / "rows.jsonl")
    if again:
        return anyio.run(lambda: resume(folder / "run", graph=state.graph(), **fields)).summary
    fields = {"baseline": "auto", "channel": "live"} | fields
    return Job(state.graph(), rows=rows, out=folder / "run", slots=1, seed=1, **fields).run_sync().summary


def account(summary: dict[str, Any]) -> dict[str, Any]:
    return {name: figure for name, figure in json.loads(json.dumps(summary)).items() if name not in NOT_OF_THE_ACCOUNT}


def results(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "run" / "results.jsonl").read_text().splitlines()]


def folders(tmp_path: Path) -> tuple[Path, Path]:
    edited, fresh = tmp_path / "edited", tmp_path / "fresh"
    edited.mkdir()
    fresh.mkdir()
    return edited, fresh


@pytest.mark.parametrize("channel", ["live", "batch"])
@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize("start", [START, CACHED], ids=["plain", "cached"])
def test_after_edit_and_resume_every_figure_is_that_of_a_fresh_run(
    tmp_path: Path, name: str, channel: str, start: State
) -> None:
    """A prompt was edited and the run resumed: the multiplier went from 2.56 to 1.55, as both answers were counted.

    With a guide in the cache it said 0.77 where a fresh run said 1.07: what had written it counted no more.
    """
    edited, fresh = folders(tmp_path)
    edit = edits_of(start)[name]
    first = carried_out(start, edited, channel=channel)
    after = carried_out(edit, edited, again=True)
    expected = carried_out(edit, fresh, channel=channel)
    accounts, rows = [account(after), account(expected)], [results(edited), results(fresh)]
    if start is CACHED and "row" in name:  # which row has the write in it is a matter of who was sent first
        for summary in accounts:
            del summary["multiplier"]["usd_as_paid"]
        for figure in ("floor_usd", "input_over_floor"):  # what is left of a division goes with it
            after_edit, fresh_run = (float(summary.pop(figure)) for summary in accounts)
            assert after_edit == pytest.approx(fresh_run, rel=2e-6)
        for row in (*rows[0], *rows[1]):
            del row["cost_usd"], row["multiplier"]["usd_as_paid"]
    assert accounts[0] == accounts[1]
    assert rows[0] == rows[1]
    cash = after["cash"]
    assert Decimal(after["bill_usd"]) == Decimal(cash["paid_usd"]) == billed(edited / "run")
    assert Decimal(cash["paid_usd"]) > Decimal(after["cost_usd"])
    assert Decimal(cash["paid_usd"]) >= Decimal(first["cost_usd"])
    parts = Decimal(cash["replaced"]["usd"]) + Decimal(cash["left"]["usd"])
    assert Decimal(after["cost_usd"]) + parts == Decimal(cash["paid_usd"])
    assert bool(cash["left"]["attempts"]) == ("row" in name)
    assert bool(cash["replaced"]["attempts"]) == ("row" not in name)


def sent(folder: Path, arm: str) -> int:
    """How many requests one arm has sent; as many as the emulator has billed."""
    with read_only(folder / "run" / "journal.db") as db:
        arms = [row[0] for row in db.execute("SELECT arm FROM attempts")]
    assert len(arms) == len(stored_bill(folder / "run"))
    return arms.count(arm)


@pytest.mark.parametrize(("name", "baselines"), [("prompt", 6), ("block", 6), ("model", 0), ("rows", 4)])
def test_a_baseline_is_asked_again_only_where_its_own_request_has_changed(
    tmp_path: Path, name: str, baselines: int
) -> None:
    """The model of the single agent is the strongest of the graph, which the edit of another leaves as it is."""
    carried_out(START, tmp_path)
    assert sent(tmp_path, "baseline") == len(ROWS)
    after = carried_out(EDITS[name], tmp_path, again=True)
    assert sent(tmp_path, "baseline") == len(ROWS) + baselines
    assert after["attempts"]["baseline"]["sent"] == after["rows"]["read"]


def test_a_baseline_on_a_sample_has_the_rows_of_a_fresh_run(tmp_path: Path) -> None:
    """Found by a sample of 10 rows that had 15 after rows were appended: the new ones were added to the old."""
    edited, fresh = folders(tmp_path)
    first = carried_out(START, edited, sample=4)
    grown = replace(START, rows=(*ROWS, *((f"n{number}", f"new letter {number}") for number in range(4))))
    after = carried_out(grown, edited, again=True)
    assert account(after) == account(carried_out(grown, fresh, sample=4))
    assert after["attempts"]["baseline"]["sent"] == 4
    asked = sent(edited, "baseline")
    assert 4 < asked < 8, "answers of rows that are in both samples are kept"
    cash = after["cash"]
    assert (cash["unsampled"]["attempts"], cash["replaced"]["attempts"]) == (asked - 4, 0)  # was said to be replaced
    words = f"${Decimal(cash['unsampled']['usd']):,.6f} for one agent on rows that are in its sample no more"
    assert (paid_in_all(after) or "").endswith(f"of it {words}")
    assert Decimal(after["cash"]["paid_usd"]) == billed(edited / "run")
    back = carried_out(START, edited, again=True)
    assert account(back) == account(first)
    names = ("replaced", "left", "unsampled")
    parts = [Decimal(back["cash"][name]["usd"]) for name in names]
    assert Decimal(back["cost_usd"]) + sum(parts) == Decimal(back["cash"]["paid_usd"])
    assert parts[0] == 0
    assert sent(edited, "baseline") == asked, "nothing is asked again when the first rows are back"


def test_what_was_not_changed_is_not_cash_apart(tmp_path: Path) -> None:
    first = carried_out(START, tmp_path)
    again = carried_out(START, tmp_path, again=True)
    assert account(again) == account(first)
    assert again["cash"] == first["cash"]
    assert paid_in_all(again) is None


def test_every_surface_says_what_was_paid_in_all(tmp_path: Path) -> None:
    carried_out(START, tmp_path)
    state = replace(EDITS["prompt"], rows=(*ROWS[:3], ("l3", "another letter"), ROWS[4]))
    cash = carried_out(state, tmp_path, again=True)["cash"]
    parts = cash["replaced"], cash["left"]["removed"], cash["left"]["changed"]
    replaced, removed, changed = (f"${Decimal(part['usd']):,.6f}" for part in parts)
    words = (
        f"aid in all ${Decimal(cash['paid_usd']):,.6f}, of it"
        f" {replaced} for answers that were replaced or are needed no more,"
        f" {removed} for rows that left the file"
        f" and {changed} for rows as they were before they were changed"
    )
    assert "$0.000000" not in words
    shown = fanwise("report", tmp_path / "run")
    assert words in " ".join(shown.stdout.split())
    assert words in " ".join(report(tmp_path / "run").html().split())
    assert "equal to the ledger" in shown.stdout
    (tmp_path / "fresh").mkdir()
    fresh = carried_out(state, tmp_path / "fresh")
    a_row = f"${Decimal(fresh['cost_per_successful_row_usd']):,.6f} as rows and graph are now"
    assert a_row in shown.stdout, "what was paid in all is in no figure of a row"


def test_an_earlier_versions_cash_is_said_as_it_was_kept() -> None:
    part = {"attempts": 2, "usd": "0.5", "attempts_of_unknown_cost": 0}
    none = {"attempts": 0, "usd": None, "attempts_of_unknown_cost": 0}
    cash = {"paid_usd": "2", "lost": 0, "unpriced_attempts": 0, "replaced": none, "left": part}
    words = "paid in all $2.000000, of it $0.500000 for rows that left the file or were changed"
    assert paid_in_all({"cash": cash}) == words


def test_a_row_that_was_not_come_to_since_an_edit_is_unfinished(tmp_path: Path) -> None:
    carried_out(START, tmp_path)
    ended = 2
    halted = carried_out(EDITS["model"], tmp_path, again=True, limit=ended)
    assert len(results(tmp_path)) == ended
    assert halted["rows"]["unfinished"] == len(ROWS) - ended
    assert halted["multiplier"]["rows"] == ended
    assert halted["multiplier"]["left_out"]["unfinished"] == len(ROWS) - ended
    assert halted["attempts"]["baseline"]["sent"] == len(ROWS), "its graph is as it was"
    parts = sum(Decimal(halted["cash"][name]["usd"]) for name in ("replaced", "left"))
    assert Decimal(halted["cost_usd"]) + parts == Decimal(halted["cash"]["paid_usd"]) == billed(tmp_path / "run")


def test_a_row_that_has_moved_stands_once_wherever_the_session_is_halted(tmp_path: Path) -> None:
    """A row that was last came first, and the session ended before its old line was read: it stood there, at $0."""
    carried_out(replace(START, rows=ROWS[:3]), tmp_path)
    halted = carried_out(replace(START, rows=(ROWS[2], *ROWS[:2])), tmp_path, again=True, limit=1)
    assert [row["id"] for row in results(tmp_path)] == ["l2", "l1"]
    assert all(Decimal(row["cost_usd"]) > 0 for row in results(tmp_path))
    assert halted["rows"]["read"] == halted["multiplier"]["rows"] == 2


Rows = tuple[tuple[str, str], ...]
some_row = st.tuples(st.sampled_from("abcdef"), st.sampled_from(["bad news", "good news", "news"]))
some_rows = st.lists(some_row, min_size=1, max_size=4, unique_by=lambda row: row[0]).map(tuple)
places = st.integers(0, 5)
row_edits = st.lists(
    st.one_of(
        st.tuples(st.just("put"), places, some_row), st.tuples(st.just("remove"), places),
        st.tuples(st.sampled_from(["move", "swap"]), places, places),
    ),
    max_size=3,
)  # fmt: skip
graph_edits = st.fixed_dictionaries(
    {},
    optional={
        "prompt": st.sampled_from(["Sort it.", "Say its kind."]), "model": st.just("claude-opus-5-5"),
        "guide": st.sampled_from(["Be kind.", "Be brief."]), "reviewed": st.booleans(),
    },
)  # fmt: skip
edits = st.tuples(row_edits, st.just({}) | graph_edits, st.integers(0, 3))
"""Of the rows, of the graph, where a session is halted: most often the graph stays, as its edit notes every row."""


def with_rows_edited(rows: Rows, edits: Sequence[tuple[Any, ...]]) -> Rows:
    """The rows after each of these edits; a row that is put takes the place of one with its id."""
    lines = list(rows)
    for kind, place, *more in edits:
        at = place % len(lines)
        if kind == "put":
            (row,) = more
            lines = [line for line in lines if line[0] != row[0]]
            lines.insert(place % (len(lines) + 1), row)
        elif kind == "move":
            row = lines.pop(at)
            lines.insert(more[0] % (len(lines) + 1), row)
        elif kind == "swap":
            to = more[0] % len(lines)
            lines[at], lines[to] = lines[to], lines[at]
        elif len(lines) > 1:
            del lines[at]
    return tuple(lines)


TWO_MOVED: Rows = (("e", "bad news"), ("b", "bad news"))
HALTED_AS_THEY_MOVED: list[tuple[Any, dict[str, Any], int]] = [
    ([("move", 2, 5), ("put", 5, ("a", "bad news")), ("put", 3, ("f", "news"))], {}, 2),
    ([("remove", 3), ("put", 0, ("c", "good news"))], {}, 0),
    (
        [("remove", 0), ("put", 1, ("e", "good news")), ("move", 0, 5)],
        {"prompt": "Say its kind.", "guide": "Be kind."}, 2,
    ),
]  # fmt: skip
"""A row came to a line that a session had not read since its row left it."""
FOUR_EQUAL: Rows = (("f", "news"), ("c", "bad news"), ("e", "bad news"), ("d", "news"))
MOVED_AS_ALL_CHANGED: list[tuple[Any, dict[str, Any], int]] = [
    ([], {}, 3),
    (
        [("put", 4, ("a", "bad news")), ("swap", 1, 3), ("swap", 1, 2)],
        {"reviewed": True, "model": "claude-opus-5-5", "guide": "Be kind."}, 0,
    ),
]  # fmt: skip
"""A row that was served by a request of the same session took it for its own: what it had sent before was another's."""

EQUAL_THAT_CAME_LATE: Rows = (("f", "bad news"), ("a", "good news"), ("d", "good news"), ("c", "bad news"))
SERVED_BY_OTHERS: list[tuple[Any, dict[str, Any], int]] = [
    ([("swap", 0, 0), ("remove", 3), ("put", 3, ("e", "good news"))], {"model": "claude-opus-5-5"}, 2),
    ([("swap", 2, 4), ("put", 1, ("c", "bad news")), ("move", 1, 5)], {}, 0),
    ([], {}, 3),
]
"""A row has sent nothing itself: it is served by what others had sent, its first agent by what was edited last."""


@given(some_rows, st.lists(edits, min_size=1, max_size=3), st.sampled_from([None, 1, 2]))
@example((ROWS[0],), [([("put", 0, ("a", "news"))], {}, 0)], None)
@example(ROWS[:3], [([("move", 2, 0)], {}, 1), ([("put", 1, ("a", "news"))], {}, 0)], None)
@example(ROWS[:3], [([("remove", 2)], {}, 0), ([("put", 0, ("a", "news")), ("put", 2, ROWS[2])], {}, 0)], None)
@example(TWO_MOVED, HALTED_AS_THEY_MOVED, 2)
@example(FOUR_EQUAL, MOVED_AS_ALL_CHANGED, None)
@example(EQUAL_THAT_CAME_LATE, SERVED_BY_OTHERS, None)
@settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink runs takes minutes
)  # fmt: skip
def test_whatever_was_edited_and_wherever_it_was_halted_the_account_is_that_of_a_fresh_run(
    rows: Rows, changes: Sequence[tuple[Any, dict[str, Any], int]], sample: int | None
) -> None:
    """Rows come, go, move and change; an edit may be taken back, and a session may end before all rows are read.

    Found with the two rows that moved: what was asked anew took the place of another row's request, that of the line
    where its row stood, so what an agent was said to repeat (`duplicated_tokens`: 48 tokens against 0) was another's.
    """
    states = [State(prompt="Sort it.", rows=rows)]
    for edit, graph_edit, _ in changes:
        states.append(replace(states[-1], rows=with_rows_edited(states[-1].rows, edit), **graph_edit))
    limits = [limit or 100 for _, _, limit in changes] + [100]  # the first session may be halted too
    with tempfile.TemporaryDirectory() as name:
        edited, fresh = folders(Path(name))
        for number, (state, limit) in enumerate(zip(states, limits, strict=True)):
            carried_out(state, edited, again=bool(number), limit=limit, sample=sample)
        carried_out(states[-1], fresh, sample=sample)
        after, expected = (report(folder / "run").summary for folder in (edited, fresh))
        assert account(after) | {"modelled": None} == account(expected) | {"modelled": None}
        assert results(edited) == results(fresh)
        cash = after["cash"]
        assert Decimal(cash["paid_usd"]) == billed(edited / "run")
        parts = sum(Decimal(cash[name]["usd"]) for name in ("replaced", "left", "unsampled"))
        assert Decimal(after["cost_usd"]) + parts == Decimal(cash["paid_usd"])
        for figure in ("usd", "attempts"):
            of_rows = [Decimal(cash["left"][why][figure]) for why in ("removed", "changed")]
            assert sum(of_rows) == Decimal(cash["left"][figure])
        event(f"{cash['replaced']['attempts'] > 0} replaced, {cash['left']['attempts'] > 0} left")
