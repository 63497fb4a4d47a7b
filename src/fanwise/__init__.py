"""fanwise: fans bulk work out to subagents on the Anthropic API and keeps the account."""

from typing import TYPE_CHECKING, Any

from fanwise.blocks import Block, Document
from fanwise.errors import DefinitionError, FanwiseError, HaltedError, Mistake, RunDirectoryError, UsageError
from fanwise.graph.agent import Agent, agent
from fanwise.graph.graphs import Graph, graph
from fanwise.graph.rehearse import TaskFailedError
from fanwise.graph.step import step
from fanwise.graph.tools import McpServer, Tool, ToolFailedError, tool
from fanwise.graph.vocabulary import each, given, not_, optional, when
from fanwise.job.account import Account
from fanwise.job.job import Job, resume
from fanwise.job.options import Options
from fanwise.media import Media

if TYPE_CHECKING:
    from fanwise.emulator import Emulator

__version__ = "0.1.0"
__all__ = (
    "Account", "Agent", "Block", "DefinitionError", "Document", "Emulator", "FanwiseError", "Graph", "HaltedError",
    "Job", "McpServer", "Media", "Mistake", "Options", "RunDirectoryError", "TaskFailedError", "Tool",
    "ToolFailedError", "UsageError", "agent", "each", "given", "graph", "not_", "optional", "resume", "step", "tool",
    "when",
)  # fmt: skip


def __getattr__(name: str) -> Any:
    """Give the emulator to whoever asks for it: its server is nothing that a run against the API should carry."""
    if name == "Emulator":
        from fanwise.emulator import Emulator

        return Emulator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
