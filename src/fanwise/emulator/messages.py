"""One Messages request: check it, account for its cache, answer it, charge it.

Used by live calls and by items of a batch; the server around it only does HTTP.
"""

from __future__ import annotations

import inspect
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from fanwise.jsonable import as_list, as_object

from .answers import Answer, built_in
from .clock import Clock, moment
from .prefix import TTL_S, Account, account, count_text, positions
from .problems import ApiProblem, invalid
from .store import Store
from .tables import Model, find, price

_FIELDS = {
    "model", "max_tokens", "messages", "system", "metadata", "stop_sequences", "stream", "thinking", "tools",
    "tool_choice", "output_config", "cache_control", "container", "diagnostics", "inference_geo", "service_tier",
    "speed", "user_profile_id", "workspace_id",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request that was checked and accounted for, before its answer."""

    body: dict[str, Any]
    model: Model
    account: Account
    started: float


class Messages:
    """The rules of `/v1/messages`."""

    def __init__(self, store: Store, clock: Clock, answer: Answer | None) -> None:
        self.store, self.clock, self.answer = store, clock, answer

    def check(self, body: Any) -> Model:
        """Return the model of a well-formed body.

        Raises:
            ApiProblem: The body is malformed; the model does not exist.
        """
        if not isinstance(body, dict):
            raise invalid("Input should be a valid dictionary")
        body = as_object(cast("object", body))
        for name in ("model", "max_tokens", "messages"):
            if name not in body:
                raise invalid(f"{name}: Field required")
        for name in body:
            if name not in _FIELDS:
                raise invalid(f"{name}: Extra inputs are not permitted")
        model = find(body["model"]) if isinstance(body["model"], str) else None
        if model is None:
            raise ApiProblem(404, f"model: {body['model']}")
        limit = body["max_tokens"]
        if type(limit) is not int or not 0 <= limit <= model.max_output:
            raise invalid(f"max_tokens: {limit} is not within 0 and {model.max_output}, the limit of {body['model']}")
        _check_messages(body["messages"])
        if limit == 0 and (as_object(body.get("output_config")).get("format") or body.get("stream")):
            raise invalid("max_tokens: 0 cannot be used with output_config.format or stream")
        return model

    def accept(self, body: dict[str, Any], *, channel: str, workspace: str) -> Accepted:
        """Check a request and account for its cache at this moment.

        Raises:
            ApiProblem: The request is refused.
        """
        model, now = self.check(body), self.clock.now()
        config = as_object(body.get("output_config"))
        salt = json.dumps(
            [
                channel,
                workspace,
                body["model"],
                body.get("speed"),
                body.get("thinking"),
                config.get("effort"),
                config.get("format"),
            ],
            sort_keys=True,
        )
        found = positions(body, model, salt)
        result = account(found, model, lambda key: self.store.entry(key, now))
        if found and found[-1].tokens > model.max_input:
            raise invalid(f"prompt is too long: {found[-1].tokens} tokens > {model.max_input} maximum")
        return Accepted(body, model, result, now)

    async def reply(self, accepted: Accepted) -> dict[str, Any]:
        """Return the message for an accepted request; nothing is written or charged yet.

        Raises:
            ApiProblem: The stand-in that answers has raised.
        """
        body, model = accepted.body, accepted.model
        text = await self._text(body) if body["max_tokens"] else ""
        tokens, stop = max(count_text(text, model), 1), "end_turn"
        if body["max_tokens"] == 0:
            tokens, stop = 0, "max_tokens"
        elif tokens > body["max_tokens"]:
            tokens, stop = body["max_tokens"], "max_tokens"
            text = text[: int(tokens * model.chars)]
        for sequence in body.get("stop_sequences") or ():
            if sequence in text:
                text, stop = text[: text.index(sequence)], "stop_sequence"
                tokens = max(count_text(text, model), 1)
        return {
            "id": f"msg_{secrets.token_hex(12)}",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": [{"type": "text", "text": text, "citations": None}] if text else [],
            "stop_reason": stop,
            "stop_sequence": next((one for one in body.get("stop_sequences") or () if stop == "stop_sequence"), None),
            "stop_details": None,
            "container": None,
            "diagnostics": None,
            "usage": _usage(accepted, tokens),
        }

    async def _text(self, body: dict[str, Any]) -> str:
        if self.answer is None:
            return built_in(body)
        try:
            made = self.answer(body)
            text = await made if inspect.isawaitable(made) else made
        except ApiProblem:
            raise
        except Exception as error:  # a stand-in is somebody's code; the server must go on
            raise invalid(f"the stand-in raised {type(error).__name__}: {error}") from error
        return built_in(body) if text is None else text

    def publish(self, accepted: Accepted) -> None:
        """Make the request's cache entries readable: its response has begun."""
        for key, ttl in accepted.account.writes:
            self.store.write_entry(key, ttl, accepted.started + TTL_S[ttl])
        for key in accepted.account.refreshes:
            ttl = self.store.entry(key, accepted.started)
            if ttl is not None:
                self.store.write_entry(key, ttl, accepted.started + TTL_S[ttl])

    def charge(
        self,
        accepted: Accepted,
        message: Mapping[str, Any],
        *,
        entry_id: str,
        batch_id: str | None = None,
        custom_id: str | None = None,
    ) -> None:
        """Put the reply on the bill."""
        body, one = accepted.body, accepted.account
        counts = {
            "input": one.input,
            "write_5m": one.write_5m,
            "write_1h": one.write_1h,
            "read": one.read,
            "output": message["usage"]["output_tokens"],
        }
        pico = price(
            body["model"], moment(accepted.started), counts, batch=batch_id is not None, geo=body.get("inference_geo")
        )
        run = as_object(body.get("metadata")).get("user_id")
        extra: dict[str, Any] = {
            "id": entry_id,
            "at": accepted.started,
            "run": run,
            "model": body["model"],
            "batch_id": batch_id,
            "custom_id": custom_id,
            "status": message["stop_reason"],
            "pico": pico,
        }
        self.store.charge({**counts, **extra})

    def count(self, body: Any) -> int:
        """Return the input tokens of a body, as they would be billed.

        Raises:
            ApiProblem: The body is malformed.
        """
        if not isinstance(body, dict):
            raise invalid("Input should be a valid dictionary")
        model = self.check({"max_tokens": 1, **as_object(cast("object", body))})
        found = positions(as_object(cast("object", body)), model, "")
        return found[-1].tokens if found else 0


def _usage(accepted: Accepted, output: int) -> dict[str, Any]:
    one, body = accepted.account, accepted.body
    return {
        "input_tokens": one.input,
        "output_tokens": output,
        "cache_creation_input_tokens": one.write_5m + one.write_1h,
        "cache_read_input_tokens": one.read,
        "cache_creation": {"ephemeral_5m_input_tokens": one.write_5m, "ephemeral_1h_input_tokens": one.write_1h},
        "output_tokens_details": {"thinking_tokens": 0},
        "server_tool_use": None,
        "service_tier": "standard",
        "speed": body.get("speed"),
        "inference_geo": body.get("inference_geo"),
    }


def _check_messages(messages: Any) -> None:
    if not as_list(messages):
        raise invalid("messages: at least one message is required")
    for number, one in enumerate(as_list(messages)):
        message = as_object(one)
        if message.get("role") not in ("user", "assistant", "system"):
            raise invalid(f"messages.{number}.role: Input should be 'user', 'assistant' or 'system'")
        content = message.get("content")
        if isinstance(content, str):
            if not content:
                raise invalid(f"messages.{number}: content must be non-empty")
            continue
        if not as_list(content):
            raise invalid(f"messages.{number}.content: Input should be a valid list")
        for index, part in enumerate(as_list(content)):
            block = as_object(part)
            if not isinstance(block.get("type"), str):
                raise invalid(f"messages.{number}.content.{index}.type: Field required")
            if block["type"] == "text" and (not isinstance(block.get("text"), str) or not block["text"]):
                raise invalid(f"messages.{number}.content.{index}: text content blocks must be non-empty")
