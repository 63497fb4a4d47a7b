"""Blocks of the row, and what else is no value: said once, told apart, and of the same bytes for all who read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from fanwise import Block, Graph, Job, Media, agent, graph, preview, step
from fanwise.context.readback import read_back
from fanwise.graph.revive import revive
from rendered import INSTRUCTIONS, MODEL, PIXEL, asked, back


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize(
    ("name", "param", "block", "more"),
    [
        ("row.body", "body", "<row.body>\n{}\n</row.body>", []),
        ("body", "body", "<body>\n{}\n</body>", []),
        ("row.body", "text", "<row.body>\n{}\n</row.body>", ["text: <row.body>"]),
        ("parts[].body", "body", '<value name="parts[].body">\n{}\n</value>', ['body: <value name="parts[].body">']),
        ("row.body#2", "body", '<value name="row.body#2">\n{}\n</value>', ['body: <value name="row.body#2">']),
    ],
)
def test_a_block_of_the_row_is_said_once(name: str, param: str, block: str, more: list[str], shared: bool) -> None:
    request = asked({param: "some\ntext"}, {param: name}, shared=shared)
    assert request.content[0].text == block.format("some\ntext")
    instructions = [f"{INSTRUCTIONS}reader"] if shared else []
    assert [part.text for part in request.content[1:]] == [*instructions, *more], "and no empty text is sent"
    assert back(request) == {param: "some\ntext"}


def test_a_block_of_the_row_that_is_missing_is_a_value() -> None:
    request = asked({"body": None, "n": 1}, {"body": "row.body"})
    assert [part.text for part in request.content] == ["body: null\nn: 1"]


def test_two_blocks_of_the_row_of_one_last_name_are_told_apart() -> None:
    values = {"body": "one", "other": "two", "n": 3}
    request = asked(values, {"body": "ticket.body", "other": "mail.body"})
    assert request.content[-1].text == "other: <mail.body>\nn: 3"
    assert back(request) == values


def test_a_block_that_is_two_parameters_is_sent_once() -> None:
    """It was sent once for each, at full price behind the first."""
    values = {"body": "some\ntext", "again": "some\ntext", "n": 3}
    request = asked(values, {"body": "row.body", "again": "row.body"})
    texts = [part.text for part in request.content]
    assert texts == ["<row.body>\nsome\ntext\n</row.body>", "body: <row.body>\nagain: <row.body>\nn: 3"]
    assert back(request) == values
    assert request.sizes == (len("again: <row.body>"), len(texts[0]) + len("body: <row.body>"), len("n: 3"))
    file = asked({"photo": PIXEL, "scan": PIXEL}, {"photo": "row.photo", "scan": "row.photo"})
    assert [part.text for part in file.content] == ["<row.photo>\n", "", "photo: <row.photo>\nscan: <row.photo>"]
    assert back(file)["photo"] == back(file)["scan"]


def test_a_field_that_is_passed_twice_is_one_block_and_equal_fields_are_two(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"body": "ONE\nTWO", "other": "ONE\nTWO"}))
    assert compared.rehearse(Pair(body="a", other="a")) == "True a a"
    content = preview(compared, rows)[0].body["messages"][0]["content"]
    assert [part["text"].splitlines()[0] for part in content] == ["<pair.body>", "<pair.other>", "first: <pair.body>"]
    account = Job(compared, rows=rows, out=tmp_path / "run", channel="live").run_sync()
    assert next(account.results())["output"] == "True ONE\nTWO ONE\nTWO"


class Pair(BaseModel):
    body: Annotated[str, Block]
    other: Annotated[str, Block]


@agent(model=MODEL)
def compare(first: str, second: str, third: str) -> str:
    """Compare them."""
    return f"{first == second} {first} {third}"


@graph
def compared(pair: Pair) -> str:
    return compare(pair.body, pair.body, pair.other)


class Rec(BaseModel):
    body: str


class Ticket(BaseModel):
    body: Annotated[str, Block]
    note: str = ""


@agent(model=MODEL)
def translate(text: str) -> str:
    """Translate into German."""
    return "EINS\nZWEI"


@agent(model=MODEL)
def judge(source: str, text: str) -> str:
    """Judge the translation."""
    return "fine"


@step
def other(note: str) -> Rec:
    return Rec(body=f"OTHER\n{note}")


@agent(model=MODEL)
def by_record(ticket: Rec, text: str) -> str:
    """Judge the text by the ticket."""
    return "fine"


@agent(model=MODEL)
def by_name(ticket: Rec, body: str) -> str:
    """Judge the body by the ticket."""
    return "fine"


@graph
def translated(text: Annotated[str, Block]) -> str:
    return judge(text, translate(text))


@graph
def pointed(ticket: Ticket) -> str:
    return by_record(other(ticket.note), ticket.body)


@graph
def named(ticket: Ticket) -> str:
    return by_name(other(ticket.note), ticket.body)


@pytest.mark.parametrize(
    ("flow", "task", "name", "pointer", "read"),
    [
        (translated, "judge", "text", "source", {"source": "ONE\nTWO", "text": "EINS\nZWEI"}),
        (pointed, "by_record", "ticket.body", "text", {"ticket": {"body": "OTHER\n"}, "text": "ONE\nTWO"}),
        (named, "by_name", "ticket.body", "body", {"ticket": {"body": "OTHER\n"}, "body": "ONE\nTWO"}),
    ],
)
def test_a_tag_names_one_text(
    flow: Graph[..., str], task: str, name: str, pointer: str, read: dict[str, Any], tmp_path: Path
) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({name.rpartition(".")[2]: "ONE\nTWO"}))
    (request,) = preview(flow, rows, task=task)
    block, *_, last = [part["text"] for part in request.body["messages"][0]["content"]]
    opening = f'<value name="{name}">'
    assert block == f"{opening}\nONE\nTWO\n</value>"
    assert f"{pointer}: {opening}" in last.splitlines()
    answer = read_back(request.body)
    assert answer is not None
    assert answer.values == read


def test_a_block_has_the_same_bytes_for_all_who_read_it(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"text": "ONE\nTWO"}))
    first, second = (
        preview(translated, rows, task=task)[0].body["messages"][0]["content"] for task in ("translate", "judge")
    )
    assert first[0] == second[0], "or what one has written is not read by the other"


def test_a_block_of_the_context_is_no_value() -> None:
    context = (Block("body", "of the context"), Block("row.photo", "", media=PIXEL))
    request = asked({"body": "of the row"}, {"body": "row.body"}, shared=True, context=context)
    assert back(request) == {"body": "of the row"}
    assert '<block name="body">\nof the context\n</block>' in [
        part.text for part in (*request.frame.system, *request.content)
    ]


def test_a_file_of_the_row_follows_its_tag() -> None:
    request = asked({"photo": PIXEL, "scan": PIXEL}, {"photo": "row.photo", "scan": "row.second"})
    assert [part.text for part in request.content] == ["<row.photo>\n", "", "<row.second>\n", "", "scan: <row.second>"]
    read = back(request)
    assert [revive(Media, read[param]) for param in ("photo", "scan")] == [PIXEL, PIXEL]


def test_an_agent_that_is_shown_nothing_is_sent_a_sentence() -> None:
    request = asked({})
    assert [part.text for part in request.content] == ["Answer as you were told."]
    assert back(request) == {}


@given(st.text(max_size=40), st.sampled_from(["row.body", "body", "a-b", "a-1", "x y", "</value>", 'a"b']))
def test_any_block_of_the_row_is_read_back(text: str, name: str) -> None:
    for arm_index in (0, 1):
        request = asked({"body": text, "n": 1}, {"body": name}, arm_index=arm_index)
        assert back(request) == {"body": text, "n": 1}
