"""The client of a session: of the API, or of an embedded emulator that runs as long as the session."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio

from fanwise.api.capable import SdkClient
from fanwise.api.client import Api

from .spec import JobSpec

EMBEDDED_KEY = "embedded-emulator"


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

            settings = EmulatorSettings(directory=folder, batch_delay_s=spec.batch_delay_s, latency_s=spec.latency_s)
            base_url, key = stack.enter_context(in_thread(settings, stand_ins)), EMBEDDED_KEY
            address = folder / "emulator.url"
            stack.callback(address.unlink, missing_ok=True)
            address.write_text(base_url + "\n", encoding="utf-8")  # so that its bill can be read from outside
        offline = True if stand_ins is not None else None
        api = Api(base_url=base_url, api_key=key, connections=spec.slots, client=client, offline=offline)
        try:
            yield api
        finally:
            with anyio.CancelScope(shield=True):
                await api.close()
