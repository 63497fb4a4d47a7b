"""fanwise: fans bulk work out to subagents on the Anthropic API and keeps the account.

Every public name loads where it is first asked for, so that `fanwise --help` does not wait for Pydantic, nor a file
with a graph in it for the SDK (docs/decisions/2026-11-28-lazy-root.md has the figures).
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fanwise.blocks import Block, Document
    from fanwise.emulator import Emulator
    from fanwise.errors import (
        DefinitionError,
        FanwiseError,
        HaltedError,
        Mistake,
        RunDirectoryError,
        SpecError,
        UsageError,
    )
    from fanwise.graph.agent import Agent, agent
    from fanwise.graph.agents import Agents
    from fanwise.graph.examples import Example
    from fanwise.graph.graphs import Graph, graph
    from fanwise.graph.rehearse import TaskFailedError
    from fanwise.graph.step import step
    from fanwise.graph.tools import McpServer, Tool, ToolFailedError, tool
    from fanwise.graph.vocabulary import each, given, not_, optional, when
    from fanwise.job.account import Account
    from fanwise.job.job import Job, resume
    from fanwise.job.spec import JobSpec
    from fanwise.job.sync import sync
    from fanwise.ledger.forecast import Forecast
    from fanwise.media import Media
    from fanwise.studies.audit import audit
    from fanwise.studies.check import check
    from fanwise.studies.compare import compare
    from fanwise.studies.diff import diff
    from fanwise.studies.history import history
    from fanwise.studies.plan.plan import plan
    from fanwise.studies.preview import preview
    from fanwise.studies.report import report
    from fanwise.studies.scorer import Scorer

__version__ = "0.1.0"
__all__ = (
    "Account", "Agent", "Agents", "Block", "DefinitionError", "Document", "Emulator", "Example", "FanwiseError",
    "Forecast", "Graph", "HaltedError", "Job", "JobSpec", "McpServer", "Media", "Mistake", "RunDirectoryError",
    "Scorer", "SpecError", "TaskFailedError", "Tool", "ToolFailedError", "UsageError", "agent", "audit", "check",
    "compare", "diff", "each", "given", "graph", "history", "not_", "optional", "plan", "preview", "report",
    "resume", "step", "sync", "tool", "when",
)  # fmt: skip

_NAMES_BY_MODULE = {
    "blocks": "Block Document",
    "emulator": "Emulator",
    "errors": "DefinitionError FanwiseError HaltedError Mistake RunDirectoryError SpecError UsageError",
    "graph.agent": "Agent agent",
    "graph.agents": "Agents",
    "graph.examples": "Example",
    "graph.graphs": "Graph graph",
    "graph.rehearse": "TaskFailedError",
    "graph.step": "step",
    "graph.tools": "McpServer Tool ToolFailedError tool",
    "graph.vocabulary": "each given not_ optional when",
    "job.account": "Account",
    "job.job": "Job resume",
    "job.spec": "JobSpec",
    "job.sync": "sync",
    "ledger.forecast": "Forecast",
    "media": "Media",
    "studies.audit": "audit",
    "studies.check": "check",
    "studies.compare": "compare",
    "studies.diff": "diff",
    "studies.history": "history",
    "studies.plan.plan": "plan",
    "studies.preview": "preview",
    "studies.report": "report",
    "studies.scorer": "Scorer",
}
_MODULES = {name: f"fanwise.{module}" for module, names in _NAMES_BY_MODULE.items() for name in names.split()}
"""Module of each public name."""


class _Root(ModuleType):
    """This package, whose `graph` is the decorator and never the package `fanwise.graph`.

    Python binds a package to its parent when it loads; that would replace the decorator by the package.
    """

    @property
    def graph(self) -> Any:
        return import_module(_MODULES["graph"]).graph

    @graph.setter
    def graph(self, package: ModuleType) -> None:
        """Leave the name to the decorator."""

    def __getattr__(self, name: str) -> Any:
        """Return a public name of another module, and keep it.

        Raises:
            AttributeError: There is no such name.
        """
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_MODULES[name]), name)
        self.__dict__[name] = value
        return value

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *__all__})


sys.modules[__name__].__class__ = _Root
