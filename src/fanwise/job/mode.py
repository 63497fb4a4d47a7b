"""Who answers: decided by the SDK's own rules for credentials and by the address, and by nothing else."""

from __future__ import annotations

import os
from typing import Literal

from fanwise.addresses import VARIABLE
from fanwise.api.client import Api, has_credentials
from fanwise.errors import RunDirectoryError

Mode = Literal["embedded", "api"]
"""The embedded emulator, or whoever is at the base URL."""


def check_mode(base_url: str | None, started_in: Mode | None = None) -> Mode:
    """Return who answers now.

    Args:
        base_url: Address that was asked for; None: that of the environment, if there is one.
        started_in: Who has answered so far, where a run goes on.

    Raises:
        RunDirectoryError: The run was started in the other mode.
    """
    has_address = bool(base_url or os.environ.get(VARIABLE))
    mode: Mode = "api" if has_address or has_credentials() else "embedded"
    if started_in in (None, mode):
        return mode
    if mode == "embedded":
        raise RunDirectoryError("this run was started with a key or a base URL, and now neither is set; set it again")
    raise RunDirectoryError(
        "this run is simulated (embedded emulator), and now a key or a base URL is set; simulated and real answers "
        "are never mixed: unset it, or start a new run with another --out"
    )


async def is_simulated(base_url: str | None) -> bool:
    """Return whether an emulator answers here, embedded or at the base URL; False where nobody does."""
    if check_mode(base_url) == "embedded":
        return True
    api = Api(base_url=base_url, connections=1)
    try:
        await api.probe()
        return bool(api.offline)
    finally:
        await api.close()
