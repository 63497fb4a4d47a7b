"""One Messages request: check it, account for its cache, answer it, charge it.

Used by live calls and by items of a batch; the server around it only does HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from fanwise.jsonable import as_object

from .answers import Answers
from .body import Dialect, check_body, read_body, read_prompt
from .cache import Account, Cache, account
from .charges import Tokens, price
from .clock import Clock
from .diagnostics import Diagnostics, Fingerprint, fingerprint
from .gates import model_of, permit, permit_count
from .positions import count, marked, positions
from .problems import invalid
from .replies import Written, message, write
from .store import Entry, Store
from .tables import Model

Channel = Literal["live", "batch"]


class Checked(NamedTuple):
    """A body that is well formed and that its model allows."""

    body: dict[str, Any]
    model: Model


class Accepted(NamedTuple):
    """A request that was checked and accounted for, before its answer."""

    body: dict[str, Any]
    model: Model
    account: Account
    started: float
    fingerprint: Fingerprint | None = None
    """Set where the request asks for diagnostics."""


class Replied(NamedTuple):
    """A reply, and what it is billed by."""

    message: dict[str, Any]
    tokens: Tokens
    free: bool
    """Refused before anything was written, in a category that is not billed."""


class Messages:
    """The rules of `/v1/messages`."""

    def __init__(self, store: Store, clock: Clock, cache: Cache, answers: Answers, *, shares: bool = False) -> None:
        self.store, self.clock, self.cache, self.answers = store, clock, cache, answers
        self.diagnostics = Diagnostics()
        self.shares = shares
        """Whether live calls and batches read each other's entries."""

    def read(self, raw: bytes, dialect: Dialect) -> Checked:
        """Return a body that is well formed and that its model allows.

        Raises:
            ApiProblem: It is not.
        """
        return self._checked(read_body(raw, dialect), dialect)

    def check(self, data: object, dialect: Dialect) -> Checked:
        """Return the params of a batch item as a body; raises like `read`."""
        return self._checked(check_body(data, dialect), dialect)

    def _checked(self, body: dict[str, Any], dialect: Dialect) -> Checked:
        model = model_of(body)
        permit(body, model, dialect)
        return Checked(body, model)

    def accept(
        self,
        checked: Checked,
        *,
        channel: Channel,
        workspace: str,
        alive: Callable[[str], bool] | None = None,
    ) -> Accepted:
        """Account for a request's cache at this moment.

        Args:
            checked: The request.
            channel: Live calls and batches have caches of their own.
            workspace: Whose cache it is.
            alive: Tells which entries can be read, in the place of the cache.

        Raises:
            ApiProblem: Its breakpoints are wrong, or it is too long.
        """
        (body, model), now = checked, self.clock.now()
        wanted = body.get("diagnostics") is not None
        if wanted or marked(body):
            scope = workspace if self.shares else f"{workspace} {channel}"
            found = positions(body, model, scope)
            result = account(found, model, alive or (lambda key: self.cache.alive(key, now)))
            mine = fingerprint(body, model, workspace, found, result.marked) if wanted else None
        else:
            result, mine = Account(Tokens(count(body, model))), None
        if result.tokens.prompt > model.max_input:
            raise invalid(f"prompt is too long: {result.tokens.prompt} tokens > {model.max_input} maximum")
        return Accepted(body, model, result, now, mine)

    async def reply(self, accepted: Accepted, text: Callable[[], str], *, service_tier: str = "standard") -> Replied:
        """Return the message for an accepted request; nothing is written or charged yet.

        Raises:
            ApiProblem: The stand-in that answers has raised.
        """
        body, model = accepted.body, accepted.model
        if body["max_tokens"] == 0:  # a pre-warm call: nobody is asked
            written = Written([], "max_tokens")
        else:
            written = write(body, self.answers.at_once(body, text) or await self.answers.ask(body), model)
        tokens = accepted.account.tokens._replace(output=written.output)
        reason = self._diagnosis(accepted)
        made = message(body, written, tokens, service_tier=service_tier, diagnostics=reason)
        if accepted.fingerprint is not None:
            self.diagnostics.keep(made["id"], accepted.fingerprint)
        return Replied(made, tokens, written.free)

    def _diagnosis(self, accepted: Accepted) -> dict[str, Any] | None:
        mine = accepted.fingerprint
        if mine is None:
            return None
        previous = accepted.body["diagnostics"].get("previous_message_id")
        if previous is None:
            return None
        return {"cache_miss_reason": self.diagnostics.compare(previous, mine, accepted.account.tokens.read)}

    def publish(self, accepted: Accepted) -> None:
        """Make the request's cache entries readable: its response has begun."""
        if accepted.account.writes or accepted.account.refreshes:
            now = self.clock.now()
            self.cache.publish(accepted.account, accepted.started, now)
            self.store.drop_expired(now)

    def entry(
        self, accepted: Accepted, replied: Replied, entry_id: str, batch: tuple[str, str] | None = None
    ) -> Entry | None:
        """Return what a reply puts on the bill, or None where it is free.

        Args:
            accepted: The request.
            replied: Its reply.
            entry_id: Id of the entry, never charged twice.
            batch: Id of the batch and custom_id, for an item of one.
        """
        if replied.free:
            return None
        body, one = accepted.body, replied.tokens
        fast, geo = body.get("speed") == "fast", body.get("inference_geo")
        pico = price(body["model"], accepted.started, one, batch=batch is not None, geo=geo, fast=fast)
        run = as_object(body.get("metadata")).get("user_id")
        batch_id, custom_id = batch or (None, None)
        return Entry(
            entry_id, accepted.started, run, body["model"], batch_id, custom_id, replied.message["stop_reason"],
            one.input, one.write_5m, one.write_1h, one.read, one.output, pico,
        )  # fmt: skip

    def count(self, raw: bytes, dialect: Dialect) -> int:
        """Return the input tokens of a body, as they would be billed.

        Raises:
            ApiProblem: The body is malformed, or holds what is not counted.
        """
        body = read_prompt(raw, dialect)
        model = model_of(body)
        permit_count(body, model, dialect)
        positions(body, model, "")
        return count(body, model)
