"""Tools at work: what a reply asks for is carried out, and the errand goes on with its next request."""

from __future__ import annotations

import math
from collections.abc import Callable

import anyio

from fanwise.dispatch.errand import Errand

from .talks import Talks


class Conversing:
    """Carries out the tools that replies ask for; used by one event loop."""

    def __init__(self, talks: Talks, submit: Callable[[Errand], None], lost: Callable[[Errand, str], None]) -> None:
        """Begin idle.

        Args:
            talks: The conversations, in which results are written down.
            submit: Takes an errand whose tools have answered.
            lost: Takes an errand whose tools cannot answer any more, and why.
        """
        self._talks, self._submit, self._lost = talks, submit, lost
        self._send, self._receive = anyio.create_memory_object_stream[Errand](math.inf)
        self.at_work = 0
        """Errands whose tools have not answered."""
        self._stopping = False

    def start(self, errand: Errand) -> None:
        """Carry out what an errand's last reply asks for; after `stop` that is left to the next session."""
        if not self._stopping:
            self.at_work += 1
            self._send.send_nowait(errand)

    def stop(self) -> None:
        """Start nothing any more."""
        self._stopping = True
        self._send.close()

    async def run(self) -> None:
        """Work until `stop` is called and the tools at work have answered."""
        async with anyio.create_task_group() as group, self._receive as errands:
            async for errand in errands:
                group.start_soon(self._carry_out, errand, name=f"tools of {errand.label}")

    async def _carry_out(self, errand: Errand) -> None:
        lost = await self._talks.answer(errand.key, errand.role)
        self.at_work -= 1
        if lost:
            self._lost(errand, lost)
            return
        errand.go_on()
        self._submit(errand)
