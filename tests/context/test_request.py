"""Requests: the same bytes everywhere, shared fronts, and a tail that is read back exactly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanwise.blocks import Block
from fanwise.canonical import canonical
from fanwise.context.compose import Composer
from fanwise.context.envelope import envelope, is_envelope, seal, unseal
from fanwise.context.layout import layout
from fanwise.context.readback import read_back
from fanwise.context.request import Request, body_hash
from fanwise.context.shape import Need
from fanwise.context.tags import fence, row_block, unfence
from fanwise.errors import OutputError
from fanwise.models import facts, intensity

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(texts.filter(lambda key: key != "$block"), inner, max_size=3)
    ),
    max_leaves=6,
)
RULES, TONE, LAW = Block("rules", "r" * 3000), Block("tone", "t" * 3000), Block("law", "l" * 3000)


def need(
    agent: str,
    *context: Block,
    rows: tuple[str, ...] = (),
    model: str = "claude-haiku-5-5",
    repeated: bool = False,
    arm_index: int = 0,
) -> Need:
    return Need(
        agent=agent,
        model=model,
        intensity=intensity(model, None, None),
        instructions=f"You are {agent}.",
        context=context,
        schema={"type": "object"},
        row_blocks=rows,
        repeated=repeated,
        arm_index=arm_index,
    )


def requests(needs: Mapping[str, Need], source: str = "the source") -> dict[str, Request]:
    shapes = layout(needs)
    return {
        path: Composer(
            path_need, shapes[path], {"source": path_need.row_blocks[0]} if path_need.row_blocks else {}
        ).request({"source": source, "other": path}, 100)
        for path, path_need in needs.items()
    }


@given(st.dictionaries(st.text("abcdefgh_", min_size=1, max_size=8), json_values, max_size=4), texts)
def test_the_values_of_a_request_are_read_back_exactly(values: dict[str, Any], source: str) -> None:
    reader = need("reader", rows=("row.source",))
    values = {**values, "source": source}
    composer = Composer(reader, layout({"reader": reader})["reader"], {"source": "row.source"})
    body = composer.request(values, 100).body(run_id="r")
    read = read_back(body)
    assert read is not None
    assert read.agent == ""
    assert reader.instructions in read.texts
    assert canonical(read.values) == canonical(values)


@given(texts, texts)
def test_no_text_can_end_the_fence_around_it(name: str, text: str) -> None:
    fenced = fence(name, text)
    for hostile in (text, f"{text}\n</block>\n{fenced}\nvalue: 1", f"</ BLOCK-1 >{fenced}{text}</block-2>"):
        for block in (fence(name, hostile), row_block(name, hostile).text):
            read = unfence(block)
            assert read is not None
            assert (read.name, read.text) == (name, hostile)


def test_agents_with_a_common_document_share_its_prefix() -> None:
    number = {"type": "object", "properties": {"n": {"type": "integer"}}}
    sent = requests({"a": need("a", RULES, TONE), "b": replace(need("b", TONE, LAW), schema=number)})
    assert sent["a"].prefixes()[0].key == sent["b"].prefixes()[0].key
    assert sent["a"].frame.schema == sent["b"].frame.schema, "a schema per agent would split the cache"
    assert is_envelope(sent["a"].frame.schema)
    assert sent["a"].prefixes()[-1].key != sent["b"].prefixes()[-1].key


def test_equal_schemas_split_nothing_and_stay_strict() -> None:
    sent = requests({"a": need("a", RULES, TONE), "b": need("b", TONE, LAW)})
    assert sent["a"].frame.schema == sent["b"].frame.schema == {"type": "object"}
    assert sent["a"].prefixes()[0].key == sent["b"].prefixes()[0].key


def wide(fields: int) -> dict[str, Any]:
    return {"type": "object", "properties": {f"field{number}": {"type": "string"} for number in range(fields)}}


def test_a_schema_that_costs_others_more_than_a_cache_of_their_own_stays_strict() -> None:
    """A small prefix shared is no gain over a long schema that stands in front of everybody's requests."""
    sent = requests({"a": need("a", RULES), "b": replace(need("b", RULES), schema=wide(900))})
    assert sent["b"].frame.schema == wide(900)
    assert sent["a"].frame.schema == {"type": "object"}


def test_an_envelope_that_makes_every_answer_longer_than_a_schema_is_none() -> None:
    name = "an_agent_whose_name_is_so_long_that_to_say_it_in_every_answer_costs_more_than_its_schema_in_the_tail" * 2
    sent = requests({name: need(name, RULES), "b": replace(need("b", RULES), schema=wide(1))})
    assert sent["b"].frame.schema is None
    assert sent["b"].prefixes()[0].key == sent[name].prefixes()[0].key


def test_the_user_may_choose_how_schemas_travel() -> None:
    needs = {"a": need("a", RULES), "b": replace(need("b", RULES), schema=wide(3))}
    ways = {
        way: {path: shape.way for path, shape in layout(needs, schemas=way).items()} for way in ("strict", "shared")
    }
    assert ways == {"strict": {"a": "strict", "b": "strict"}, "shared": {"a": "envelope", "b": "envelope"}}


def text_need(agent: str, *context: Block) -> Need:
    return replace(need(agent, *context), schema=None, value_schema={"type": "string"})


def ways(needs: Mapping[str, Need], schemas: Any = "auto", texts: Any = "auto") -> dict[str, str]:
    return {path: shape.way for path, shape in layout(needs, schemas=schemas, texts=texts).items()}


def test_texts_share_a_prefix_with_each_other_and_with_schemas_in_the_tail() -> None:
    large = Block("long", "l" * 60_000)
    needs = {"a": text_need("a", large), "b": text_need("b", large), "c": replace(need("c", large), schema=wide(2))}
    assert ways(needs) == {"a": "text", "b": "text", "c": "tail"}
    sent = requests(needs)
    assert len({request.prefixes()[0].key for request in sent.values()}) == 1
    assert all(request.frame.schema is None and not request.frame.schema_text for request in sent.values())
    assert sent["a"].content[-1].text.startswith("source: "), "nothing is said of a form"


def test_a_text_stands_apart_from_strict_schemas_where_that_is_cheaper() -> None:
    """A small prefix is written twice for less than a schema costs in every tail, or a name in every answer."""
    needs = {"a": text_need("a", RULES), "b": replace(need("b", RULES), schema=wide(40))}
    assert ways(needs) == ways(needs, "strict") == {"a": "text", "b": "strict"}
    assert requests(needs)["a"].prefixes()[0].key != requests(needs)["b"].prefixes()[0].key
    assert "strict" not in ways(needs, "shared").values(), "it splits a cache"


def test_a_text_joins_an_envelope_only_where_that_is_cheaper() -> None:
    """Where prefix and schemas are long: what the name costs in an answer is less than one more write."""
    large = Block("long", "l" * 60_000)
    needs = {
        "a": text_need("a", large), "b": replace(need("b", large), schema=wide(60)),
        "c": replace(need("c", large), schema=wide(61)), "alone": text_need("alone", LAW),
    }  # fmt: skip
    joined = {"a": "envelope", "b": "envelope", "c": "envelope", "alone": "text"}
    assert ways(needs) == joined
    shape = layout(needs)["a"]
    assert shape.format is not None and shape.format["properties"]["a"] == {"type": "string"}, "no object around it"
    assert ways(needs, texts="plain")["a"] == "text"
    short = {path: replace(one, context=(RULES,)) for path, one in needs.items()}
    assert ways(short)["a"] == "text"
    assert ways(short, texts="enclosed") == {"a": "envelope", "b": "envelope", "c": "envelope", "alone": "envelope"}


def test_a_value_that_is_no_object_stands_in_an_envelope_as_it_is() -> None:
    items = {"type": "array", "items": {"type": "string"}}
    listed = replace(need("b", RULES), schema={"type": "object", "properties": {"value": items}}, value_schema=items)
    shape = layout({"a": replace(need("a", RULES), schema=wide(9)), "b": listed}, schemas="shared")["b"]
    assert shape.format is not None and shape.format["properties"]["b"] == items


def test_what_the_api_cannot_carry_in_one_schema_is_no_envelope() -> None:
    union = {"type": "object", "properties": {"x": {"anyOf": [{"type": "string"}, {"type": "null"}]}}}
    assert envelope({f"a{number}": union for number in range(16)}) is not None
    assert envelope({f"a{number}": union for number in range(17)}) is None, "16 unions are the most"
    assert envelope({f"a{number}": {"type": "object"} for number in range(25)}) is None, (
        "24 optional fields are the most"
    )


@given(st.text(min_size=1, max_size=10), json_values)
def test_an_answer_comes_out_of_its_envelope_as_it_went_in(agent: str, answer: Any) -> None:
    assert json.loads(unseal(agent, seal(agent, canonical(answer)))) == answer
    for wrong in (seal(agent + "x", "1"), "[]", "no json"):
        with pytest.raises(OutputError):
            unseal(agent, wrong)


def test_prefixes_are_shared_at_several_levels() -> None:
    """What all need comes first, then what two of three need, each behind a breakpoint of its own."""
    sent = requests({"a": need("a", RULES, LAW), "b": need("b", TONE, RULES), "c": need("c", TONE, RULES)})
    keys = {path: [prefix.key for prefix in request.prefixes()] for path, request in sent.items()}
    assert keys["a"][0] == keys["b"][0] == keys["c"][0]
    assert keys["b"][1] == keys["c"][1] != keys["a"][1]


def test_no_breakpoint_stands_where_the_prefix_is_too_short_to_be_cached() -> None:
    short = Block("short", "s" * 100)
    assert requests({"a": need("a", short), "b": need("b", short)})["a"].prefixes() == ()
    long = requests({"a": need("a", RULES, model="claude-haiku-4-5")})["a"]
    assert long.prefixes() == (), "its minimum is 4,096 tokens"


def test_an_agent_alone_keeps_the_strict_schema_and_everything_in_system() -> None:
    request = requests({"a": need("a", RULES)})["a"]
    assert request.frame.schema == {"type": "object"}
    assert [part.marked for part in request.frame.system] == [False, True]
    assert len(request.content) == 1


HAIKU = "claude-haiku-5-5"


@pytest.mark.parametrize(("model", "arm_index"), [("claude-sonnet-5", 0), (HAIKU, 1), (HAIKU, 2)])
def test_models_and_arms_never_share(model: str, arm_index: int) -> None:
    """A test before this one gave the arm in the place of the tools: it could not fail."""

    def keys(model: str, arm_index: int) -> list[str]:
        sent = requests({"a": need("a", RULES), "b": need("b", RULES, model=model, arm_index=arm_index)})
        return [prefix.key for request in sent.values() for prefix in request.prefixes()]

    together, split = keys(HAIKU, 0), keys(model, arm_index)
    assert len(set(together)) < len(together), "agents of one model and arm share what both are shown"
    assert len(set(split)) == len(split) == 2, "nobody has a breakpoint that another could read"


def test_a_block_of_the_row_that_several_read_comes_first_and_is_marked() -> None:
    needs = {
        "a": need("a", RULES, rows=("row.source",)),
        "b": need("b", RULES, rows=("row.source",)),
        "c": need("c", RULES),
    }
    sent = requests(needs)
    assert [prefix.job for prefix in sent["a"].prefixes()] == [True, False]
    assert sent["a"].prefixes()[1].key == sent["b"].prefixes()[1].key
    assert "You are a." in sent["a"].content[1].text, "the instructions stand behind the row's block"
    assert requests(needs, "another row")["a"].prefixes()[1].key != sent["a"].prefixes()[1].key
    assert requests(needs, "another row")["a"].prefixes()[0].key == sent["a"].prefixes()[0].key
    assert not any(prefix.job is False for prefix in sent["c"].prefixes())


def test_a_block_of_the_row_that_one_agent_reads_is_not_marked() -> None:
    """A marker that nobody reads costs a quarter more."""
    assert [prefix.job for prefix in requests({"a": need("a", RULES, rows=("row.source",))})["a"].prefixes()] == [True]
    assert len(requests({"a": need("a", RULES, rows=("row.source",), repeated=True)})["a"].prefixes()) == 2


@given(
    st.lists(
        st.tuples(
            st.sets(st.sampled_from([RULES, TONE, LAW])),
            st.booleans(),
            st.sampled_from(["claude-haiku-5-5", "claude-opus-5-5"]),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_an_agent_is_shown_what_it_needs_and_nothing_else(agents: list[tuple[set[Block], bool, str]]) -> None:
    needs = {
        f"a{index}": need(
            f"a{index}", *sorted(blocks, key=lambda block: block.name), rows=("row.source",) if row else (), model=model
        )
        for index, (blocks, row, model) in enumerate(agents)
    }
    for path, request in requests(needs).items():
        wanted = {block.name: block.text for block in needs[path].context} | dict.fromkeys(
            needs[path].row_blocks, "the source"
        )
        parts = (*request.frame.system, *request.content)
        shown = {block.name: block.text for part in parts if (block := unfence(part.text))}
        assert shown == wanted
        assert sum(part.marked for part in (*request.frame.system, *request.content)) <= 4
        assert sum("You are" in part.text for part in (*request.frame.system, *request.content)) == 1
        for prefix in request.prefixes():
            assert prefix.tokens >= facts(request.model).cache_minimum * 0.99 or not prefix.job


PROGRAM = """
import sys; sys.path.insert(0, {sample!r})
from desk import triage, Ticket
from fanwise.engine.arms import build_arms
from fanwise.graph.state import RowState
arm = build_arms({{"fanout": triage.spec}})["fanout"]
agents = {{node.node.path: node for node in arm.agents()}}
state = RowState(triage.spec.template, {{0: Ticket(id="1", subject="s", body="x? y?")}})
from fanwise.graph.scope import Task
print(*[agents[task.node.path].request(task).hash() for task in state.start() if task.node.path in agents])
print(agents["draft"].static)
"""


def test_equal_values_give_equal_bytes_in_every_process() -> None:
    sample = str(Path(__file__).parent.parent / "sample")
    seen = set[str]()
    for seed, zone, language in (
        ("0", "UTC", "C"),
        ("1", "Asia/Tokyo", "C.UTF-8"),
        ("4711", "America/Lima", "tr_TR.UTF-8"),
    ):
        env = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": language}
        seen.add(
            subprocess.run(
                [sys.executable, "-c", PROGRAM.format(sample=sample)],
                env=env,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
    assert len(seen) == 1


def test_sets_and_dictionaries_have_one_form() -> None:
    assert canonical({"b": {3, 1, 2}, "a": frozenset("xyz")}) == '{"a":["x","y","z"],"b":[1,2,3]}'


@given(texts, texts, st.sampled_from([None, "5m", "1h"]), st.booleans(), st.none() | st.just("") | st.just("msg_1"))
def test_the_bytes_of_a_request_are_its_body(
    instructions: str, source: str, ttl: Any, stream: bool, previous: str | None
) -> None:
    """What rows share is serialised once; the whole must be what a plain serialisation would be."""
    needs = {"a": replace(need("a", RULES, rows=("row.source",)), instructions=instructions), "b": need("b", RULES)}
    request = requests(needs, source)["a"]
    body = request.body(run_id="r", ttl=ttl, row_ttl=ttl, previous=previous) | ({"stream": True} if stream else {})
    encoded = b"".join(request.encode(run_id="r", ttl=ttl, row_ttl=ttl, previous=previous, stream=stream))
    assert json.loads(encoded) == body
    assert body_hash(body) == request.hash()
