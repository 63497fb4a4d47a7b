"""The client of a session: of the API, or of an embedded emulator that runs as long as the session."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio

from fanwise.api.capable import SdkClient
from fanwise.api.client import Api

from .spec import JobSpec


@asynccontextmanager
async def connected(
    spec: JobSpec, folder: Path, client: SdkClient | None, stand_ins: Callable[[Any], Any] | None
) -> AsyncGenerator[Api]:
    """Yield a client, and close it behind the session.

    Args:
        spec: How the session runs.
        folder: The run directory, where an embedded emulator keeps its cache, batches and bill.
        client: One of the SDK's that was passed in.
        stand_ins: Answers an embedded emulator's requests; None: the API is asked.
    """
    with ExitStack() as stack:
        base_url, key = spec.base_url, None
        if stand_ins is not None:
            # Only here: a server is nothing that a run against the API should carry.
            from fanwise.emulator.server import EmulatorSettings, in_thread

            key = secrets.token_urlsafe()  # nobody else on this machine is answered, whoever finds the port
            settings = EmulatorSettings(
                directory=folder, batch_delay_s=spec.batch_delay_s, latency_s=spec.latency_s, token=key
            )
            base_url = stack.enter_context(in_thread(settings, stand_ins))
            _write_address(stack, folder / "emulator.url", base_url, key)
        offline = True if stand_ins is not None else None
        api = Api(base_url=base_url, api_key=key, connections=spec.slots, client=client, offline=offline)
        try:
            yield api
        finally:
            with anyio.CancelScope(shield=True):
                await api.close()


def _write_address(stack: ExitStack, path: Path, base_url: str, key: str) -> None:
    """Write down for the run's owner where the emulator is and its key, so that its bill can be read from outside."""
    stack.callback(path.unlink, missing_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(f"{base_url}\n{key}\n")
