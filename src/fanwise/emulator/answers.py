"""What a model would say: a script, a callable, or else a valid value from the schema.

A script is told over `POST /_emulator/answers`: a text to match in the request, and an answer.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fanwise.jsonable import as_list, as_object

from .problems import ApiProblem, invalid
from .values import value

PLAIN = "This is a simulated answer."
CATEGORIES = ("cyber", "bio", "frontier_llm", "reasoning_extraction", "general_harms")


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool."""

    name: str
    input: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says in one turn."""

    text: str = ""
    tools: tuple[ToolCall, ...] = ()
    thinking: str | None = None
    """None: as much as the effort asks for, where the model thinks."""
    refusal: str = ""
    """Category of a refusal; empty: none. `unnamed` is a refusal without a category."""


_PLAIN_ANSWER = Answer(PLAIN)
Said = Answer | str | Mapping[str, Any] | None
"""An answer, a text, or what a script says: `{"tools": [...]}`, `{"json": ...}`."""
Answerer = Callable[[dict[str, Any]], "Said | Awaitable[Said]"]
"""Gives the answer to a Messages body, or None to leave it to the built-in one."""


@dataclass(slots=True)
class Script:
    """A scripted answer; it goes when its count is used up."""

    answer: Answer
    match: str = ""
    model: str = ""
    count: int | None = None


@dataclass
class Answers:
    """All that can answer, in this order: scripts, the callable, the schema."""

    answerer: Answerer | None = None
    scripts: list[Script] = field(default_factory=list[Script])

    def add(self, data: object) -> Script:
        """Add a script.

        Raises:
            ApiProblem: A field is unknown, of a wrong type, or the script says nothing.
        """
        script = _script(data)
        self.scripts.append(script)
        return script

    def scripted(self, model: str, text: Callable[[], str]) -> Answer | None:
        """Return the answer of the first script that fits, and use it up by one."""
        whole = text()
        for script in self.scripts:
            if script.match in whole and script.model in model:
                if script.count is not None:
                    script.count -= 1
                    if script.count <= 0:
                        self.scripts.remove(script)
                return script.answer
        return None

    def at_once(self, body: dict[str, Any], text: Callable[[], str]) -> Answer | None:
        """Return what is said to a body, or None where the callable has to be asked.

        Args:
            body: A checked Messages body.
            text: Gives the body as JSON text, for scripts to match.
        """
        found = self.scripted(body["model"], text) if self.scripts else None
        return built_in(body) if found is None and self.answerer is None else found

    async def ask(self, body: dict[str, Any]) -> Answer:
        """Return what the callable says to a body, or the built-in answer.

        Raises:
            ApiProblem: The callable has raised.
        """
        assert self.answerer is not None
        try:
            said = self.answerer(body)
            if inspect.isawaitable(said):
                said = await said
        except ApiProblem:
            raise
        except Exception as error:  # a stand-in is somebody's code; the server must go on
            raise invalid(f"the stand-in raised {type(error).__name__}: {error}") from error
        if said is None:
            return built_in(body)
        if isinstance(said, Mapping):
            return _script(dict(said)).answer
        return Answer(said) if isinstance(said, str) else said


_FIELDS = {"match", "model", "count", "text", "json", "tool", "tools", "thinking", "refusal"}


def _script(data: object) -> Script:
    given = as_object(data)
    unknown = sorted(set(given) - _FIELDS)
    if not given or unknown:
        raise invalid(f"a script has {', '.join(sorted(_FIELDS))}; got {unknown[0] if unknown else data!r}")
    for name in ("match", "model", "text", "thinking", "refusal"):
        if not isinstance(given.get(name, ""), str):
            raise invalid(f"{name}: Input should be a valid string")
    calls = as_list(given.get("tools")) + ([given["tool"]] if "tool" in given else [])
    tools = [ToolCall(str(call.get("name", "")), as_object(call.get("input"))) for call in map(as_object, calls)]
    if any(not call.name for call in tools):
        raise invalid('tool: a tool has a name, as in {"name": "search", "input": {}}')
    refusal, count = given.get("refusal", ""), given.get("count")
    if refusal and refusal not in (*CATEGORIES, "unnamed"):
        raise invalid(f"refusal: {refusal!r} is none of {', '.join((*CATEGORIES, 'unnamed'))}")
    if count is not None and (type(count) is not int or count < 1):
        raise invalid("count: Input should be a positive whole number")
    text = json.dumps(given["json"], ensure_ascii=False) if "json" in given else given.get("text", "")
    if not (text or tools or refusal):
        raise invalid("a script says something: one of text, json, tool, tools, refusal")
    answer = Answer(text, tuple(tools), given.get("thinking"), refusal)
    return Script(answer, given.get("match", ""), given.get("model", ""), count)


# Built in ----------------------------------------------------------------------------------------


def built_in(body: Mapping[str, Any]) -> Answer:
    """Return calls of tools where tools are to be called, JSON for a schema, else a plain sentence."""
    calls = _calls(body) if body.get("tools") else ()
    if calls:
        return Answer(tools=calls)
    schema = schema_of(body)
    return _PLAIN_ANSWER if schema is None else Answer(json.dumps(_fitting(schema)))


def _fitting(schema: Mapping[str, Any]) -> Any:
    try:
        return value(schema)
    except (ArithmeticError, ValueError, RecursionError):  # bounds that no number keeps
        return None


def _calls(body: Mapping[str, Any]) -> tuple[ToolCall, ...]:
    """Return the tools that a model would call.

    A forced tool is called; with `any` what was not called yet, else the last one; free, every
    tool once, before the first result comes back. In parallel unless that is switched off.
    """
    choice = as_object(body.get("tool_choice"))
    kind = choice.get("type", "auto")
    tools = [tool for tool in body["tools"] if "input_schema" in tool and not tool.get("defer_loading")]
    if not tools or kind == "none":
        return ()
    if kind == "tool":
        wanted = [tool for tool in tools if tool["name"] == choice.get("name")]
    else:
        called = {
            block["name"]
            for message in body["messages"]
            if isinstance(message["content"], list)
            for block in message["content"]
            if block["type"] == "tool_use"
        }
        wanted = [tool for tool in tools if tool["name"] not in called]
        if kind == "auto" and called:
            return ()
        wanted = wanted or tools[-1:]
    wanted = wanted[:1] if choice.get("disable_parallel_tool_use") else wanted
    return tuple(ToolCall(tool["name"], as_object(_fitting(tool["input_schema"]))) for tool in wanted)


def schema_of(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the schema in `output_config.format`, or in a line `schema: {...}` of the last text."""
    for form in (as_object(body.get("output_config")).get("format"), body.get("output_format")):
        if form and isinstance(as_object(form).get("schema"), dict):
            return as_object(as_object(form)["schema"])
    for message in reversed(body["messages"]):  # with tools the question stands further in front
        found = _in_text(message["content"]) if message["role"] == "user" else None
        if found is not None:
            return found
    return None


def _in_text(content: Any) -> dict[str, Any] | None:
    texts = [content] if isinstance(content, str) else [one["text"] for one in content if one["type"] == "text"]
    for line in texts[-1].split("\n") if texts and "schema: {" in texts[-1] else ():
        if line.startswith("schema: {"):
            try:
                return as_object(json.loads(line.removeprefix("schema: ")))
            except ValueError:
                return None
    return None
