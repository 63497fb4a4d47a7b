"""Carrying out steps: the user's own functions, on threads or awaited."""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream

from fanwise.canonical import canonical
from fanwise.foreign import let_through, reason
from fanwise.graph.keys import check_keys
from fanwise.graph.outcomes import Done, Failed, Outcome
from fanwise.graph.revive import accepted, revive
from fanwise.graph.scope import Task
from fanwise.threads import DEFAULT_TIME_LIMIT_S, Threads, UsersCodeError, awaited

from .window import RowRun

WORKERS = 4
Work = tuple[RowRun, Task, str]
"""A step's task with its row and its key."""


class Steps:
    """Carries out steps, a few at a time; used by one event loop."""

    def __init__(self, ended: Callable[[RowRun, Task, str, Outcome], None], threads: Threads) -> None:
        """Begin idle.

        Args:
            ended: Takes the outcome of a step.
            threads: Call what is not asynchronous.
        """
        self._ended, self._threads = ended, threads
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
                outcome = await run_step(task, run.arm.nodes[task.node.path].output, self._threads)
                self.at_work -= 1
                self._ended(run, task, key, outcome)


async def run_step(task: Task, output: Any, threads: Threads) -> Outcome:
    """Return the outcome of a step; its value goes through JSON, so that a resumed run sees the same one.

    Args:
        task: The task, with the values that it is shown.
        output: The step's return type.
        threads: Call what is not asynchronous.
    """
    target = task.node.target
    limit_s: float = getattr(target, "time_limit_s", DEFAULT_TIME_LIMIT_S)
    call = partial(target.body, **task.values)
    try:
        if inspect.iscoroutinefunction(target.body):
            value = await awaited(call, limit_s)
        else:
            value = await threads.call(call, limit_s)
    except TimeoutError:
        return Failed(task.label, "timeout", f"no value within {limit_s:g} s, the step's time_limit_s")
    except UsersCodeError as error:
        return Failed(task.label, "raised", reason(error.raised))
    try:
        return Done(as_kept(output, value))
    except BaseException as error:  # its value is none of its type, or has no form in JSON; a serializer is users' code
        let_through(error)
        return Failed(task.label, "raised", reason(error))


def as_kept(output: Any, value: Any) -> Any:
    """Return the value of a step as a resumed run sees it: through JSON.

    What a serializer of the user's raises comes through.

    Raises:
        OutputError: It is none of its type.
        NoFormError: It has no form in JSON, or a key in it has another.
    """
    made = accepted(output, value)
    check_keys(output, made)
    return revive(output, json.loads(canonical(made)))
