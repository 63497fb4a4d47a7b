"""What replies and failures come to: an errand is sent again, its tools are called, or its tasks have an outcome."""

from __future__ import annotations

from collections.abc import Mapping

from fanwise.api.failures import Failure
from fanwise.api.replies import Reply
from fanwise.dispatch.budget import ROW_BUDGET
from fanwise.dispatch.carriers import Carriers
from fanwise.dispatch.errand import Errand
from fanwise.graph.outcomes import Failed
from fanwise.graph.packs import looks_like_field
from fanwise.journal.records import ArmName

from .arms import Arm, node_of
from .flow import TaskFlow
from .meaning import Again, TheSame, Unreadable, WantsTools, all_failed, meaning
from .nodes import AgentNode
from .packmeaning import pack_failed, pack_meaning
from .talks import Talks
from .unread import Unread
from .ways import AskedAs, AskedBefore


class Settlement:
    """Decides what becomes of errands; used by one event loop."""

    def __init__(
        self, arms: Mapping[ArmName, Arm], flow: TaskFlow, talks: Talks, carriers: Carriers, asked: AskedBefore
    ) -> None:
        self._arms, self._flow, self._talks, self._carriers = arms, flow, talks, carriers
        self._asked = asked

    def replied(self, errand: Errand, attempt: int, reply: Reply) -> bool:
        """Take a reply whose record is kept; returns whether the errand is to go again."""
        self._carriers.replied(errand, reply)
        node, wants_tools = node_of(self._arms, errand), reply.stop_reason == "tool_use" and not reply.odd
        if node is not None and node.role.tools:
            self._talks.replied(node.role, wants_tools=wants_tools)
        rounds = self._talks.of(errand.key).rounds if wants_tools else 0
        asked = self._asked.of(errand.role.arm, errand.node, node, attempt)
        if node is not None and self._flow.asking.owns(errand):  # a task waits for it that is equal to what was asked
            asked = asked._replace(is_readable=True)
        if len(errand.asks) > 1:
            return self._pack_replied(node, errand, attempt, reply, asked)
        meant = meaning(node, errand, reply, rounds, asked)
        if isinstance(meant, Again):
            errand.ask_again(meant.repair, meant.factor)
            return True
        if isinstance(meant, TheSame):
            errand.ask_the_same()
            return True
        if isinstance(meant, WantsTools):
            self._talks.ask(errand.key, reply.content)
            if self._flow.asking.owns(errand):  # else its row will ask for the task, and go on from here
                self._flow.conversing.start(errand)
        elif isinstance(meant, Unreadable):
            self._flow.set_aside(errand, Unread(attempt, asked.way, reply.text))
        elif meant is not None:
            self._flow.settle(errand, meant, attempt)
        return False

    def _pack_replied(self, node: AgentNode | None, errand: Errand, attempt: int, reply: Reply, asked: AskedAs) -> bool:
        """Take the reply to a pack of several inputs."""
        if node is None or not asked.is_readable:
            return False  # its rows ask anew when they come to these tasks

        def is_quoted() -> bool:  # nobody knows what a pack of an earlier session has shown
            return not errand.may_go_again or looks_like_field("".join(part.text for part in errand.request().last))

        meant = pack_meaning(node, errand, reply, asked.way, is_quoted)
        if isinstance(meant, TheSame):
            errand.ask_the_same()
            return True
        self._flow.settle(errand, meant, attempt)
        return False

    def failed(self, errand: Errand, failure: Failure) -> None:
        """Take the final failure of an errand."""
        if len(errand.asks) > 1:
            self._flow.settle(errand, pack_failed(errand, failure))
        elif failure.kind == ROW_BUDGET and errand.followers:  # other rows have room for it
            self._flow.give_up_first(errand, Failed(errand.label, failure.kind, failure.message))
        else:
            self._flow.settle(errand, all_failed(errand, failure.kind, failure.message))
