"""A request that counts takes over the write that it reads, where what has written it counts no more."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import anyio
import pytest
from hypothesis import HealthCheck, Phase, event, example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from fanwise import Block, Job, Media, agent, graph, resume
from fanwise.graph.graphs import Graph
from support import billed, lines, png

GUIDE = Block("guide", "Keep to every rule of this guide. " * 300)
PAGES = ("Once upon a time there was a page. " * 200, "a short one", "Another page of the book. " * 300)
PARTS = ("replaced", "left", "unsampled", "pilots")


class Row(BaseModel):
    id: str
    page: Annotated[str, Block]
    body: str


class Scan(Row):
    picture: Annotated[Media | None, Block] = None


@dataclass(frozen=True)
class State:
    """What may be edited between two sessions: two prompts, the model of one agent, rows and their pages."""

    first: str = "Sort it."
    second: str = "Draft an answer."
    model: str = "claude-haiku-5-5"
    rows: tuple[int, ...] = (0, 2, 1, 2, 0, 0)
    """By row its page."""
    gone: int = 0
    """Rows from the first on that have left the file."""

    def graph(self) -> Graph[..., Any]:
        """Three agents behind one guide, two of which see a page of the row."""

        def sort(page: Annotated[str, Block], body: str) -> str:
            return f"{self.first} {len(body)}"

        def draft(page: Annotated[str, Block], body: str, topic: str) -> str:
            return f"{self.second} {topic}: {body[:4]}"

        def sign(text: str) -> str:
            """Sign it."""
            return f"{text}, yours"

        sort.__doc__, draft.__doc__ = self.first, self.second
        sorting = agent(model=self.model, context=[GUIDE])(sort)
        drafting, signing = (agent(model="claude-haiku-5-5", context=[GUIDE])(work) for work in (draft, sign))

        def answer(row: Row) -> str:
            return signing(drafting(row.page, row.body, sorting(row.page, row.body)))

        return graph(answer)

    def write(self, path: Path) -> Path:
        """The rows, as JSON lines."""
        rows = [
            {"id": f"r{place} of {page}", "page": PAGES[page], "body": f"letter {place}"}
            for place, page in enumerate(self.rows)
            if place >= self.gone
        ]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    def carried_out(self, folder: Path, channel: str, *, again: bool) -> dict[str, Any]:
        """The summary of a session on it, embedded."""
        rows = self.write(folder / "rows.jsonl")
        if again:
            return anyio.run(lambda: resume(folder / "run", graph=self.graph())).summary
        job = Job(self.graph(), rows=rows, out=folder / "run", baseline="auto", channel=channel, slots=1, seed=1)
        return job.run_sync().summary


edits = st.fixed_dictionaries(
    {},
    optional={
        "first": st.sampled_from(["Sort it now.", "Sort it well."]), "second": st.sampled_from(["Draft.", "Answer."]),
        "rows": st.lists(st.integers(0, 2), min_size=1, max_size=7).map(tuple),
    },
).filter(bool)  # fmt: skip


@given(
    st.sampled_from(["claude-haiku-5-5", "claude-sonnet-5-5"]),
    st.lists(edits, min_size=1, max_size=3),
    st.sampled_from(["live", "batch", "auto"]),
)
@example("claude-haiku-5-5", [{"second": "Draft."}], "live")
@example("claude-sonnet-5-5", [{"rows": (2, 1, 2, 0, 0)}, {"first": "Sort it now."}], "batch")
@settings(
    deadline=None, max_examples=4, suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink runs takes minutes
)  # fmt: skip
def test_a_write_is_counted_once_whoever_made_it(model: str, changes: Sequence[dict[str, Any]], channel: str) -> None:
    """Found by a prompt that was edited in front of an agent with a guide: reads of it counted, and no write.

    Where other rows come, their blocks may be marked otherwise; then only the sum of account and cash is known.
    """
    states = [State(model=model)]
    for change in changes:
        states.append(replace(states[-1], **change))
    with tempfile.TemporaryDirectory() as name:
        edited, fresh = Path(name) / "edited", Path(name) / "fresh"
        edited.mkdir()
        fresh.mkdir()
        after: dict[str, Any] = {}
        for number, state in enumerate(states):
            after = state.carried_out(edited, channel, again=bool(number))
        cash = after["cash"]
        parts = [Decimal(cash[part]["usd"]) for part in PARTS]
        assert Decimal(after["cost_usd"]) + sum(parts) == Decimal(cash["paid_usd"]) == billed(edited / "run")
        assert min(parts) >= 0
        assert Decimal(after["floor_usd"]) <= Decimal(after["fanout_usd"])
        if states[-1].rows == states[0].rows and channel != "auto":  # which learns from what it has seen
            expected = states[-1].carried_out(fresh, channel, again=False)
            for figure in ("tokens", "fanout_usd", "baseline_usd", "cost_per_successful_row_usd"):
                assert after[figure] == expected[figure]
            assert after["multiplier"]["usd"]["ratio"] == expected["multiplier"]["usd"]["ratio"]
        event(f"{cash['replaced']['attempts'] > 0} replaced, {cash['left']['attempts'] > 0} left")


@agent(model="claude-sonnet-5-5", context=[GUIDE])
def is_even(body: str) -> bool:
    """Say whether it is even."""
    return len(body) % 2 == 0


class Retold(State):
    """Two agents behind one guide; the second has a long prompt of its own, and alone sees the page."""

    def graph(self) -> Graph[..., Any]:
        def retell(page: Annotated[str, Block], body: str, even: bool) -> str:
            return f"{body}, {even}"

        retell.__doc__ = "Retell the page, politely. " * 200
        retelling = agent(model="claude-sonnet-5-5", context=[GUIDE])(retell)

        def answer(row: Row) -> str:
            return retelling(row.page, row.body, is_even(row.body))

        return graph(answer)


@pytest.mark.parametrize(
    ("first", "channel"),
    [
        (Retold(rows=(0,) * 4 + (2,) * 8), "live"),
        (State(rows=(0,) * 4 + (2,) * 8, second="Draft an answer, politely. " * 200), "auto"),
    ],
)
def test_rows_leave_with_their_document(tmp_path: Path, first: State, channel: str) -> None:
    """Found live, where the write of the document that left was charged to a row that stayed, and with `auto`, where
    pilots left nothing, so that 1.13x became 0.51x."""
    edited, fresh = tmp_path / "edited", tmp_path / "fresh"
    edited.mkdir()
    fresh.mkdir()
    stays = replace(first, gone=4)
    first.carried_out(edited, channel, again=False)
    after, expected = stays.carried_out(edited, channel, again=True), stays.carried_out(fresh, channel, again=False)
    for figure in ("fanout_usd", "cost_per_successful_row_usd"):
        assert after[figure] == expected[figure]
    # What pilots count for is rounded for each of them by the share of its prompt that rows have in common.
    ratios = [summary["multiplier"]["usd"]["ratio"] for summary in (after, expected)]
    assert ratios[0] == pytest.approx(ratios[1], abs=0.001)


class Pictured(State):
    """Two agents behind one guide; every other row has a picture beside its page."""

    def graph(self) -> Graph[..., Any]:
        def read(picture: Annotated[Media | None, Block], page: Annotated[str, Block], body: str) -> str:
            return f"{self.first} {body}"

        def file(picture: Annotated[Media | None, Block], page: Annotated[str, Block], text: str) -> str:
            """Say where it is filed."""
            return f"under {text[:9]}"

        read.__doc__ = self.first
        reading, filing = (agent(model="claude-haiku-5-5", context=[GUIDE])(work) for work in (read, file))

        def answer(row: Scan) -> str:
            return filing(row.picture, row.page, reading(row.picture, row.page, row.body))

        return graph(answer)

    def write(self, path: Path) -> Path:
        """The rows, as JSON lines, and their pictures."""
        super().write(path)
        rows = lines(path)
        for place, row in enumerate(rows):
            if (place + self.gone) % 2:
                row["picture"] = f"{place % 4 == 1}.png"
        for shade in (0, 1):
            (path.parent / f"{bool(shade)}.png").write_bytes(png(600, 400, shade))
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path


@pytest.mark.parametrize("change", [{"gone": 3}, {"first": "Sort it now."}])
def test_requests_with_pictures_take_over_what_such_have_written(tmp_path: Path, change: dict[str, Any]) -> None:
    """Found by pages that stood on one chain with and without a picture, where the API keeps them apart: 0.89 times
    what a fresh run cost. A picture of some tokens was taken to be one of 1,600."""
    edited, fresh = tmp_path / "edited", tmp_path / "fresh"
    edited.mkdir()
    fresh.mkdir()
    first = Pictured(rows=(0,) * 8)
    first.carried_out(edited, "live", again=False)
    after = replace(first, **change).carried_out(edited, "live", again=True)
    expected = replace(first, **change).carried_out(fresh, "live", again=False)
    for figure in ("tokens", "fanout_usd", "baseline_usd", "floor_usd", "cost_per_successful_row_usd"):
        assert after[figure] == expected[figure]
