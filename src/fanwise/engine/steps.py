"""Carrying out a step: the user's own function, on a thread or awaited."""

from __future__ import annotations

import inspect
import json
from functools import partial
from typing import Any

import anyio.to_thread

from fanwise.canonical import canonical
from fanwise.graph.state import Done, Failed, Outcome, Task
from fanwise.graph.wire import load


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
        return Done(load(output, json.loads(canonical(value))))
    except Exception as error:  # a step is the user's own code; its failure is an outcome
        return Failed(task.label, "raised", f"{type(error).__name__}: {error}")
