"""Carrying out steps: the user's own functions, on threads or awaited."""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from anyio.streams.memory import MemoryObjectReceiveStream

from fanwise.canonical import canonical
from fanwise.graph.revive import accepted, revive
from fanwise.graph.state import Done, Failed, Outcome, Task

from .window import RowRun

WORKERS = 4
Work = tuple[RowRun, Task, str]
"""A step's task with its row and its key."""


class Steps:
    """Carries out steps, a few at a time; used by one event loop."""

    def __init__(self, ended: Callable[[RowRun, Task, str, Outcome], None]) -> None:
        """Begin idle.

        Args:
            ended: Takes the outcome of a step.
        """
        self._ended = ended
        self._send, self._receive = anyio.create_memory_object_stream[Work](math.inf)
        self.at_work = 0
        """Steps that have been started and have not ended."""
        self._stopping = False

    def start(self, run: RowRun, task: Task, key: str) -> None:
        """Let a step be carried out; after `stop` it is left undone."""
        if not self._stopping:
            self.at_work += 1
            self._send.send_nowait((run, task, key))

    def stop(self) -> None:
        """Start nothing any more."""
        self._stopping = True
        self._send.close()

    async def run(self) -> None:
        """Work until `stop` is called and the steps at work have ended."""
        async with anyio.create_task_group() as group:
            for number in range(WORKERS):
                group.start_soon(self._work, self._receive.clone(), name=f"step worker {number}")
            self._receive.close()

    async def _work(self, steps: MemoryObjectReceiveStream[Work]) -> None:
        async with steps:
            async for run, task, key in steps:
                if self._stopping:
                    return
                outcome = await run_step(task, run.arm.nodes[task.node.path].output)
                self.at_work -= 1
                self._ended(run, task, key, outcome)


async def run_step(task: Task, output: Any) -> Outcome:
    """Return the outcome of a step; its value goes through JSON, so that a resumed run sees the same one.

    Args:
        task: The task, with the values that it is shown.
        output: The step's return type.
    """
    body = task.node.target.body
    try:
        if inspect.iscoroutinefunction(body):
            value = await body(**task.values)
        else:
            value = await anyio.to_thread.run_sync(partial(body, **task.values))
        return Done(revive(output, json.loads(canonical(accepted(output, value)))))
    except Exception as error:  # a step is the user's own code; its failure is an outcome
        return Failed(task.label, "raised", f"{type(error).__name__}: {error}")
