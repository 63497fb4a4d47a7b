"""What is wrong with how a session is to go about its run, beside the fields of its job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from fanwise.api.capable import is_async_client
from fanwise.errors import Mistake

FINAL_FAILURES = (
    "failed", "refused", "truncated", "invalid_output", "invalid_value", "too_many_turns", "raised", "absent",
    "row_budget", "connection_error", "connection_lost", "timeout", "stream_cut", "malformed_reply", "missing",
    "results_lost", "canceled", "expired", "batch_absent", "server_lost",
    "invalid_request_error", "authentication_error", "billing_error", "permission_error", "not_found_error",
    "rate_limit_error", "timeout_error", "api_error", "overloaded_error", "request_too_large",
)  # fmt: skip
"""What a task may have failed by: all of it, then ours, then the API's error types (SDK 2.12.0 `error_type.py` and the
page "Errors", read 2026-11-29). What ends as those do is taken too: the API may add some."""


def mistakes_in_terms(client: object, retry: Iterable[str] = ()) -> Iterator[Mistake]:
    """Yield what is wrong with a client that was passed in, and with the failures that are to be asked again.

    Args:
        client: None: one is made.
        retry: As for `resume`.
    """
    if client is not None and not is_async_client(client):
        yield Mistake(
            "client",
            f"{client!r} is not an asynchronous client of the SDK",
            "give an AsyncAnthropic, or leave it out",
        )  # fmt: skip
    if isinstance(retry, str):
        yield Mistake("retry", f"{retry!r} is one text", f"put it into a list: [{retry!r}]")
        return
    for kind in retry:
        if not _is_failure(kind):
            near = get_close_matches(str(kind), FINAL_FAILURES, 1)
            hint = f"did you mean {near[0]!r}?" if near else "give 'failed' for all of them, 'refused' or 'truncated'"
            yield Mistake("retry", f"{kind!r} is no failure", hint)


def _is_failure(kind: object) -> bool:
    """Return whether a task may have failed by something of this name."""
    if not isinstance(kind, str):
        return False
    return kind in FINAL_FAILURES or kind.endswith("_error") or kind.removeprefix("http_").isdecimal()
