"""Ids that are never given twice, also not by an emulator that is started again."""

from __future__ import annotations

import itertools
import secrets

_PROCESS = secrets.token_hex(5)
_NUMBERS = itertools.count(1)


def new_id(kind: str) -> str:
    """Return a new id such as `msg_8f3a1c09d2000001`."""
    return f"{kind}_{_PROCESS}{next(_NUMBERS):08x}"
