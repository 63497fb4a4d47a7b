"""What a model would answer: a script, a callable, or else a valid value from the schema.

A script comes over `POST /_emulator/answers`: a text to match in the request, and an answer.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fanwise.jsonable import as_list, as_object

from .problems import ApiProblem, invalid
from .values import value_of

PLAIN = "This is a simulated answer."
UNNAMED = "unnamed"
"""A refusal without a category."""
CATEGORIES = ("cyber", "bio", "frontier_llm", "reasoning_extraction", "general_harms")
"""Categories of refusals."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool."""

    name: str
    input: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the model says in one turn."""

    text: str = ""
    tools: tuple[ToolCall, ...] = ()
    thinking: str | None = None
    """None: as much as the effort asks for, where the model thinks."""
    refusal: str = ""
    """Category of a refusal; empty: none. `unnamed` is a refusal without a category."""


_PLAIN_ANSWER = Answer(text=PLAIN)
AnswerLike = Answer | str | Mapping[str, Any] | None
"""An answer, a text, or the fields of a script: `{"tools": [...]}`, `{"json": ...}`."""
Answerer = Callable[[dict[str, Any]], "AnswerLike | Awaitable[AnswerLike]"]
"""Gives the answer to a Messages body, or None to leave it to the built-in one."""


@dataclass(slots=True, kw_only=True)
class Script:
    """A scripted answer; it goes when its count is used up."""

    answer: Answer
    match: str = ""
    """A text of the request; empty: any."""
    model: str = ""
    """A part of the model's name; empty: any."""
    count: int | None = None
    """Answers that are left; None: without end."""


@dataclass
class Answers:
    """All that can answer, in this order: scripts, the callable, the schema."""

    answerer: Answerer | None = None
    scripts: list[Script] = field(default_factory=list[Script])

    def add_script(self, fields: object) -> Script:
        """Add a script.

        Raises:
            ApiProblem: A field is unknown, of a wrong type, or the script says nothing.
        """
        script = _script(fields)
        self.scripts.append(script)
        return script

    def scripted(self, model: str, text: Callable[[], str]) -> Answer | None:
        """Return the answer of the first script that fits, and use it up by one."""
        request_text = text()
        for script in self.scripts:
            if script.match in request_text and script.model in model:
                if script.count is not None:
                    script.count -= 1
                    if script.count <= 0:
                        self.scripts.remove(script)
                return script.answer
        return None

    def answer_at_once(self, body: dict[str, Any], text: Callable[[], str]) -> Answer | None:
        """Return the answer to a body, or None where the callable has to be asked.

        Args:
            body: A checked Messages body.
            text: Gives the body as JSON text, for scripts to match.
        """
        answer = self.scripted(body["model"], text) if self.scripts else None
        return built_in_answer(body) if answer is None and self.answerer is None else answer

    async def ask(self, body: dict[str, Any]) -> Answer:
        """Return the callable's answer to a body, or the built-in one.

        Raises:
            ApiProblem: The callable has raised.
        """
        assert self.answerer is not None
        try:
            answer = _called(self.answerer, body)
            if inspect.isawaitable(answer):
                answer = await answer
        except ApiProblem:
            raise
        except (Exception, SystemExit, KeyboardInterrupt, GeneratorExit) as error:  # the server must go on
            raise _raised(error) from error
        if answer is None:
            return built_in_answer(body)
        if isinstance(answer, Mapping):
            return _script(dict(answer)).answer
        return Answer(text=answer) if isinstance(answer, str) else answer


_FIELDS = {"match", "model", "count", "text", "json", "tool", "tools", "thinking", "refusal"}


def _script(data: object) -> Script:
    fields = as_object(data)
    unknown = sorted(set(fields) - _FIELDS)
    if not fields or unknown:
        raise invalid(f"a script has {', '.join(sorted(_FIELDS))}; got {unknown[0] if unknown else data!r}")
    for name in ("match", "model", "text", "thinking", "refusal"):
        if not isinstance(fields.get(name, ""), str):
            raise invalid(f"{name}: Input should be a valid string")
    answer = _scripted_answer(fields)
    count = fields.get("count")
    if count is not None and (type(count) is not int or count < 1):
        raise invalid("count: Input should be a positive whole number")
    if not (answer.text or answer.tools or answer.refusal):
        raise invalid("a script says something: one of text, json, tool, tools, refusal")
    return Script(answer=answer, match=fields.get("match", ""), model=fields.get("model", ""), count=count)


def _scripted_answer(fields: Mapping[str, Any]) -> Answer:
    calls = as_list(fields.get("tools")) + ([fields["tool"]] if "tool" in fields else [])
    tools = tuple(ToolCall(str(call.get("name", "")), as_object(call.get("input"))) for call in map(as_object, calls))
    if not all(call.name for call in tools):
        raise invalid('tool: a tool has a name, as in {"name": "search", "input": {}}')
    refusal = fields.get("refusal", "")
    if refusal and refusal not in (*CATEGORIES, UNNAMED):
        raise invalid(f"refusal: {refusal!r} is none of {', '.join((*CATEGORIES, UNNAMED))}")
    text = json.dumps(fields["json"], ensure_ascii=False) if "json" in fields else fields.get("text", "")
    return Answer(text=text, tools=tools, thinking=fields.get("thinking"), refusal=refusal)


# Built in ----------------------------------------------------------------------------------------


def built_in_answer(body: Mapping[str, Any]) -> Answer:
    """Return calls of tools where tools are to be called, JSON for a schema, else a plain sentence."""
    calls = _tool_calls(body) if body.get("tools") else ()
    if calls:
        return Answer(tools=calls)
    schema = schema_of(body)
    return _PLAIN_ANSWER if schema is None else Answer(text=json.dumps(_value_or_none(schema)))


def _value_or_none(schema: Mapping[str, Any]) -> Any:
    try:
        return value_of(schema)
    except (ArithmeticError, ValueError, RecursionError):  # bounds that no number keeps
        return None


def _tool_calls(body: Mapping[str, Any]) -> tuple[ToolCall, ...]:
    """Return the calls that a model would make; in parallel unless that is switched off."""
    choice = as_object(body.get("tool_choice"))
    tools = _chosen_tools(body, choice)
    if choice.get("disable_parallel_tool_use"):
        tools = tools[:1]
    return tuple(ToolCall(tool["name"], as_object(_value_or_none(tool["input_schema"]))) for tool in tools)


def _chosen_tools(body: Mapping[str, Any], choice: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the tools that a model would call.

    A forced tool is called; with `any` what was not called yet, else the last one; free, every
    tool once, before the first result comes back.
    """
    tools, kind = _callable_tools(body), choice.get("type", "auto")
    if kind == "none":
        return []
    if kind == "tool":
        return [tool for tool in tools if tool["name"] == choice.get("name")]
    called = _called_tools(body)
    if kind == "auto" and called:
        return []
    return [tool for tool in tools if tool["name"] not in called] or tools[-1:]


def _callable_tools(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [tool for tool in body["tools"] if "input_schema" in tool and not tool.get("defer_loading")]


def _called_tools(body: Mapping[str, Any]) -> set[str]:
    """Return the names of the tools that were called earlier in the conversation."""
    return {
        block["name"]
        for message in body["messages"]
        for block in as_list(message["content"])
        if block["type"] == "tool_use"
    }


def schema_of(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the schema in `output_config.format`, or in a line of the last text that has one: `schema: {...}`."""
    for form in (as_object(body.get("output_config")).get("format"), body.get("output_format")):
        if form and isinstance(as_object(form).get("schema"), dict):
            return as_object(as_object(form)["schema"])
    for message in reversed(body["messages"]):  # with tools the question stands further in front
        schema = _schema_in_text(message["content"]) if message["role"] == "user" else None
        if schema is not None:
            return schema
    return None


def _schema_in_text(content: Any) -> dict[str, Any] | None:
    texts = [content] if isinstance(content, str) else [block["text"] for block in content if block["type"] == "text"]
    if not texts or ": {" not in texts[-1]:
        return None
    for line in texts[-1].split("\n"):
        head, _, schema = line.partition(": {")
        if schema and "schema" in head and ":" not in head:
            try:
                return as_object(json.loads("{" + schema))
            except ValueError:
                return None
    return None


def _called(answerer: Answerer, body: dict[str, Any]) -> AnswerLike | Awaitable[AnswerLike]:
    """Call what answers; a stand-in is somebody's code, and may raise anything."""
    try:
        return answerer(body)
    except ApiProblem:
        raise
    except BaseException as error:  # a cancellation too: nothing is awaited in it
        raise _raised(error) from error


def _raised(error: BaseException) -> ApiProblem:
    """Return the refusal of a request whose stand-in has raised."""
    try:
        words = f"{type(error).__name__}: {error}"
    except Exception:  # its `__str__` is somebody's code too
        words = type(error).__name__
    return invalid(f"the stand-in raised {words.encode('utf-8', 'backslashreplace').decode()}")
