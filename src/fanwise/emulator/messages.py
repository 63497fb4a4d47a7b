"""One Messages request: check it, account for its cache, answer it, charge it.

Used by live calls and by items of a batch; the server around it only does HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from fanwise.jsonable import as_object

from .answers import Answers
from .body import Dialect, check_body, read_body, read_prompt
from .cache import Cache, InputBilling, bill_input
from .charges import Tokens, price
from .clock import Clock
from .diagnostics import Fingerprint, Fingerprints, fingerprint_of
from .gates import model_of, permit, permit_count
from .positions import asks_for_cache, count_input, positions_of
from .problems import invalid
from .replies import Draft, draft_reply, message_of
from .store import BillEntry, Store
from .tables import Model

Channel = Literal["live", "batch"]


class CheckedRequest(NamedTuple):
    """A body that is well formed and that its model allows."""

    body: dict[str, Any]
    model: Model


class AcceptedRequest(NamedTuple):
    """A request that was checked and accounted for, before its answer."""

    body: dict[str, Any]
    model: Model
    billing: InputBilling
    started: float
    fingerprint: Fingerprint | None = None
    """Set where the request asks for diagnostics."""


class BilledReply(NamedTuple):
    """A reply, and what it is billed by."""

    message: dict[str, Any]
    tokens: Tokens
    is_free: bool
    """Refused before anything was written, in a category that is not billed."""


class Messages:
    """The rules of `/v1/messages`."""

    def __init__(self, store: Store, clock: Clock, cache: Cache, answers: Answers, *, shares: bool = False) -> None:
        self.store, self.clock, self.cache, self.answers = store, clock, cache, answers
        self.fingerprints = Fingerprints()
        self.shares = shares
        """Whether live calls and batches read each other's entries."""

    def read(self, raw: bytes, dialect: Dialect) -> CheckedRequest:
        """Return a body that is well formed and that its model allows.

        Raises:
            ApiProblem: It is not.
        """
        return self._checked(read_body(raw, dialect), dialect)

    def check(self, data: object, dialect: Dialect) -> CheckedRequest:
        """Return the params of a batch item as a body; raises like `read`."""
        return self._checked(check_body(data, dialect), dialect)

    def _checked(self, body: dict[str, Any], dialect: Dialect) -> CheckedRequest:
        model = model_of(body)
        permit(body, model, dialect)
        return CheckedRequest(body, model)

    def accept(
        self,
        checked: CheckedRequest,
        *,
        channel: Channel,
        workspace: str,
        is_alive: Callable[[str], bool] | None = None,
    ) -> AcceptedRequest:
        """Account for a request's cache at this moment.

        Args:
            checked: The request.
            channel: Live calls and batches have caches of their own.
            workspace: Whose cache it is.
            is_alive: Tells which entries can be read, in the place of the cache.

        Raises:
            ApiProblem: Its breakpoints are wrong, or it is too long.
        """
        (body, model), now = checked, self.clock.now()
        fingerprint, wants_diagnosis = None, body.get("diagnostics") is not None
        if wants_diagnosis or asks_for_cache(body):
            scope = workspace if self.shares else f"{workspace} {channel}"
            positions = positions_of(body, model, scope)
            billing = bill_input(positions, model, is_alive or (lambda key: self.cache.is_alive(key, now)))
            if wants_diagnosis:
                fingerprint = fingerprint_of(body, model, workspace, positions, billing.marked)
        else:
            billing = InputBilling(Tokens(count_input(body, model)))
        if billing.tokens.prompt > model.max_input:
            raise invalid(f"prompt is too long: {billing.tokens.prompt} tokens > {model.max_input} maximum")
        return AcceptedRequest(body=body, model=model, billing=billing, started=now, fingerprint=fingerprint)

    async def reply(
        self, accepted: AcceptedRequest, text: Callable[[], str], *, service_tier: str = "standard"
    ) -> BilledReply:
        """Return the message for an accepted request; nothing is written or charged yet.

        Raises:
            ApiProblem: The stand-in that answers has raised.
        """
        body, model = accepted.body, accepted.model
        if body["max_tokens"] == 0:  # a pre-warm call: nobody is asked
            draft = Draft(content=[], stop_reason="max_tokens")
        else:
            draft = draft_reply(body, self.answers.answer_at_once(body, text) or await self.answers.ask(body), model)
        tokens = accepted.billing.tokens._replace(output=draft.output)
        diagnosis = self._diagnosis(accepted)
        message = message_of(body, draft, tokens, service_tier=service_tier, diagnostics=diagnosis)
        if accepted.fingerprint is not None:
            self.fingerprints.keep(message["id"], accepted.fingerprint)
        return BilledReply(message, tokens, draft.is_free)

    def _diagnosis(self, accepted: AcceptedRequest) -> dict[str, Any] | None:
        fingerprint = accepted.fingerprint
        if fingerprint is None:
            return None
        previous = accepted.body["diagnostics"].get("previous_message_id")
        if previous is None:
            return None
        read = accepted.billing.tokens.read
        return {"cache_miss_reason": self.fingerprints.miss_reason(previous, fingerprint, read)}

    def publish(self, accepted: AcceptedRequest) -> None:
        """Make the request's cache entries readable: its response has begun."""
        if accepted.billing.writes or accepted.billing.refreshes:
            now = self.clock.now()
            self.cache.publish(accepted.billing, accepted.started, now)
            self.store.drop_expired(now)

    def bill_entry(
        self, accepted: AcceptedRequest, replied: BilledReply, entry_id: str, batch: tuple[str, str] | None = None
    ) -> BillEntry | None:
        """Return what a reply puts on the bill, or None where it is free.

        Args:
            accepted: The request.
            replied: Its reply.
            entry_id: Id of the entry, never charged twice.
            batch: Id of the batch and custom_id, for an item of one.
        """
        if replied.is_free:
            return None
        body, tokens = accepted.body, replied.tokens
        fast, geo = body.get("speed") == "fast", body.get("inference_geo")
        batch_id, custom_id = batch or (None, None)
        return BillEntry(
            id=entry_id,
            at=accepted.started,
            run=as_object(body.get("metadata")).get("user_id"),
            model=body["model"],
            batch_id=batch_id,
            custom_id=custom_id,
            status=replied.message["stop_reason"],
            tokens=tokens,
            pico=price(body["model"], accepted.started, tokens, batch=batch is not None, geo=geo, fast=fast),
        )

    def count(self, raw: bytes, dialect: Dialect) -> int:
        """Return the input tokens of a body, as they would be billed.

        Raises:
            ApiProblem: The body is malformed, or holds what is not counted.
        """
        body = read_prompt(raw, dialect)
        model = model_of(body)
        permit_count(body, model, dialect)
        positions_of(body, model, "")  # counting too refuses breakpoints that are wrong
        return count_input(body, model)
