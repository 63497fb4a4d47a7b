"""The shape of a Messages body in both API versions, and reading one from bytes.

Source: SDK 2.12.0 `types/message_create_params.py` and the page "Versioning", read 2026-11-23: in
version 2026-10-21 `temperature`, `top_p` and `top_k` are no fields any more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Discriminator, Field, Tag, TypeAdapter, ValidationError, with_config
from pydantic_core import ErrorDetails
from typing_extensions import TypedDict

from .blocks import LOOSE, STRICT, CacheControl, ContentBlock, TextBlock, Tool, text_or_list
from .problems import ApiProblem, invalid

LATEST, FIRST = "2026-10-21", "2023-06-01"
VERSIONS = (LATEST, FIRST)
BETA_FIELDS = frozenset(
    {
        "billing_policy", "compaction", "context_management", "fallback_credit_token", "fallbacks", "mcp_servers",
        "output_format", "thread",
    }
)  # fmt: skip
"""Top-level fields that only a beta request may have; their values are not modelled."""


@with_config(STRICT)
class Message(TypedDict):
    role: Literal["user", "assistant", "system"]
    content: Annotated[
        Annotated[str, Field(min_length=1), Tag("#text")]
        | Annotated[list[ContentBlock], Field(min_length=1), Tag("#list")],
        Discriminator(text_or_list),
    ]


@with_config(STRICT)
class Metadata(TypedDict):
    user_id: NotRequired[Annotated[str, Field(max_length=256)] | None]


@with_config(STRICT)
class ThinkingConfig(TypedDict):
    type: Literal["adaptive", "between_tools", "disabled", "enabled"]
    budget_tokens: NotRequired[Annotated[int, Field(ge=1024)]]
    display: NotRequired[Literal["summarized", "omitted"] | None]
    block_binding: NotRequired[dict[str, Any]]


@with_config(STRICT)
class Format(TypedDict):
    type: Literal["json_schema"]
    schema: dict[str, Any]


@with_config(STRICT)
class OutputConfig(TypedDict):
    effort: NotRequired[Literal["low", "medium", "high", "xhigh", "max"] | None]
    format: NotRequired[Format | None]
    task_budget: NotRequired[dict[str, Any] | None]


@with_config(STRICT)
class ToolChoice(TypedDict):
    type: Literal["auto", "any", "tool", "none"]
    name: NotRequired[str]
    disable_parallel_tool_use: NotRequired[bool]


@with_config(STRICT)
class Diagnostics(TypedDict):
    previous_message_id: NotRequired[str | None]


@with_config(LOOSE)
class Container(TypedDict):
    id: NotRequired[str | None]


@with_config(STRICT)
class Prompt(TypedDict):
    """What a Messages request and a token count have in common."""

    model: str
    messages: Annotated[list[Message], Field(min_length=1, max_length=100_000)]
    system: NotRequired[
        Annotated[Annotated[str, Tag("#text")] | Annotated[list[TextBlock], Tag("#list")], Discriminator(text_or_list)]
    ]
    tools: NotRequired[list[Tool]]
    tool_choice: NotRequired[ToolChoice]
    thinking: NotRequired[ThinkingConfig]
    output_config: NotRequired[OutputConfig]
    cache_control: NotRequired[CacheControl | None]
    speed: NotRequired[Literal["standard", "fast"] | None]
    billing_policy: NotRequired[Any]
    compaction: NotRequired[Any]
    context_management: NotRequired[Any]
    fallback_credit_token: NotRequired[Any]
    fallbacks: NotRequired[Any]
    mcp_servers: NotRequired[Any]
    output_format: NotRequired[Any]
    thread: NotRequired[Any]


@with_config(STRICT)
class Body(Prompt):
    """A Messages request of version 2026-10-21."""

    max_tokens: int
    metadata: NotRequired[Metadata]
    stop_sequences: NotRequired[list[Annotated[str, Field(min_length=1)]]]
    stream: NotRequired[bool]
    container: NotRequired[Container | str | None]
    diagnostics: NotRequired[Diagnostics | None]
    inference_geo: NotRequired[str | None]
    service_tier: NotRequired[Literal["auto", "standard_only"]]


@with_config(STRICT)
class FirstBody(Body):
    """A Messages request of version 2023-06-01."""

    temperature: NotRequired[Annotated[float, Field(ge=0, le=1)]]
    top_p: NotRequired[Annotated[float, Field(ge=0, le=1)]]
    top_k: NotRequired[Annotated[int, Field(ge=0)]]


_BODIES: dict[str, TypeAdapter[Any]] = {LATEST: TypeAdapter(Body), FIRST: TypeAdapter(FirstBody)}
_PROMPT = TypeAdapter(Prompt)


@dataclass(frozen=True, slots=True)
class Dialect:
    """Which rules a request follows, by its headers."""

    version: str = LATEST
    betas: frozenset[str] = frozenset()
    beta: bool = False
    """Whether it is a beta request: `?beta=true` or an `anthropic-beta` header."""


def read_body(raw: bytes, dialect: Dialect) -> dict[str, Any]:
    """Return a Messages body of the right shape.

    Raises:
        ApiProblem: It is no JSON, or a field is missing, unknown or of a wrong type.
    """
    return _shaped(partial(_BODIES[dialect.version].validate_json, raw), dialect)


def check_body(data: object, dialect: Dialect) -> dict[str, Any]:
    """Return parsed data as a Messages body; raises like `read_body`."""
    return _shaped(partial(_BODIES[dialect.version].validate_python, data), dialect)


def read_prompt(raw: bytes, dialect: Dialect) -> dict[str, Any]:
    """Return the body of a token count; raises like `read_body`."""
    return _shaped(partial(_PROMPT.validate_json, raw), dialect)


def _shaped(validate: Callable[[], Any], dialect: Dialect) -> dict[str, Any]:
    try:
        body: dict[str, Any] = validate()
    except ValidationError as error:
        raise _problem(error) from None
    if not dialect.beta:
        _refuse_beta(body)
    return body


def _refuse_beta(body: dict[str, Any]) -> None:
    """Refuse what only a beta request may have."""
    config, thinking = body.get("output_config"), body.get("thinking")
    for name in body:
        if name in BETA_FIELDS:
            raise invalid(f"{name}: Extra inputs are not permitted")
    if config and "task_budget" in config:
        raise invalid("output_config.task_budget: Extra inputs are not permitted")
    if thinking and "block_binding" in thinking:
        raise invalid("thinking.block_binding: Extra inputs are not permitted")


_TEXTS = {"union_tag_not_found": "Input should be a valid string or list"}
"""Texts in the place of Pydantic's own, by type of error."""


def _problem(error: ValidationError) -> ApiProblem:
    first: ErrorDetails = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return invalid(f"The request body is not valid JSON: {first['msg'].removeprefix('Invalid JSON: ')}")
    where = ".".join(str(part) for part in first["loc"] if not str(part).startswith("#"))
    text = _TEXTS.get(first["type"], first["msg"])
    return invalid(f"{where}: {text}" if where else text)
