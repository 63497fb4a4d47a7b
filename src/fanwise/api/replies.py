"""What comes back: messages, batches and their results, read from JSON as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from fanwise.jsonable import as_object, without_halves
from fanwise.quick import maker

from .failures import MALFORMED, Failure, RequestError, failure_in_reply, item_failure
from .foreign import error_of, odd_content, oddity, read_json, words

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
    odd: str = ""
    """Why it cannot be used, though it was paid for; empty where it can."""


new_reply = maker(Reply)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchInfo:
    """A batch as the API shows it."""

    id: str
    status: str
    size: int
    """Sum of `request_counts`: the number of requests, at every moment of its life."""
    succeeded: int | None
    """How many have succeeded, and were paid: 0 before its end; None where the API does not say it in numbers."""
    created: datetime


class BatchResult(NamedTuple):
    """One result of a batch: a reply or a failure."""

    custom_id: str
    kind: str
    """succeeded, errored, canceled or expired."""
    reply: Reply | None = None
    failure: Failure | None = None


new_result = maker(BatchResult)


def json_of(response: httpx2.Response) -> dict[str, Any]:
    """Return the JSON object of a reply.

    Raises:
        RequestError: It is none; the request may have been billed.
    """
    try:
        data = read_json(response.content)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        text = "the reply is not JSON; the request may have been billed"
        request_id = response.headers.get("request-id", "")
        raise RequestError(
            Failure(verdict="lost", kind=MALFORMED, message=text, status=response.status_code, request_id=request_id)
        )
    return cast("dict[str, Any]", data)


def batch_of(data: object) -> BatchInfo:
    """Return a batch.

    Raises:
        RequestError: It is none; what was asked for may have been done.
    """
    shown = as_object(data)
    counts = as_object(shown.get("request_counts"))
    batch_id, status = shown.get("id"), shown.get("processing_status")
    numbers = [number for number in counts.values() if isinstance(number, int)]
    try:
        created = datetime.fromisoformat(str(shown.get("created_at")).replace("Z", "+00:00"))
    except ValueError:
        created = None
    if not isinstance(batch_id, str) or not isinstance(status, str) or created is None or created.tzinfo is None:
        text = "the reply shows no batch; what was asked for may have been done all the same"
        raise RequestError(Failure(verdict="lost", kind=MALFORMED, message=text, status=200))
    size, succeeded = sum(numbers), counts.get("succeeded")
    return BatchInfo(
        id=batch_id,
        status=status,
        size=size,
        succeeded=succeeded if isinstance(succeeded, int) and len(numbers) == len(counts) else None,
        created=created,
    )


def read_reply(data: dict[str, Any], request_id: str, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a message as a reply; what cannot be used of it is said in `odd`.

    Raises:
        RequestError: It is an error in the place of a message.
    """
    error = error_of(data)
    if error is not None:
        raise RequestError(failure_in_reply(error, request_id))
    stop_reason, odd = words(data.get("stop_reason"), "none"), odd_content(data.get("content"))
    content: list[dict[str, Any]] = [] if odd else data["content"]
    texts = [block.get("text") or "" for block in content if block["type"] == "text"]
    text = texts[0] if len(texts) == 1 else "".join(texts)
    odd = odd or oddity(data, text)
    refusal = miss = ""
    if details := data.get("stop_details"):
        refusal = words(as_object(details).get("category"))
    if diagnostics := data.get("diagnostics"):
        miss = words(as_object(as_object(diagnostics).get("cache_miss_reason")).get("type"))
    return new_reply(
        text=without_halves(text) if odd else text,
        stop_reason=stop_reason,
        usage=as_object(data.get("usage")),
        request_id=request_id,
        refusal=refusal,
        message_id=words(data.get("id")),
        cache_miss=miss,
        headers=headers,
        content=content if stop_reason == "tool_use" and not odd else (),
        odd=odd,
    )


def result_of(line: bytes) -> BatchResult | None:
    """Return one result of a batch; None where the line does not say whose it is.

    A result of an odd shape is a failure of its request, which may have been paid.
    """
    try:
        data = as_object(read_json(line))
    except ValueError:
        return None
    custom_id, result = data.get("custom_id"), as_object(data.get("result"))
    if not isinstance(custom_id, str):
        return None
    kind = words(result.get("type"))
    if kind == "succeeded":
        message = as_object(result.get("message"))
        try:
            return new_result(custom_id=custom_id, kind=kind, reply=read_reply(message, words(message.get("id"))))
        except RequestError as error:
            return BatchResult(custom_id=custom_id, kind=kind, failure=error.failure)
    if kind == "errored":
        return BatchResult(custom_id=custom_id, kind=kind, failure=item_failure(as_object(result.get("error"))))
    if kind in ("canceled", "expired"):
        failure = Failure(verdict="retry", kind=kind, message=f"the batch item is {kind}")
        return BatchResult(custom_id=custom_id, kind=kind, failure=failure)
    text = f"its result is of an unknown kind, {kind!r}; it may have been paid"
    failure = Failure(verdict="lost", kind=MALFORMED, message=text)
    return BatchResult(custom_id=custom_id, kind=kind, failure=failure)


def header_of(response: httpx2.Response, name: bytes) -> str:
    """Return a header, or an empty text; `response.headers` would decode all of them first."""
    for key, value in response.headers.raw:
        if key.lower() == name:
            return value.decode("latin-1")
    return ""
