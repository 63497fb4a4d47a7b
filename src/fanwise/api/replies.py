"""What comes back: messages, batches and their results, read from JSON as plain values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import httpx2

from fanwise.jsonable import as_object

from .failures import Failure, RequestError


@dataclass(frozen=True, slots=True)
class Reply:
    """A message that came back."""

    text: str
    stop_reason: str
    usage: dict[str, Any]
    request_id: str
    refusal: str = ""
    """Category of a refusal."""
    message_id: str = ""
    cache_miss: str = ""
    """Why the cache could not be read, in the API's words, where the request asked."""
    headers: Mapping[str, str] | None = None
    """Of a live reply."""
    content: Sequence[Mapping[str, Any]] = ()
    """All blocks of a reply that asks for tools: it is sent back as it is."""


@dataclass(frozen=True, slots=True)
class BatchInfo:
    """A batch as the API shows it."""

    id: str
    status: str
    size: int
    """Sum of `request_counts`: the number of requests, at every moment of its life."""
    created: datetime


@dataclass(frozen=True, slots=True)
class BatchResult:
    """One result of a batch: a reply or a failure."""

    custom_id: str
    kind: str
    """succeeded, errored, canceled or expired."""
    reply: Reply | None
    failure: Failure | None


def json_of(response: httpx2.Response) -> dict[str, Any]:
    """Return the JSON object of a reply.

    Raises:
        RequestError: It is none; the request may have been billed.
    """
    try:
        data = json.loads(response.content)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        text = "the reply is not JSON; the request may have been billed"
        raise RequestError(
            Failure("lost", "malformed_reply", text, response.status_code, None, response.headers.get("request-id", ""))
        )
    return cast("dict[str, Any]", data)


def batch_of(data: dict[str, Any]) -> BatchInfo:
    """Return a batch."""
    counts = cast("dict[str, int]", data.get("request_counts") or {})
    created = datetime.fromisoformat(str(data["created_at"]).replace("Z", "+00:00"))
    return BatchInfo(data["id"], data["processing_status"], sum(counts.values()), created)


def read_reply(data: dict[str, Any], request_id: str, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a message as a reply."""
    texts = [block.get("text") or "" for block in data.get("content") or () if block.get("type") == "text"]
    details = as_object(data.get("stop_details"))
    miss = as_object(as_object(data.get("diagnostics")).get("cache_miss_reason"))
    return Reply(
        "".join(texts),
        str(data.get("stop_reason")),
        as_object(data.get("usage")),
        request_id,
        str(details.get("category") or ""),
        str(data.get("id") or ""),
        str(miss.get("type") or ""),
        headers,
        data["content"] if data.get("stop_reason") == "tool_use" else (),
    )


def result_of(line: dict[str, Any]) -> BatchResult:
    """Return one result of a batch."""
    result = line["result"]
    kind, custom_id = str(result["type"]), str(line["custom_id"])
    if kind == "succeeded":
        message = result["message"]
        return BatchResult(custom_id, kind, read_reply(message, str(message.get("id", ""))), None)
    if kind == "errored":
        outer = as_object(result.get("error"))
        error = as_object(outer.get("error"))
        name = str(error.get("type", "api_error"))
        verdict = "final" if name in ("invalid_request_error", "not_found_error", "request_too_large") else "retry"
        return BatchResult(
            custom_id,
            kind,
            None,
            Failure(verdict, name, str(error.get("message", "")), None, None, str(outer.get("request_id") or "")),
        )
    return BatchResult(custom_id, kind, None, Failure("retry", kind, f"the batch item is {kind}"))
