"""The order of a request: what `Shape` offers is what is sent, and all who tell of it tell the same."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from fanwise import Block, Media, agent, graph, step
from fanwise.context.audit import row_data, too_short
from fanwise.context.compose import Composer
from fanwise.context.layout import layout
from fanwise.context.shape import Need
from fanwise.context.sizes import DOCUMENTED
from fanwise.context.tags import label, row_block
from fanwise.engine.arms import build_arms, row_state
from fanwise.engine.instructed import told
from fanwise.engine.records import Record, RowsFile
from fanwise.engine.rows import Row, RowTypes
from fanwise.engine.shown import request_lines
from fanwise.engine.standin import answerer
from fanwise.graph.baseline import single_agent
from fanwise.graph.nodes import GraphSpec
from fanwise.models import intensity
from fanwise.studies.audit import render

MODEL = "claude-haiku-5-5"
BLOCKS = [Block("rules", "r" * 9000), Block("tone", "t" * 300), Block("law", "l" * 20_000)]
PIXEL = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010800000000")
FILES = [Block("logo", "", media=Media(PIXEL)), Block("seal", "", media=Media(PIXEL + b"s"))]
ROW_BLOCKS = ["row.a", "row.b", "row.c", "row.d"]

ORDER = [
    ("front", "schema"), ("front", "tools"), ("system", "block"), ("system", "instructions"), ("content", "file"),
    ("content", "row block"), ("content", "block"), ("content", "instructions"), ("tail", "schema"), ("tail", "values"),
]  # fmt: skip
"""What stands where in any request, whatever is in it."""

agents = st.lists(
    st.tuples(
        st.sets(st.sampled_from(BLOCKS)),
        st.sets(st.sampled_from(FILES)),
        st.sets(st.sampled_from(ROW_BLOCKS)),
        st.sampled_from([{"type": "object"}, {"type": "object", "properties": {}}, None]),
        st.sampled_from(["", '[{"name":"look_up"}]']),
    ),
    min_size=1,
    max_size=5,
)


def needs_of(drawn: list[Any]) -> dict[str, Need]:
    return {
        f"a{index}": Need(
            agent=f"a{index}",
            model=MODEL,
            intensity=intensity(MODEL, None, None),
            instructions=f"You are a{index}.",
            context=tuple(sorted(blocks | files, key=lambda block: block.name)),
            schema=schema,
            row_blocks=tuple(sorted(row_blocks)),
            repeated=False,
            tools=tools,
        )
        for index, (blocks, files, row_blocks, schema, tools) in enumerate(drawn)
    }


@given(agents, st.sampled_from(["auto", "strict", "shared"]))
def test_a_request_is_the_segments_of_its_shape_in_their_order(drawn: list[Any], schemas: Any) -> None:
    needs = needs_of(drawn)
    for path, shape in layout(needs, schemas=schemas).items():
        need, sent, marks = needs[path], list[str](), list[bool]()
        values = {name: f"the {name}" for name in need.row_blocks}
        request = Composer(need, shape, {name: name for name in values}).request(values, 100)
        segments = list(shape.segments(need))
        assert [*map(ORDER.index, ((segment.place, segment.kind) for segment in segments))] == sorted(
            ORDER.index((segment.place, segment.kind)) for segment in segments
        )
        front = {segment.kind: segment.text for segment in segments if segment.place == "front"}
        assert front.get("schema", "") == request.frame.schema_text
        assert front.get("tools", "") == request.frame.tools
        for segment in segments:
            if segment.block is not None and segment.block.media is not None:
                sent += [label(segment.name), segment.block.media.sha]
                marks += [False, segment.marked]
            elif segment.place in ("system", "content"):
                is_row = segment.kind == "row block"
                sent.append(row_block(segment.name, values[segment.name]).text if is_row else segment.text)
                marks.append(segment.marked)
        parts = (*request.frame.system, *request.content[: len(request.content) - len(request.last)])
        assert [part.text if part.media is None else part.media.sha for part in parts] == sent
        assert [part.marked for part in parts] == marks
        in_system = sum(segment.place == "system" for segment in segments)
        assert in_system == len(request.frame.system)
        tail = [segment.text for segment in segments if segment.place == "tail" and segment.text]
        assert all(text in request.last[0].text for text in tail)
        has_schema = bool(tail) or "schema" in front
        assert has_schema == (shape.way != "text"), "a schema travels in front or in the tail"
        assert shape.way != "text" or need.schema is None


class Files(BaseModel):
    id: str
    first: Annotated[str, Block]
    second: Annotated[str, Block]
    third: Annotated[str, Block]


@agent(model=MODEL)
def reads(first: str, second: str, third: str) -> str:
    """Read all three."""
    return first


@agent(model=MODEL)
def checks(first: str, second: str, third: str) -> str:
    """Check all three."""
    return second


@step
def both(first: str, second: str) -> str:
    return first + second


@graph
def three_blocks(row: Files) -> str:
    return both(reads(row.first, row.second, row.third), checks(row.first, row.second, row.third))


def state_of(spec: GraphSpec, arm: Any, **fields: Any) -> Any:
    row = RowTypes(spec.param_types, None).check(Record(1, 0, fields, ""))
    assert isinstance(row, Row)
    return row_state(arm, row)


def test_of_three_shared_blocks_of_the_row_the_drawing_names_the_two_that_are_cached() -> None:
    """Found: a third block had no breakpoint in the request, and was drawn as cached for the row."""
    plan = build_arms({"fanout": three_blocks.spec})["fanout"]
    (task, _) = state_of(three_blocks.spec, plan, id="1", first="a", second="b", third="c").start()
    request = plan.nodes["reads"].request(task)
    assert [part.marked for part in request.content] == [True, True, False, False]
    (tokens, *_) = request_lines(plan)["reads"]
    assert "row.first cached for the row, row.second cached for the row, and" in tokens


def test_of_three_shared_blocks_of_the_row_the_audit_looks_at_the_two_that_are_marked(tmp_path: Any) -> None:
    """Found: the audit said of a block without a breakpoint that one stood behind it in vain."""
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"id": "1", "first": "a", "second": "b", "third": "c"}\n')
    fronts = render(f"{__file__}:three_blocks", RowsFile(rows, "jsonl"), 1, tmp_path)
    assert {finding.block for finding in row_data(fronts, DOCUMENTED.tokens)} == {"row.first", "row.second"}


def look_up(word: str) -> str:
    return word


look_up.__doc__ = f"Look a word up in the register. {'One of many words. ' * 1500}"
WORDS = Block("words", "Keep to these words. " * 20)
"""Far too short for a cache of its own."""


@graph
def with_tools(row: Files) -> str:
    return uses(row.id)


@agent(model="claude-haiku-4-5", context=[WORDS], tools=[look_up])
def uses(text: str) -> str:
    """Use the register."""
    return text


def test_the_audit_counts_tools_to_the_prefix_that_they_begin(tmp_path: Any) -> None:
    """Found: an agent whose tools make its prefix long enough was warned that it is never cached."""
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"id": "1", "first": "a", "second": "b", "third": "c"}\n')
    plan = build_arms({"fanout": with_tools.spec})["fanout"]
    (task,) = state_of(with_tools.spec, plan, id="1", first="a", second="b", third="c").start()
    assert plan.nodes["uses"].request(task).prefixes(), "there is a breakpoint"
    assert too_short(render(f"{__file__}:with_tools", RowsFile(rows, "jsonl"), 1, tmp_path)) == []


@agent(model=MODEL, context=FILES)
def looks(text: str) -> str:
    """Look at the files."""
    return f"saw {text}"


@graph
def with_files(row: Files) -> str:
    return looks(row.id)


@pytest.mark.parametrize("which", ["fanout", "baseline"])
def test_a_request_with_files_is_known_as_its_arm_s(which: Any) -> None:
    """Found: behind files the block that tells the baseline apart stands in the content; it had no stand-in then."""
    single = single_agent(with_files.spec, told=told)
    assert single is not None
    graphs: dict[Any, GraphSpec] = {"fanout": with_files.spec, "baseline": single}
    plans = build_arms(graphs)
    (task,) = state_of(graphs[which], plans[which], id="r1", first="a", second="b", third="c").start()
    request = plans[which].nodes[task.node.path].request(task)
    assert answerer(plans)(request.body(run_id="r")) == "saw r1"
