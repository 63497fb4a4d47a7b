"""What makes the requests of errands; smaller than partial functions, of which there are many."""

from __future__ import annotations

from typing import NamedTuple

from fanwise.context.request import Request
from fanwise.dispatch.errand import Errand
from fanwise.graph.scope import Task

from .nodes import AgentNode
from .talks import Talks


class Compose(NamedTuple):
    """Makes the requests of a task."""

    node: AgentNode
    task: Task
    talks: Talks

    def __call__(self, errand: Errand) -> Request:
        node, repair, factor = self.node, errand.repair, errand.factor
        if not node.role.tools:
            return node.request(self.task, repair, factor)
        turns, keep = self.talks.of(errand.key).turns(), self.talks.goes_on(node.role)
        return node.request(self.task, repair, factor, turns, keep=keep)


class ComposePack(NamedTuple):
    """Makes the requests of several tasks."""

    node: AgentNode
    tasks: tuple[Task, ...]

    def __call__(self, errand: Errand) -> Request:
        return self.node.pack_request(self.tasks, errand.repair, errand.factor)
