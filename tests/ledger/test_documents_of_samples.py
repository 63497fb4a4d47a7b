"""What a sample pays for writing documents that other rows of the job show too: it bears its part of it."""

from __future__ import annotations

import json
import random
import sqlite3
from pathlib import Path
from typing import Annotated, Any

import anyio
import pytest
from pydantic import BaseModel

from fanwise import Block, Job, agent, compare, graph, resume
from fanwise.engine.records import Record
from fanwise.engine.repeated import ShownBy, shown_alike
from fanwise.engine.rows import RowTypes

ROWS, DOCUMENTS = 60, 6
GUIDE = Block("guide", "Whatever is asked is answered by the page. " * 120)


class Question(BaseModel):
    id: str
    text: str
    page: Annotated[str, Block]


@agent(model="claude-haiku-5-5", context=[GUIDE], max_tokens=60)
def find(text: str, page: str) -> str:
    """Find it."""
    return "found " + text


@agent(model="claude-sonnet-5-5", context=[GUIDE], max_tokens=300)
def phrase(found: str) -> str:
    """Phrase it."""
    return found + " in many words" * 20


@graph
def answered(question: Question) -> str:
    return phrase(find(question.text, question.page))


def questions(path: Path, count: int = ROWS, documents: int = DOCUMENTS) -> Path:
    """Questions on pages of some 3,000 tokens, each page by as many rows, one after the other."""
    with path.open("w") as file:
        for number in range(count):
            page = f"Page {number * documents // count}. " + "It says this and that. " * 500
            file.write(json.dumps({"id": f"q{number}", "text": f"text {number}", "page": page}) + "\n")
    return path


def summary_of(rows: Path, out: Path, **fields: Any) -> dict[str, Any]:
    return Job(answered, rows=rows, out=out, channel="live", baseline="auto", slots=4, **fields).run_sync().summary


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("whole")
    rows = questions(folder / "rows.jsonl")
    return rows, summary_of(rows, folder / "run")


def test_a_sampled_single_agent_costs_a_row_what_it_costs_in_the_whole_job(
    whole: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """Found: ten of sixty rows wrote nearly all of the documents, and the multiplier was half of the true one."""
    rows, full = whole
    true, ratios = full["multiplier"]["usd"]["ratio"], list[float]()
    for seed in range(4):
        sampled = summary_of(rows, tmp_path / f"run{seed}", sample=10, seed=seed)
        ratios.append(sampled["multiplier"]["usd"]["ratio"])
        assert float(sampled["baseline_cost_per_successful_row_usd"]) == pytest.approx(
            float(full["baseline_cost_per_successful_row_usd"]), rel=0.15
        )
    assert sum(ratios) / len(ratios) == pytest.approx(true, rel=0.1)
    assert all(abs(ratio / true - 1) < 0.25 for ratio in ratios), (ratios, true)


def test_a_comparison_of_few_rows_says_what_one_of_all_says(whole: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """Found: "fan out" at 0.59 times of a job that cost 1.06 times as much."""
    rows, full = whole
    some = compare(answered, rows=rows, sample=20, out=tmp_path / "run", channel="live")
    assert some.multiplier is not None
    assert some.multiplier.usd.ratio == pytest.approx(full["multiplier"]["usd"]["ratio"], rel=0.15)


def test_the_parts_of_a_write_are_those_that_one_counts_by_hand(
    whole: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    rows, _ = whole
    sampled = summary_of(rows, tmp_path / "run", sample=10)
    pages = {f"q{number}": number * DOCUMENTS // ROWS for number in range(ROWS)}
    with sqlite3.connect(tmp_path / "run" / "journal.db") as db:
        asked = db.execute(
            "SELECT w.row_id, e.cost, e.cache_write_5m, a.job_share, e.cache_read FROM attempts a JOIN asks k ON "
            "k.attempt=a.id JOIN ends e ON e.attempt=a.id JOIN rows w ON w.number=k.row WHERE a.arm='baseline'"
        ).fetchall()
    drawn = [pages[row_id] for row_id, *_ in asked]
    cost = 0.0
    for row_id, paid, written, share, read in asked:
        shared = min(max(round(share * (written + read)) - read, 0), written)
        beyond_reading = 2e6 * (1.25 - 0.05)  # picodollars a token: Sonnet 5.5 at $2 for a million, read at a twentieth
        cost += paid - shared * beyond_reading * (1 - len(asked) / ROWS)
        cost -= (written - shared) * beyond_reading * (1 - drawn.count(pages[row_id]) / (ROWS / DOCUMENTS))
    told = float(sampled["baseline_cost_per_successful_row_usd"]) * len(asked)
    assert told == pytest.approx(cost / 1e12, rel=1e-6)


def test_a_sample_that_becomes_the_whole_is_the_whole(whole: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    rows, _ = whole
    out = tmp_path / "run"
    compare(answered, rows=rows, sample=20, out=out, channel="live")
    account = anyio.run(lambda: resume(out, graph=answered)).summary
    assert account["multiplier"]["rows"] == ROWS
    paid = [float(account[f"{side}_usd"]) for side in ("fanout", "baseline")]
    assert account["multiplier"]["usd"]["ratio"] == pytest.approx(paid[0] / paid[1], abs=1e-6)


def test_a_modelled_single_agent_reads_the_documents_that_rows_share(
    whole: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """Found: 0.34 where 1.00 was measured, since every row was taken to pay its document in full."""
    rows, full = whole
    job = Job(answered, rows=rows, out=tmp_path / "run", channel="live", slots=4)
    modelled = job.run_sync().summary["modelled"]
    assert modelled["usd"]["ratio"] == pytest.approx(full["multiplier"]["usd"]["ratio"], rel=0.03)


def test_rows_that_show_the_same_are_counted_in_the_file() -> None:
    chance = random.Random(3)
    contents = [chance.choice("abc") for _ in range(200)]
    records = [
        Record(number, number, {"id": str(number), "text": "", "page": content}, "")
        for number, content in enumerate(contents, 1)
    ]
    types = RowTypes({"question": Question}, "id")
    drawn = [(record.number, record) for record in records if record.number % 7 == 0]
    shown = shown_alike(drawn, records, types, {"question": Question}, ("question.page",))
    assert set(shown) == set(range(7, 201, 7))
    assert all(by.rows == contents.count(contents[row - 1]) and by.share == 1 for row, by in shown.items())
    assert len({by.content for by in shown.values()}) == 3
    assert all(isinstance(by, ShownBy) for by in shown.values())
