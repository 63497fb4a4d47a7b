"""What is wrong with the account, and not with a request: no other request will do until somebody has seen to it."""

from __future__ import annotations

KINDS = frozenset({"authentication_error", "billing_error", "permission_error"})
"""Error types of 401, 402 and 403 ("Errors", read 2026-11-23); items of batches have them without a status."""
CODES = frozenset({"enforced_spend_limit_reached", "contract_spend_limit_reached", "emulator_not_kept"})
"""`error.details.error_code` ("Rate limits" and SDK 2.12.0 `_error_classes.py`, read 2026-11-23); the last is that of
our own emulator, whose disk is full."""
WORDS = (
    ("spend limit", "Errors, read 2026-11-23: 400 where an organisation or a workspace has set one"),
    ("credit balance is too low", "anthropics/claude-code issue 66314, 2026-06-08: 400 invalid_request_error"),
    ("reached your specified api usage limits", "anthropics/claude-code issue 38038, 2026-03-24: likewise"),
    ("organization has been disabled", "anthropics/claude-code issue 72457, 2026-06-30: 400 invalid_request_error"),
    ("key has been disabled", "written by analogy with the line above, 2026-11-29"),
)
"""What a 400 says in small letters where the account is meant, each with its source: the type says only that the
request is invalid."""
NO_REVIEW = "workspace_human_review_disabled"
"""Code of a 400 at the creation of a batch or at its results: for batches alone (SDK 2.13, read 2026-11-26)."""
BAD_REQUEST = 400


def is_account(status: int | None, kind: str, code: str | None, message: str) -> bool:
    """Return whether an error is about the account.

    Args:
        status: The HTTP status; None for an item of a batch.
        kind: `error.type`.
        code: `error.details.error_code`, where there is one.
        message: `error.message`.
    """
    if status in (401, 402, 403) or code in CODES or (status in (None, 200) and kind in KINDS):
        return True
    small = message.lower()
    is_bad = status == BAD_REQUEST or kind == "invalid_request_error"
    return is_bad and any(text in small for text, _ in WORDS)
