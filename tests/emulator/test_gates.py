"""What a model does not do is refused: thinking, effort, forced tools, prefill, speed, region."""

from __future__ import annotations

from typing import Any

import pytest
from sending import HEADERS, HI, Send, answered, refused, turns

from fanwise.models import intensity

TOOL = {"name": "f", "input_schema": {"type": "object", "properties": {"a": {"type": "integer"}}}}
ON, OFF = {"type": "adaptive"}, {"type": "disabled"}
BUDGET = {"type": "enabled", "budget_tokens": 1024}
BETWEEN = {"type": "between_tools"}


@pytest.mark.rule("gate-thinking")
@pytest.mark.parametrize(
    ("model", "good", "bad"),
    [
        ("claude-fable-5-2", [ON], [BUDGET, OFF, BETWEEN]),
        ("claude-opus-5-5", [ON], [BUDGET, OFF, BETWEEN]),
        ("claude-opus-5", [ON, OFF], [BUDGET, BETWEEN]),
        ("claude-sonnet-5-5", [ON, BETWEEN], [BUDGET, OFF]),
        ("claude-sonnet-5", [ON, OFF], [BUDGET]),
        ("claude-haiku-5-5", [ON, OFF], [BUDGET, BETWEEN]),
        ("claude-opus-4-8", [ON, OFF], [BUDGET]),
        ("claude-sonnet-4-6", [ON, OFF, BUDGET], [BETWEEN]),
        ("claude-haiku-4-5", [OFF, BUDGET], [ON, BETWEEN]),
    ],
)
def test_thinking_by_model(send: Send, model: str, good: list[Any], bad: list[Any]) -> None:
    for thinking in good:
        answered(send, model=model, max_tokens=2000, thinking=thinking)
    for thinking in bad:
        refused(send, "thinking.type", model=model, max_tokens=2000, thinking=thinking)


def test_a_budget_goes_with_enabled_alone_and_below_max_tokens(send: Send) -> None:
    model = "claude-haiku-4-5"
    refused(send, "budget_tokens: Field required", model=model, thinking={"type": "enabled"})
    refused(send, "budget_tokens: only", model=model, thinking={"type": "disabled", "budget_tokens": 1024})
    refused(send, "greater than", model=model, max_tokens=1024, thinking=BUDGET)


@pytest.mark.rule("gate-effort-off")
@pytest.mark.parametrize(
    ("model", "thinking"), [("claude-haiku-5-5", OFF), ("claude-opus-5", OFF), ("claude-sonnet-5-5", BETWEEN)]
)
def test_no_thinking_goes_with_low_efforts_alone(send: Send, model: str, thinking: Any) -> None:
    for effort in ("low", "high"):
        answered(send, model=model, thinking=thinking, output_config={"effort": effort})
    for effort in ("xhigh", "max"):
        refused(send, effort, model=model, thinking=thinking, output_config={"effort": effort})


def test_old_models_take_no_effort(send: Send) -> None:
    refused(send, "does not support effort", model="claude-haiku-4-5", output_config={"effort": "low"})


@pytest.mark.parametrize("model", ["claude-opus-4-6", "claude-sonnet-4-6"])
def test_models_of_4_6_take_every_effort_but_xhigh(send: Send, model: str) -> None:
    """They were sent it, and every row of such an agent would have failed."""
    said = "This model does not support effort level 'xhigh'. Supported levels: high, low, max, medium."
    refused(send, said, model=model, output_config={"effort": "xhigh"})
    answered(send, model=model, output_config={"effort": "max"})
    with pytest.raises(ValueError, match="xhigh"):
        intensity(model, None, "xhigh")


@pytest.mark.rule("gate-forced-tools")
@pytest.mark.parametrize("model", ["claude-fable-5-1", "claude-opus-5-5", "claude-sonnet-5-5"])
def test_models_that_always_think_take_no_forced_tool(send: Send, model: str) -> None:
    for choice in ({"type": "any"}, {"type": "tool", "name": "f"}):
        refused(send, "tool_choice", model=model, tools=[TOOL], tool_choice=choice)
        answered(send, model="claude-haiku-5-5", max_tokens=99, tools=[TOOL], tool_choice=choice)
    answered(send, model=model, tools=[TOOL], tool_choice={"type": "auto"})


@pytest.mark.rule("gate-prefill")
def test_a_prefill_is_for_old_models(send: Send) -> None:
    refused(send, "does not support assistant message prefill", messages=turns("hi", "The answer is"))
    answered(send, model="claude-sonnet-4-5", messages=turns("hi", "The answer is"))


@pytest.mark.rule("gate-fast")
def test_fast_mode_by_model_and_header(send: Send) -> None:
    refused(send, "speed", speed="fast")
    assert answered(send, model="claude-opus-5-5", speed="fast")["usage"]["speed"] == "fast"
    refused(send, "fast-mode-2026-02-01", model="claude-opus-5", speed="fast")
    answered(send, {**HEADERS, "anthropic-beta": "fast-mode-2026-02-01"}, model="claude-opus-5", speed="fast")


@pytest.mark.rule("gate-geo")
def test_old_models_have_no_regions(send: Send) -> None:
    refused(send, "inference_geo", model="claude-haiku-4-5", inference_geo="us")


@pytest.mark.rule("thinking-default", "thinking-amount")
def test_a_model_thinks_by_default_by_effort_and_where_there_is_room(send: Send) -> None:
    def thought(**changes: Any) -> int:
        message = answered(send, **changes)
        kinds = [block["type"] for block in message["content"]]
        tokens = message["usage"]["output_tokens_details"]["thinking_tokens"]
        assert ("thinking" in kinds) == (tokens > 0)
        assert message["usage"]["output_tokens"] >= tokens
        return tokens

    assert thought(max_tokens=1000) == 48, "medium is the default of Haiku 5.5"
    assert thought(max_tokens=1000, output_config={"effort": "low"}) == 16
    assert thought(max_tokens=1000, output_config={"effort": "max"}) == 384
    assert thought(max_tokens=1000, thinking=OFF) == 0
    assert thought(max_tokens=95) == 0, "half of it would not be enough"
    assert thought(max_tokens=1000, model="claude-opus-4-8") == 0, "does not think by default"
    assert thought(max_tokens=1000, model="claude-sonnet-5-5", thinking=BETWEEN) == 0


@pytest.mark.rule("thinking-stripped")
def test_old_thinking_is_dropped_at_a_new_turn_on_old_models_alone(send: Send) -> None:
    thinking = {"type": "thinking", "thinking": "abc" * 100, "signature": "s"}
    kept, dropped = (
        answered(send, model=model, messages=turns("hi", [thinking, {"type": "text", "text": "x"}], "go on"))["usage"]
        for model in ("claude-haiku-5-5", "claude-haiku-4-5")
    )
    assert kept["input_tokens"] == 1 + 120 + 1 + 2
    assert dropped["input_tokens"] == 1 + 1 + 2


@pytest.mark.rule("structured-conflicts")
def test_structured_output_goes_neither_with_citations_nor_with_a_prefill(send: Send) -> None:
    config = {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    source = {"type": "text", "media_type": "text/plain", "data": "x"}
    document = {"type": "document", "source": source, "citations": {"enabled": True}}
    refused(send, "citations", output_config=config, messages=turns([document]))
    refused(send, "prefill", model="claude-sonnet-4-5", output_config=config, messages=turns("hi", "x"))


@pytest.mark.rule("tools-named")
def test_tools_have_names_of_their_own_and_forced_ones_are_there(send: Send) -> None:
    refused(send, "unique", tools=[TOOL, TOOL])
    refused(send, "not found", tools=[TOOL], tool_choice={"type": "tool", "name": "g"})
    refused(send, "name: Field required", tools=[TOOL], tool_choice={"type": "tool"})
    refused(send, "while providing tools", tool_choice={"type": "any"})
    strict = [{**TOOL, "name": f"f{number}", "strict": True} for number in range(21)]
    refused(send, "strict", tools=strict)


@pytest.mark.rule("tools-answered")
def test_every_call_of_a_tool_is_answered_right_after(send: Send) -> None:
    use = {"type": "tool_use", "id": "t1", "name": "f", "input": {}}
    stray = {"type": "tool_result", "tool_use_id": "t2"}
    for after in ("never mind", [{"type": "text", "text": "x"}], [stray]):
        refused(send, "t1", messages=turns("hi", [use], after))
    refused(send, "without a `tool_use`", messages=turns([stray]))
    answered(send, messages=turns("hi", [use], [{"type": "tool_result", "tool_use_id": "t1"}]))


@pytest.mark.rule("prewarm-conflicts")
@pytest.mark.parametrize(
    "changes",
    [
        {"stream": True},
        {"thinking": BUDGET, "model": "claude-haiku-4-5"},
        {"output_config": {"format": {"type": "json_schema", "schema": {}}}},
        {"tools": [TOOL], "tool_choice": {"type": "any"}},
    ],
)
def test_a_pre_warm_call_asks_for_nothing(send: Send, changes: dict[str, Any]) -> None:
    refused(send, "max_tokens: 0", max_tokens=0, **changes)
    answered(send, max_tokens=0, messages=HI)
