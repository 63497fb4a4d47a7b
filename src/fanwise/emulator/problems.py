"""The API's errors as classes that know their wire form.

Source: platform.claude.com, page "Errors", read 2026-11-23. Texts that no page gives are ours.
"""

from __future__ import annotations

import errno
import sqlite3
from typing import Any

TYPES: dict[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}


NOT_KEPT = "emulator_not_kept"
"""Code of an error that no API has: what was asked for cannot be written down here, and nothing can be until there is
room again."""
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS})


class ApiProblem(Exception):
    """An error reply."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        retry_after: float | None = None,
        code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status, message)
        self.status, self.message, self.retry_after, self.code = status, message, retry_after, code
        self.headers = headers or {}

    def error(self) -> dict[str, Any]:
        """Return the inner error object."""
        error: dict[str, Any] = {"type": TYPES.get(self.status, "api_error"), "message": self.message}
        if self.code is not None:
            error["details"] = {"error_code": self.code}
        return error

    def envelope(self, request_id: str) -> dict[str, Any]:
        """Return the body of the error reply."""
        return {"type": "error", "error": self.error(), "request_id": request_id}


def invalid(message: str) -> ApiProblem:
    """Return a 400 `invalid_request_error`."""
    return ApiProblem(400, message)


def not_kept(error: Exception) -> ApiProblem | None:
    """Return what is answered where the store or a file cannot be written; None where it is another error."""
    if isinstance(error, sqlite3.OperationalError) or (isinstance(error, OSError) and error.errno in _NO_ROOM):
        text = f"the emulator cannot keep what it is asked and answers: {error}; make room on its disk, and go on"
        return ApiProblem(500, text, code=NOT_KEPT)
    return None
