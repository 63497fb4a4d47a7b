"""What a well-formed body may not ask for: rules between fields, per model and per API version.

Sources: pages "Errors", "Thinking troubleshooting", "Structured outputs", "Tool use", "Versioning" and
"Prompt caching" (pre-warming), read 2026-11-23. The ids in comments are those of `rules.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fanwise.jsonable import as_list, as_object

from .body import LATEST, Dialect
from .problems import ApiProblem, invalid
from .tables import Model, find_model

MOST_STRICT_TOOLS = 20
FAST_HEADER = "fast-mode-2026-02-01"
_ASSISTANT_ONLY = ("tool_use", "server_tool_use", "thinking", "redacted_thinking")
_USER_ONLY = ("tool_result", "image", "search_result")


def model_of(body: dict[str, Any]) -> Model:
    """Return the model of a body.

    Raises:
        ApiProblem: There is none of this name (404).
    """
    model = find_model(body["model"])
    if model is None:
        raise ApiProblem(404, f"model: {body['model']}")
    return model


def permit(body: dict[str, Any], model: Model, dialect: Dialect) -> None:
    """Refuse what the model or the version does not allow.

    Raises:
        ApiProblem: Always a 400 with the first rule that is broken.
    """
    limit = body.get("max_tokens", 1)
    if not 0 <= limit <= model.max_output:
        raise invalid(f"max_tokens: {limit} is not within 0 and {model.max_output}, the limit of {body['model']}")
    for name, rule in _RULES:
        if name in body:
            rule(body, model, dialect)
    if limit == 0:
        _prewarm(body)
    _turns(body, model, dialect)


def _thinking(body: dict[str, Any], model: Model, dialect: Dialect) -> None:
    kind, effort = body["thinking"]["type"], as_object(body.get("output_config")).get("effort")
    if kind not in model.thinking:
        supported = ", ".join(sorted(model.thinking))
        raise invalid(f"thinking.type: {kind!r} is not supported by {body['model']}; supported are {supported}")
    high = effort in ("xhigh", "max")
    if kind == "between_tools" and high:
        raise invalid(f"thinking.type: 'between_tools' is not supported with effort {effort!r}")
    if kind == "disabled" and high and model.thinks:
        raise invalid(f"thinking.type: 'disabled' is not supported with effort {effort!r} by {body['model']}")
    _thinking_budget(body)


def _thinking_budget(body: dict[str, Any]) -> None:
    kind, budget = body["thinking"]["type"], body["thinking"].get("budget_tokens")
    if (kind == "enabled") != (budget is not None):
        raise invalid(f"thinking.budget_tokens: {'Field required' if budget is None else 'only with type enabled'}")
    if budget is not None and "max_tokens" in body and budget >= body["max_tokens"] > 0:
        raise invalid("max_tokens must be greater than thinking.budget_tokens")


def _output(body: dict[str, Any], model: Model, dialect: Dialect) -> None:
    config = body["output_config"]
    effort = config.get("effort")
    if effort is not None and effort not in model.efforts:
        if not model.efforts:
            raise invalid(f"output_config.effort: {body['model']} does not support effort")
        levels = ", ".join(sorted(model.efforts))
        raise invalid(f"This model does not support effort level {effort!r}. Supported levels: {levels}.")
    if not config.get("format"):
        return
    if any(_cites(message) for message in body["messages"]):
        raise invalid("output_config.format: citations cannot be used with structured outputs")
    if body["messages"][-1]["role"] == "assistant":
        raise invalid("output_config.format: prefill cannot be used with structured outputs")


def _cites(message: dict[str, Any]) -> bool:
    content = message["content"]
    return any(as_object(block.get("citations")) == {"enabled": True} for block in as_list(content))


def _tool_choice(body: dict[str, Any], model: Model, dialect: Dialect) -> None:
    choice, tools = body["tool_choice"], as_list(body.get("tools"))
    kind = choice["type"]
    if not tools and kind != "none":
        raise invalid("tool_choice: may only be specified while providing tools")
    if kind in ("any", "tool"):
        _forced_tools(body, model, kind)
    if (kind == "tool") != ("name" in choice):
        raise invalid(f"tool_choice.name: {'Field required' if kind == 'tool' else 'Extra inputs are not permitted'}")
    if kind == "tool" and choice["name"] not in [tool.get("name") for tool in tools]:
        raise invalid(f"tool_choice.name: tool {choice['name']!r} not found in provided tools")


def _forced_tools(body: dict[str, Any], model: Model, kind: str) -> None:
    if not model.forced_tools:
        raise invalid(f"tool_choice: {kind!r} is not supported by {body['model']}, which always thinks")
    if as_object(body.get("thinking")).get("type") == "enabled":
        raise invalid("tool_choice: forced tool use is not compatible with thinking")


def _tools(body: dict[str, Any], model: Model, dialect: Dialect) -> None:
    names: set[str] = set()
    for index, tool in enumerate(body["tools"]):
        name = tool.get("name", tool.get("type"))
        if name in names:
            raise invalid(f"tools.{index}.name: Tool names must be unique, {name!r} is used twice")
        names.add(name)
        if "input_schema" in tool and tool["input_schema"].get("type") != "object":
            raise invalid(f"tools.{index}.custom.input_schema.type: Input should be 'object'")
    if sum(bool(tool.get("strict")) for tool in body["tools"]) > MOST_STRICT_TOOLS:
        raise invalid(f"tools: at most {MOST_STRICT_TOOLS} strict tools are allowed")


def _speed(body: dict[str, Any], model: Model, dialect: Dialect) -> None:
    speed = body["speed"]
    if speed == "fast" and not model.fast:
        raise invalid(f"speed: 'fast' is not supported by {body['model']}")
    if speed is not None and model.fast == "header" and FAST_HEADER not in dialect.betas:
        raise invalid(f"speed: {body['model']} needs the beta header {FAST_HEADER}")


def _geo(body: dict[str, Any], model: Model, dialect: Dialect) -> None:
    if body["inference_geo"] is not None and not model.geo:
        raise invalid(f"inference_geo: not supported by {body['model']}")


_Rule = Callable[[dict[str, Any], Model, Dialect], None]
_RULES: tuple[tuple[str, _Rule], ...] = (
    ("thinking", _thinking), ("output_config", _output), ("tools", _tools), ("tool_choice", _tool_choice),
    ("speed", _speed), ("inference_geo", _geo),
)  # fmt: skip


def _prewarm(body: dict[str, Any]) -> None:
    """`max_tokens: 0` writes the cache and nothing else."""
    conflicts: dict[str, object] = {
        "stream": body.get("stream"),
        "thinking.type enabled": as_object(body.get("thinking")).get("type") == "enabled",
        "output_config.format": as_object(body.get("output_config")).get("format"),
        "a forced tool_choice": as_object(body.get("tool_choice")).get("type") in ("any", "tool"),
    }
    for name, is_set in conflicts.items():
        if is_set:
            raise invalid(f"max_tokens: 0 cannot be used with {name}")


def _turns(body: dict[str, Any], model: Model, dialect: Dialect) -> None:
    """Check roles, and which block may stand in whose turn."""
    open_calls: set[str] = set()
    for number, message in enumerate(body["messages"]):
        role, content = message["role"], message["content"]
        if role == "system" and not model.system_turns:
            raise invalid(f"messages.{number}.role: 'system' is not supported by {body['model']}")
        if not isinstance(content, str):
            open_calls = _turn(number, role, content, open_calls, dialect)
        elif open_calls:
            raise _unanswered(number, open_calls)
    if open_calls:
        raise _unanswered(len(body["messages"]) - 1, open_calls)
    if body["messages"][-1]["role"] == "assistant" and not model.prefill:
        raise invalid(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )


def _turn(number: int, role: str, content: list[dict[str, Any]], open_calls: set[str], dialect: Dialect) -> set[str]:
    """Check the blocks of a message; return the ids of the calls of tools that the next one has to answer."""
    problem_of = _PLACES[role]
    for index, block in enumerate(content):
        problem = problem_of(block, dialect)
        if problem is not None:
            raise invalid(f"messages.{number}.content.{index}{problem}")
    if role == "system":
        return open_calls
    if role == "user":
        _check_results(number, content, open_calls)
    return {block["id"] for block in content if block["type"] == "tool_use"}


def _check_results(number: int, content: list[dict[str, Any]], open_calls: set[str]) -> None:
    results = {block["tool_use_id"] for block in content if block["type"] == "tool_result"}
    if open_calls - results:
        raise _unanswered(number, open_calls - results)
    if results - open_calls:
        raise invalid(
            f"messages.{number}: `tool_result` without a `tool_use` in the turn before: "
            f"{', '.join(sorted(results - open_calls))}"
        )


def _unanswered(number: int, ids: set[str]) -> ApiProblem:
    return invalid(f"messages.{number}: `tool_use` without a `tool_result` right after: {', '.join(sorted(ids))}")


# What is wrong with a block in a turn: the text that stands behind its place, or None -----------------


def _in_system(block: dict[str, Any], dialect: Dialect) -> str | None:
    return None if block["type"] == "text" else ": only text blocks can be in `system` messages"


def _in_user(block: dict[str, Any], dialect: Dialect) -> str | None:
    kind = block["type"]
    if kind in _ASSISTANT_ONLY:
        return f": `{kind}` blocks can only be in `assistant` messages"
    if kind == "text" and block.get("citations") and dialect.version == LATEST:
        return ".citations: not permitted on text blocks of `user` messages"
    return None


def _in_assistant(block: dict[str, Any], dialect: Dialect) -> str | None:
    kind = block["type"]
    if kind in _USER_ONLY:
        return f": `{kind}` blocks can only be in `user` messages"
    if kind == "document" and dialect.version == LATEST:
        return ": `document` blocks cannot be in `assistant` messages"
    return None


_PLACES: dict[str, Callable[[dict[str, Any], Dialect], str | None]] = {
    "system": _in_system, "user": _in_user, "assistant": _in_assistant
}  # fmt: skip


def permit_count(body: dict[str, Any], model: Model, dialect: Dialect) -> None:
    """Refuse what the token counter refuses: server tools, MCP servers, sources by URL or file.

    Raises:
        ApiProblem: A 400.
    """
    permit(body, model, dialect)
    if body.get("mcp_servers"):
        raise invalid("mcp_servers: not supported by token counting")
    for index, tool in enumerate(body.get("tools") or ()):
        kind = tool.get("type") or "custom"
        if kind != "custom" and not kind.startswith("advisor_"):
            raise invalid(f"tools.{index}.type: server tool {kind!r} is not supported by token counting")
    for number, message in enumerate(body["messages"]):
        _refuse_fetching(number, as_list(message["content"]))


def _refuse_fetching(number: int, content: list[dict[str, Any]]) -> None:
    for index, block in enumerate(content):
        if as_object(block.get("source")).get("type") in ("url", "file"):
            raise invalid(f"messages.{number}.content.{index}.source: send base64, token counting fetches nothing")
