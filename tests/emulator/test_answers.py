"""What is answered: scripts, callables, values from schemas, calls of tools, and where an answer ends."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sending import BODY, HI, Send, answered, refused, send_to, turns

from fanwise.emulator import Answer, Emulator, ToolCall
from fanwise.emulator.values import value_of

CITY = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "people": {"type": "integer", "minimum": 3}},
    "required": ["name", "people"],
}
TOOLS = [{"name": name, "input_schema": CITY} for name in ("look", "find")]


def texts(message: dict[str, Any]) -> str:
    return "".join(block["text"] for block in message["content"] if block["type"] == "text")


def calls(message: dict[str, Any]) -> list[str]:
    return [block["name"] for block in message["content"] if block["type"] == "tool_use"]


@pytest.mark.rule("stop-sequence")
def test_a_text_ends_before_a_stop_sequence(send: Send) -> None:
    message = answered(send, max_tokens=50, stop_sequences=["zzz", "simulated"])
    assert texts(message) == "This is a "
    assert (message["stop_reason"], message["stop_sequence"]) == ("stop_sequence", "simulated")
    assert message["usage"]["output_tokens"] == 4


@pytest.mark.rule("truncation")
def test_an_answer_ends_at_max_tokens(send: Send) -> None:
    message = answered(send, max_tokens=2)
    assert (texts(message), message["stop_reason"], message["usage"]["output_tokens"]) == ("This ", "max_tokens", 2)


@pytest.mark.rule("refusal", "price-refusal")
def test_a_refusal_is_a_reply_and_free_before_any_output(emulator: Emulator, send: Send) -> None:
    for category, text, paid in (
        ("cyber", "", False), ("unnamed", "", False), ("bio", "", True), ("cyber", "I began", True)
    ):  # fmt: skip
        emulator.reset()
        emulator.say(refusal=category, text=text)
        message = answered(send)
        assert message["stop_reason"] == "refusal"
        assert message["stop_details"]["category"] == (None if category == "unnamed" else category)
        assert emulator.bill()["totals"]["entries"] == int(paid), (category, text)


@pytest.mark.rule("structured-output")
def test_a_format_is_kept(send: Send) -> None:
    config = {"format": {"type": "json_schema", "schema": CITY}}
    assert json.loads(texts(answered(send, max_tokens=50, output_config=config))) == {"name": "text", "people": 3}
    for words in ("schema: ", "Answer by this schema, and with nothing else: "):
        messages = turns(f"Answer as the agent x.\n{words}{json.dumps(CITY)}\nname: value")
        assert json.loads(texts(answered(send, max_tokens=50, messages=messages))) == {"name": "text", "people": 3}


@pytest.mark.rule("tools-forced", "tools-parallel")
def test_forced_tools_are_called(send: Send) -> None:
    def call(**choice: Any) -> list[str]:
        return calls(answered(send, max_tokens=90, tools=TOOLS, tool_choice=choice))

    assert call(type="tool", name="find") == ["find"]
    assert call(type="any") == ["look", "find"]
    assert call(type="any", disable_parallel_tool_use=True) == ["look"]
    assert call(type="none") == []


@pytest.mark.rule("tools-free")
def test_free_tools_are_called_once_and_then_there_is_an_answer(send: Send) -> None:
    first = answered(send, max_tokens=90, tools=TOOLS)
    assert (calls(first), first["stop_reason"]) == (["look", "find"], "tool_use")
    assert first["content"][0]["input"] == {"name": "text", "people": 3}
    uses = [block for block in first["content"] if block["type"] == "tool_use"]
    results = [{"type": "tool_result", "tool_use_id": use["id"], "content": "x"} for use in uses]
    last = answered(send, max_tokens=90, tools=TOOLS, messages=turns("hi", uses, results))
    assert (calls(last), last["stop_reason"]) == ([], "end_turn")


def test_a_call_that_does_not_fit_is_not_made(send: Send) -> None:
    message = answered(send, max_tokens=5, tools=TOOLS)
    assert (calls(message), message["stop_reason"]) == ([], "max_tokens")


def test_scripts_answer_first_and_are_used_up(emulator: Emulator, send: Send) -> None:
    emulator.say("weather", text="Sunny.", count=1)
    emulator.say("weather", tool={"name": "look", "input": {"name": "x"}})
    emulator.say(json={"a": 1}, model="sonnet")
    weather = {"max_tokens": 60, "messages": turns("How is the weather?")}
    assert texts(answered(send, **weather)) == "Sunny."
    assert calls(answered(send, **weather)) == ["look"]
    assert texts(answered(send, model="claude-sonnet-5")) == '{"a": 1}'
    assert texts(answered(send, max_tokens=60)) == "This is a simulated answer."


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ({}, "a script says something"),
        ({"match": "x"}, "a script says something"),
        ({"texts": "x"}, "got 'texts'"),
        ({"text": 1}, "text: Input should be a valid string"),
        ({"tool": {}}, "tool: a tool has a name"),
        ({"tools": [{"name": "look"}, {}]}, "tool: a tool has a name"),
        ({"refusal": "rude"}, "refusal: 'rude' is none of"),
        ({"text": "x", "count": 0}, "count: Input should be a positive whole number"),
    ],
)
def test_a_script_that_says_nothing_is_refused(emulator: Emulator, script: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        emulator.say(**script)


def test_a_callable_answers_and_what_it_raises_is_the_message_of_an_error() -> None:
    async def answer(body: dict[str, Any]) -> Answer | str | None:
        question = body["messages"][0]["content"]
        if question == "raise":
            raise ValueError("no idea")
        return {"text": "I say", "tool": Answer(text="And", tools=(ToolCall("look", {"a": 1}),))}.get(question)

    with Emulator(answer=answer) as emulator:

        def ask(text: str) -> tuple[int, dict[str, Any]]:
            body = {**BODY, "max_tokens": 60, "messages": turns(text), "tools": TOOLS}
            return send_to(emulator.url, "/v1/messages", body)[:2]

        assert texts(ask("text")[1]) == "I say"
        assert (texts(ask("tool")[1]), calls(ask("tool")[1])) == ("And", ["look"])
        assert calls(ask("nothing")[1]) == ["look", "find"], "left to the built-in answer"
        status, reply = ask("raise")
        assert (status, reply["error"]["message"]) == (400, "the stand-in raised ValueError: no idea")


def test_tools_are_refused_where_a_model_refuses_them(send: Send) -> None:
    refused(send, "tool_choice", model="claude-opus-5-5", messages=HI, tools=TOOLS, tool_choice={"type": "any"})


# Values ------------------------------------------------------------------------------------------

scalars = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("integer")}, optional={"minimum": st.integers(-99, 5), "maximum": st.integers(6, 99)}
    ),
    st.fixed_dictionaries(
        {"type": st.just("number")}, optional={"minimum": st.floats(-9, 9), "multipleOf": st.just(1)}
    ),
    st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={"minLength": st.integers(0, 9), "maxLength": st.integers(9, 20), "pattern": st.just("^[a-z]+$")},
    ),
    st.fixed_dictionaries({"type": st.just("string"), "format": st.sampled_from(["date", "uuid", "email", "ipv4"])}),
    st.sampled_from(
        [{"type": "boolean"}, {"type": "null"}, {"const": "x"}, {"enum": [3, "y"]}, {"type": ["null", "string"]}]
    ),
)
schemas = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.builds(
            lambda properties, extra: {
                "type": "object", "properties": properties, "required": sorted(properties)[:1], **extra
            },
            st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
            st.sampled_from([{}, {"additionalProperties": False}]),
        ),
        st.builds(
            lambda items, least: {"type": "array", "items": items, "minItems": least}, inner, st.integers(0, 4)
        ),
        st.builds(lambda options: {"anyOf": options}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda schema: {"allOf": [schema]}, inner),
        st.builds(lambda schema: {"$ref": "#/$defs/one", "$defs": {"one": schema}}, scalars),
    ),
    max_leaves=8,
)  # fmt: skip


def _lifted(schema: Any, definitions: dict[str, Any]) -> Any:
    """A schema with the definitions of its parts at its root, where references look for them."""
    if isinstance(schema, dict):
        lifted = {name: _lifted(part, definitions) for name, part in schema.items() if name != "$defs"}
        if "$defs" in schema:
            name = f"d{len(definitions)}"
            definitions[name] = schema["$defs"]["one"]
            lifted["$ref"] = f"#/$defs/{name}"
        return lifted
    return [_lifted(part, definitions) for part in schema] if isinstance(schema, list) else schema


@given(schemas)
def test_a_value_fits_its_schema_and_is_always_the_same(schema: Any) -> None:
    definitions: dict[str, Any] = {}
    lifted = {**_lifted(schema, definitions), "$defs": definitions}
    fitting = value_of(lifted)
    jsonschema.validate(fitting, lifted, format_checker=jsonschema.FormatChecker())
    assert value_of(lifted) == fitting


def test_schemas_without_end_end() -> None:
    """Two references to itself doubled the value at every level."""
    pair = {"type": "object", "properties": {"l": {"$ref": "#"}, "r": {"$ref": "#"}}}
    assert len(json.dumps(value_of(pair))) < 100_000
    assert value_of({"$ref": "#"}) is None
    assert value_of({"type": "array", "minItems": 10**9}) == ["text"] * 1000
    endless: list[dict[str, Any]] = [
        {"type": "array", "items": {"$ref": "#"}, "minItems": 4},
        {"type": "object", "additionalProperties": {"$ref": "#"}, "required": ["a", "b", "c"]},
        {"allOf": [{"$ref": "#"}, {"$ref": "#"}]},
    ]
    for schema in endless:
        with pytest.raises(ValueError, match="asks for more than 50,000 parts"):
            value_of(schema)


def test_a_schema_without_any_value_is_answered_by_null(send: Send) -> None:
    """Found: four items that are the schema itself kept the whole emulator busy for as long as one waited."""
    schema = {"type": "array", "items": {"$ref": "#"}, "minItems": 4}
    config = {"format": {"type": "json_schema", "schema": schema}}
    assert texts(answered(send, max_tokens=50, output_config=config)) == "null"
