"""Rows are checked against the parameters of a graph; what is wrong with one names its place, and costs it alone."""

from __future__ import annotations

import json
import math
import os
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from fanwise import Block, DefinitionError, Document, Job, UsageError, agent, graph
from fanwise.engine.records import Record, RowsFile
from fanwise.engine.rows import Row, RowTypes
from fanwise.engine.rowsfile import format_of, read
from fanwise.media import Media
from support import DESK, fanwise, lines


class Order(BaseModel):
    text: str
    count: int | None = None
    note: str | None = Field(default=None, alias="Note")


class Exact(BaseModel):
    model_config = ConfigDict(strict=True)
    day: date


@agent(model="claude-haiku-5-5", max_tokens=50)
def say(text: str, language: str) -> str:
    """Say it in a language."""
    return f"{text} ({language})"


@graph
def by_default(text: str, language: str = "en") -> str:
    return say(text, language)


@graph
def of_text(text: str) -> str:
    return say(text, text)


def checked(types: RowTypes, *, is_text: bool = False, **data: Any) -> dict[str, Any] | str:
    """The arguments of a record, or why it is set aside."""
    row = types.check(Record(number=1, locator=1, data=data, raw="", is_text=is_text))
    return row.arguments if isinstance(row, Row) else row


def test_an_empty_cell_is_none_where_the_type_has_it() -> None:
    types = RowTypes({"order": Order}, None)
    assert checked(types, is_text=True, text="", count="", Note="") == {"order": Order(text="")}
    assert (
        checked(types, text="a", count="")
        == "count: Input should be a valid integer, unable to parse string as an integer"
    )
    several = RowTypes({"text": str, "count": int | None}, None)
    assert checked(several, is_text=True, text="", count="") == {"text": "", "count": None}


def test_strict_models_take_what_json_has_for_their_types() -> None:
    types = RowTypes({"exact": Exact}, None)
    assert checked(types, day="2026-11-29") == {"exact": Exact(day=date(2026, 11, 29))}
    assert isinstance(checked(types, day=5), str)


def test_a_value_is_validated_once_also_where_it_is_wrong() -> None:
    """A row that failed was validated once more as JSON, whatever its type: validators were called twice."""
    calls: list[object] = []

    def count(text: object) -> object:
        calls.append(text)
        return text

    class Counted(BaseModel):
        text: Annotated[str, BeforeValidator(count)]

    class Strict(Counted):
        model_config = ConfigDict(strict=True)
        day: date | None = None

    for model in (Counted, Strict):
        types = RowTypes({"row": model}, None)
        assert isinstance(checked(types, text=5), str)
        assert not isinstance(checked(types, text="good"), str)
    assert not isinstance(checked(RowTypes({"row": Strict}, None), text="a", day="2026-11-29"), str), "read as JSON"
    assert calls == [5, "good", 5, "good", "a"]


def test_parameters_have_their_names_and_defaults_in_rows() -> None:
    types = RowTypes(by_default.spec.param_types, None, None, by_default.spec.defaults)
    assert checked(types, text="a") == {"text": "a", "language": "en"}
    assert checked(types, text=1, language=None) == (
        "text: Input should be a valid string; language: Input should be a valid string"
    )
    alone = RowTypes(of_text.spec.param_types, None)
    assert checked(alone, text="a", more=1) == {"text": "a"}
    assert checked(alone, words="a") == "text: Field required"
    assert checked(RowTypes({"row": dict[str, int]}, None), a=1) == {"row": {"a": 1}}


class Entry(BaseModel):
    text: str
    full_name: str = Field(alias="full name")


@pytest.mark.parametrize(
    ("params", "record", "words"),
    [
        ({"text": str}, {"id": "1", "Text ": "a"}, "text: Field required (did you mean its 'Text '? name that 'text')"),
        ({"text": str, "n": int}, {"TEXT": "a", "n": 1}, "text: Field required (did you mean its 'TEXT'?"),
        (
            {"entry": Entry},
            {"text": "a", "Full  Name": "b"},
            "full name: Field required (did you mean its 'Full  Name'?",
        ),
        ({"text": str}, {"words": "a"}, "text: Field required"),
    ],
)
def test_a_column_that_is_written_a_little_otherwise_is_said(params: Any, record: dict[str, Any], words: str) -> None:
    told = checked(RowTypes(params, None), **record)
    assert str(told).startswith(words) and ("did you mean" in words) == ("did you mean" in str(told))


def test_a_row_of_code_that_is_no_json_costs_itself(tmp_path: Path) -> None:
    odd: list[Any] = [{"text": "a", "n": math.nan}, {"text": "b\ud83d"}, {"text": b"\xff"}, {"text": object()}]
    account = Job(of_text, rows=[{"text": "good"}, *odd], out=tmp_path / "run", channel="live").run_sync()
    assert (account.summary["rows"]["succeeded"], account.summary["rows"]["rejected"]) == (1, 4)
    rejects = lines(tmp_path / "run" / "rejects.jsonl")
    assert [reject["line"] for reject in rejects] == [2, 3, 4, 5]
    assert all("give models or dicts" in reject["reason"] for reject in rejects)


def test_a_run_whose_rows_were_all_set_aside_is_a_wrong_call(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("name;body\n1;a\n2;b\n")
    ended = fanwise("run", f"{DESK}:single", "--rows", rows, "--out", tmp_path / "run")
    assert ended.returncode == 2
    assert "all of 2 rows were set aside" in ended.stderr
    assert "2 (line 2 first): id: Field required; subject: Field required" in ended.stderr
    assert "found in rows.csv: name, body" in ended.stderr


def test_media_and_blocks_are_regular_files_within_a_size(tmp_path: Path) -> None:
    png = b"\x89PNG\r\n\x1a\n" + bytes(20)
    (tmp_path / "good.png").write_bytes(png)
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "huge.png").write_bytes(png)
    os.truncate(tmp_path / "huge.png", 8 << 30)
    types = RowTypes({"image": Media}, None, tmp_path)
    assert checked(types, image="good.png") == {"image": Media(png)}
    for name, words in {
        "pipe.png": "no regular file",
        "huge.png": "8,589,934,592 bytes",
        "../x.png": "outside",
    }.items():
        assert words in str(checked(types, image=name))
    with pytest.raises(UsageError, match="bytes"):
        Block.load(tmp_path / "huge.png")


def test_a_byte_order_mark_is_none_of_a_text(tmp_path: Path) -> None:
    (tmp_path / "doc.md").write_text("\ufeff# Refunds\r\nnone\r\n")
    assert [block.name for block in Document.load(tmp_path / "doc.md")] == ["doc/refunds"]
    (tmp_path / "block.txt").write_text("\ufeffhello")
    assert Block.load(tmp_path / "block.txt").text == "hello"


def test_an_id_that_is_null_is_none(tmp_path: Path) -> None:
    rows = [{"id": None, "text": "a"}, {"id": None, "text": "b"}, {"text": "c"}]
    account = Job(of_text, rows=rows, out=tmp_path / "run", channel="live").run_sync()
    assert account.summary["rows"]["succeeded"] == 3


HEAD = "---\nname: a\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (f"{HEAD}a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n---\nGo.\n", "alias"),
        (f"{HEAD}a: {'[' * 5_000}\n---\nGo.\n", "nested too deeply"),
        (f"{HEAD}a: 2026-13-45\n---\nGo.\n", "cannot be read"),
        (f"{HEAD}a: {'x' * 70_000}\n---\nGo.\n", "front matter has"),
        (f"{HEAD}---\n{'Go. ' * 300_000}\n", "1,000,000 are the most"),
    ],
)
def test_an_agent_file_is_bounded(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "a.md").write_text(content)
    with pytest.raises(DefinitionError, match=words):

        @agent(str(tmp_path / "a.md"))
        def act(text: str) -> str: ...


def test_an_agent_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(f"\ufeff{HEAD}---\nGo.\n")

    @agent(str(tmp_path / "a.md"), model="claude-haiku-5-5")
    def act(text: str) -> str: ...

    assert json.dumps(act.spec.name) == '"a"'


class Sample(BaseModel):
    size: float
    parts: dict[str, list[float]] = {}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("rows.csv", "size\n1e999\n1\n", "size: '1e999' is no number that JSON can hold"),
        ("rows.csv", "size\n NaN \n1\n", "size: 'NaN' is no number that JSON can hold"),
        ("rows.jsonl", '{"size": 1e999}\n{"size": 1}\n', "size: inf is no number that JSON can hold"),
        (
            "rows.json",
            '[{"size": 1,\n "parts": {"a": [1, NaN]}},\n {"size": 1}]',
            "parts.a.1: nan is no number that JSON",
        ),
        ("rows.jsonl", '{"size": 1, "\\ud83d": 2}\n{"size": 1}\n', "half of a surrogate pair stands in it, which no"),
    ],
)
def test_what_json_cannot_hold_is_named_with_its_place(name: str, text: str, words: str, tmp_path: Path) -> None:
    """Found: `inf has no form in JSON`, where the cell said 1e999 and the column was not named."""
    (tmp_path / name).write_text(text)
    types = RowTypes({"sample": Sample}, None)
    found = [types.check(record) for record in read(RowsFile(tmp_path / name, format_of(tmp_path / name, None)))]
    assert isinstance(found[0], str) and words in found[0]
    assert isinstance(found[1], Row)


def test_a_pipe_in_place_of_a_rows_file_is_told_how_it_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "rows.jsonl")
    said = fanwise("run", f"{DESK}:single", "--rows", tmp_path / "rows.jsonl", "--out", tmp_path / "run")
    assert said.returncode == 2 and "is no regular file and cannot be read again; pipe its rows in" in said.stderr
