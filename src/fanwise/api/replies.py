"""What comes back: messages, batches and their results, read from JSON as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from fanwise.jsonable import as_object, loads

from .failures import Failure, RequestError

if TYPE_CHECKING:
    import httpx2


@dataclass(
    slots=True, kw_only=True
)  # not frozen: there is one for each request, and that makes them three times dearer
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


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchInfo:
    """A batch as the API shows it."""

    id: str
    status: str
    size: int
    """Sum of `request_counts`: the number of requests, at every moment of its life."""
    created: datetime


class BatchResult(NamedTuple):
    """One result of a batch: a reply or a failure."""

    custom_id: str
    kind: str
    """succeeded, errored, canceled or expired."""
    reply: Reply | None = None
    failure: Failure | None = None


def json_of(response: httpx2.Response) -> dict[str, Any]:
    """Return the JSON object of a reply.

    Raises:
        RequestError: It is none; the request may have been billed.
    """
    try:
        data = loads(response.content)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        text = "the reply is not JSON; the request may have been billed"
        request_id = response.headers.get("request-id", "")
        raise RequestError(
            Failure(
                verdict="lost", kind="malformed_reply", message=text, status=response.status_code, request_id=request_id
            )
        )
    return cast("dict[str, Any]", data)


def batch_of(data: dict[str, Any]) -> BatchInfo:
    """Return a batch."""
    counts = cast("dict[str, int]", data.get("request_counts") or {})
    created = datetime.fromisoformat(str(data["created_at"]).replace("Z", "+00:00"))
    return BatchInfo(id=data["id"], status=data["processing_status"], size=sum(counts.values()), created=created)


def read_reply(data: dict[str, Any], request_id: str, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a message as a reply."""
    content, stop_reason = data.get("content") or (), str(data.get("stop_reason"))
    texts = [block.get("text") or "" for block in content if block.get("type") == "text"]
    refusal = miss = ""
    if details := data.get("stop_details"):
        refusal = str(as_object(details).get("category") or "")
    if diagnostics := data.get("diagnostics"):
        miss = str(as_object(as_object(diagnostics).get("cache_miss_reason")).get("type") or "")
    return Reply(
        text="".join(texts),
        stop_reason=stop_reason,
        usage=as_object(data.get("usage")),
        request_id=request_id,
        refusal=refusal,
        message_id=str(data.get("id") or ""),
        cache_miss=miss,
        headers=headers,
        content=content if stop_reason == "tool_use" else (),
    )


_NEVER = ("invalid_request_error", "not_found_error", "request_too_large")
"""Errors of a batch's item after which the same request fails again."""


def result_of(line: dict[str, Any]) -> BatchResult:
    """Return one result of a batch."""
    result = line["result"]
    kind, custom_id = str(result["type"]), str(line["custom_id"])
    if kind == "succeeded":
        message = result["message"]
        return BatchResult(custom_id=custom_id, kind=kind, reply=read_reply(message, str(message.get("id", ""))))
    if kind == "errored":
        failure = _item_failure(as_object(result.get("error")))
    else:
        failure = Failure(verdict="retry", kind=kind, message=f"the batch item is {kind}")
    return BatchResult(custom_id=custom_id, kind=kind, failure=failure)


def _item_failure(result: dict[str, Any]) -> Failure:
    """Return what the error of a batch's item means."""
    error = as_object(result.get("error"))
    kind = str(error.get("type", "api_error"))
    return Failure(
        verdict="final" if kind in _NEVER else "retry",
        kind=kind,
        message=str(error.get("message", "")),
        request_id=str(result.get("request_id") or ""),
    )


def header_of(response: httpx2.Response, name: bytes) -> str:
    """Return a header, or an empty text; `response.headers` would decode all of them first."""
    for key, value in response.headers.raw:
        if key.lower() == name:
            return value.decode("latin-1")
    return ""
