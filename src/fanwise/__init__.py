"""fanwise: fans bulk work out to subagents on the Anthropic API and keeps the account."""

from fanwise.blocks import Block, Document
from fanwise.emulator import Emulator
from fanwise.errors import DefinitionError, FanwiseError, HaltedError, Mistake, RunDirectoryError, UsageError
from fanwise.graph.agent import Agent, agent
from fanwise.graph.graphs import Graph, graph
from fanwise.graph.rehearse import TaskFailedError
from fanwise.graph.step import step
from fanwise.graph.tools import McpServer, Tool, ToolFailedError, tool
from fanwise.graph.vocabulary import each, given, not_, optional, when
from fanwise.job import Job, resume
from fanwise.media import Media
from fanwise.options import Account, Options

__version__ = "0.1.0"
__all__ = (
    "Account", "Agent", "Block", "DefinitionError", "Document", "Emulator", "FanwiseError", "Graph", "HaltedError",
    "Job", "McpServer", "Media", "Mistake", "Options", "RunDirectoryError", "TaskFailedError", "Tool",
    "ToolFailedError", "UsageError", "agent", "each", "given", "graph", "not_", "optional", "resume", "step", "tool",
    "when",
)  # fmt: skip
