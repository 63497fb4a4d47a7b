"""The shapes of content blocks and tools, checked by Pydantic: unknown fields are refused.

Fields: SDK 2.12.0 `types/*_param.py`, read 2026-11-23. What servers write (results of server
tools, containers, beta blocks) is passed through by its type alone: the emulator does not model it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Discriminator, Field, Tag, with_config
from typing_extensions import TypedDict

from fanwise.jsonable import as_object

STRICT = ConfigDict(extra="forbid", strict=True)
LOOSE = ConfigDict(extra="allow", strict=True)


def text_or_list(value: object) -> str | None:
    """Tell a text from a list where the API takes both; the mark never shows in an error."""
    return "#text" if isinstance(value, str) else "#list" if isinstance(value, list) else None


@with_config(STRICT)
class CacheControl(TypedDict):
    type: Literal["ephemeral"]
    ttl: NotRequired[Literal["5m", "1h"]]


Mark = CacheControl | None


@with_config(STRICT)
class TextBlock(TypedDict):
    type: Literal["text"]
    text: Annotated[str, Field(min_length=1)]
    cache_control: NotRequired[Mark]
    citations: NotRequired[list[dict[str, Any]] | None]


@with_config(STRICT)
class Base64Image(TypedDict):
    type: Literal["base64"]
    media_type: Literal["image/jpeg", "image/png", "image/gif", "image/webp"]
    data: str


@with_config(STRICT)
class Base64Pdf(TypedDict):
    type: Literal["base64"]
    media_type: Literal["application/pdf"]
    data: str


@with_config(STRICT)
class UrlSource(TypedDict):
    type: Literal["url"]
    url: str


@with_config(STRICT)
class FileSource(TypedDict):
    type: Literal["file"]
    file_id: str


@with_config(STRICT)
class PlainText(TypedDict):
    type: Literal["text"]
    media_type: Literal["text/plain"]
    data: str


@with_config(STRICT)
class ImageBlock(TypedDict):
    type: Literal["image"]
    source: Annotated[Base64Image | UrlSource | FileSource, Field(discriminator="type")]
    cache_control: NotRequired[Mark]
    transformations: NotRequired[dict[str, Any] | None]


@with_config(STRICT)
class Citations(TypedDict):
    enabled: NotRequired[bool]


@with_config(STRICT)
class InnerContent(TypedDict):
    type: Literal["content"]
    content: Annotated[
        Annotated[str, Tag("#text")]
        | Annotated[list[Annotated[TextBlock | ImageBlock, Field(discriminator="type")]], Tag("#list")],
        Discriminator(text_or_list),
    ]


@with_config(STRICT)
class DocumentBlock(TypedDict):
    type: Literal["document"]
    source: Annotated[Base64Pdf | PlainText | InnerContent | UrlSource | FileSource, Field(discriminator="type")]
    cache_control: NotRequired[Mark]
    citations: NotRequired[Citations | None]
    context: NotRequired[str | None]
    title: NotRequired[str | None]


@with_config(STRICT)
class SearchResultBlock(TypedDict):
    type: Literal["search_result"]
    content: list[TextBlock]
    source: str
    title: str
    cache_control: NotRequired[Mark]
    citations: NotRequired[Citations | None]


@with_config(STRICT)
class ThinkingBlock(TypedDict):
    type: Literal["thinking"]
    thinking: str
    signature: str


@with_config(STRICT)
class RedactedThinkingBlock(TypedDict):
    type: Literal["redacted_thinking"]
    data: str


@with_config(STRICT)
class ToolUseBlock(TypedDict):
    type: Literal["tool_use", "server_tool_use"]
    id: str
    name: str
    input: dict[str, Any]
    cache_control: NotRequired[Mark]
    caller: NotRequired[dict[str, Any] | None]
    toolset_name: NotRequired[str | None]


@with_config(LOOSE)
class ToolReference(TypedDict):
    type: Literal["tool_reference", "browser_state"]


@with_config(STRICT)
class ToolResultBlock(TypedDict):
    type: Literal["tool_result"]
    tool_use_id: str
    content: NotRequired[
        Annotated[
            Annotated[str, Tag("#text")]
            | Annotated[
                list[
                    Annotated[
                        TextBlock | ImageBlock | SearchResultBlock | DocumentBlock | ToolReference,
                        Field(discriminator="type"),
                    ]
                ],
                Tag("#list"),
            ],
            Discriminator(text_or_list),
        ]
    ]
    is_error: NotRequired[bool]
    cache_control: NotRequired[Mark]
    toolset_name: NotRequired[str | None]


@with_config(LOOSE)
class PassedBlock(TypedDict):
    """Written by a server and sent back by the client; not modelled."""

    type: Literal[
        "web_search_tool_result", "web_fetch_tool_result", "code_execution_tool_result",
        "bash_code_execution_tool_result", "text_editor_code_execution_tool_result", "tool_search_tool_result",
        "container_upload", "advisor_tool_result", "mcp_tool_use", "mcp_tool_result", "mcp_tool_listing", "compaction",
        "tool_addition", "tool_removal", "fallback",
    ]  # fmt: skip
    cache_control: NotRequired[Mark]


ContentBlock = Annotated[
    TextBlock
    | ImageBlock
    | DocumentBlock
    | SearchResultBlock
    | ThinkingBlock
    | RedactedThinkingBlock
    | ToolUseBlock
    | ToolResultBlock
    | PassedBlock,
    Field(discriminator="type"),
]


@with_config(STRICT)
class CustomTool(TypedDict):
    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,128}$")]
    input_schema: dict[str, Any]
    type: NotRequired[Literal["custom"] | None]
    description: NotRequired[str]
    cache_control: NotRequired[Mark]
    strict: NotRequired[bool]
    defer_loading: NotRequired[bool]
    allowed_callers: NotRequired[list[str]]
    eager_input_streaming: NotRequired[bool | None]
    input_examples: NotRequired[list[dict[str, Any]]]


@with_config(LOOSE)
class ServerTool(TypedDict):
    """A tool of the API's own, such as `web_search_20260318`; accepted, never called.

    Two have names with digits in them, and may be named without their date (SDK 2.12.0
    `types/tool_search_tool_*_param.py`, read 2026-11-29).
    """

    type: Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]*_20\d{6}|mcp_toolset|tool_search_tool_(bm25|regex))$")]
    name: NotRequired[str]
    cache_control: NotRequired[Mark]


def _tool_kind(value: object) -> str | None:
    return "#custom" if as_object(value).get("type") in (None, "custom") else "#server"


Tool = Annotated[
    Annotated[CustomTool, Tag("#custom")] | Annotated[ServerTool, Tag("#server")], Discriminator(_tool_kind)
]
