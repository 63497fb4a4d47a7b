"""Ids of users and numbers of ours share no space: in a file, on resume, in results, and where a row is asked for."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from hypothesis import given
from hypothesis import strategies as st

from fanwise import Job, agent, graph, resume
from fanwise.engine.rows import row_id_of
from fanwise.studies.show import rendered
from support import journal_value, lines


@agent(model="claude-haiku-5-5", max_tokens=50)
def shorten(text: str) -> str:
    """Shorten it."""
    return text[:9]


@graph
def shortened(text: str) -> str:
    return shorten(text)


QUOTED = st.builds("{0}row {1}{0}".format, st.sampled_from([chr(34), chr(34) * 2]), st.integers(0, 20))
OWN = st.one_of(
    st.text(max_size=3), QUOTED, st.builds("row {}".format, st.integers(0, 20)), st.builds(str, st.integers(0, 20))
)


@given(st.lists(st.tuples(st.integers(1, 20), st.none() | OWN), unique_by=lambda row: row[1] or row[0]))
def test_no_two_rows_have_one_id_that_have_not_given_it(rows: list[tuple[int, str | None]]) -> None:
    ids = [row_id_of(number, own) for number, own in rows]
    assert len(set(ids)) == len(ids)


def test_an_id_is_never_taken_for_the_number_of_a_row_that_has_none(tmp_path: Path) -> None:
    """A row with the id 3 was dropped as a duplicate of the third line, which had none, or the other way round."""
    source, out = tmp_path / "rows.jsonl", tmp_path / "run"
    ids: list[Any] = ["3", 4, None, None, "", 1, "row 4", float("nan"), None]
    rows = [{"id": own, "text": "the same"} for own in ids]
    rows[3] = {"text": "the same"}  # no field at all
    source.write_text("".join(json.dumps(row) + "\n" for row in rows).replace("NaN", "null"))
    account = Job(shortened, rows=source, out=out, channel="live", reuse=False).run_sync()
    shown = ["3", "4", "row 3", "row 4", "row 5", "1", '"row 4"', "row 8", "row 9"]
    assert [line["id"] for line in account.results()] == shown
    assert account.summary["rows"]["rejected"] == 0
    sent = journal_value(out, "SELECT COUNT(*) FROM attempts")
    assert sent == len(rows), "equal rows of other ids are tasks of their own"

    # A row whose id is the number of another has left, and its lines have moved.
    source.write_text("".join(source.read_text().splitlines(keepends=True)[1:]))
    again = anyio.run(partial(resume, out, graph=shortened))
    assert [line["row"] for line in again.results()] == [*range(1, 9)]
    assert next(line["id"] for line in again.results()) == "4"
    assert not lines(out / "rejects.jsonl")


def test_a_row_is_asked_for_by_its_id_and_without_one_by_its_number(tmp_path: Path) -> None:
    file = tmp_path / "job.py"
    file.write_text(
        "from fanwise import agent, graph\n@agent(model='claude-haiku-5-5')\ndef say(text: str) -> str:\n"
        "    'Say it.'\n    return text\n@graph\ndef job(text: str) -> str:\n    return say(text)\n"
    )
    rows = [{"text": "first"}, {"id": "1", "text": "second"}, {"text": "third"}]
    Job(f"{file}:job", rows=rows, out=tmp_path / "run", channel="live").run_sync()
    for row_id, text in {"1": "second", "row 1": "first", "3": "third", "row 3": "third"}.items():
        body = rendered(str(tmp_path / "run"), row_id, "say", "fanout").body
        assert text in json.dumps(body["messages"]), row_id
