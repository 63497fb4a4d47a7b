"""The program `fanwise`: its commands, each loaded when it is called."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any

import click

import fanwise

from .command import in_one_line
from .ending import ctrl_c_heard
from .streams import fill_closed_streams, refusals_told

COMMANDS = {
    "run": "Run a graph over rows.",
    "resume": "Go on with a run; ask only for what is missing.",
    "sync": "Bring a run to its rows and graph as they are now.",
    "status": "Show how far a run is.",
    "batches": "List, watch, cancel or collect the batches of a run.",
    "report": "Print what a run cost, against one agent.",
    "export": "Write attempts, tasks, rows and totals as tables.",
    "history": "Show runs over time.",
    "diff": "Show what changed between two runs, and what it did to the cost.",
    "compare": "Tell whether a job should fan out.",
    "graph": "Draw a graph and what each agent is shown.",
    "plan": "Tell what a job will cost.",
    "advise": "Tell which change would make a graph cheaper.",
    "audit": "Look for what keeps the prompt cache from firing.",
    "check": "Tell which examples of agents their stand-ins fail.",
    "show": "Print what a task of a row was shown.",
    "purge": "Remove all content from a run; keep the account.",
    "agents": "List the agents of a folder.",
    "coordinate": "Let a model plan a graph over a folder of agents.",
    "freeze": "Write a task plan as a graph of Python.",
    "emulate": "Serve a simulated Messages API.",
}
"""Name and one line of each command, which stands in the module of its name.

The lines stand here so that `fanwise --help` loads no command: all of them together take two seconds of processor time.
"""


class Program(click.Group):
    """A group whose commands are loaded when they are called."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Carry out a call of the program, whatever streams it was given."""
        fill_closed_streams()
        with refusals_told():
            return super().main(*args, **extra)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the call's own words, and keep them as they were typed; what is wrong with them is one line."""
        with in_one_line():  # an error may say how to go on with the same call
            return super().make_context(info_name, args, parent, obj=tuple(args), **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Call the command: wrong words are one line, and Ctrl-C while it is loaded ends it as it ends a run."""
        with ctrl_c_heard(), in_one_line():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, by the alphabet."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command; None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        names = vars(import_module(f"fanwise.cli.{cmd_name}")).values()
        return next(value for value in names if isinstance(value, click.Command) and value.name == cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "FANWISE"})
@click.version_option(fanwise.__version__, prog_name="fanwise")
@click.option("-v", "--verbose", count=True, help="Log events to standard error; twice for more.")
def main(verbose: int) -> None:
    """Fan bulk work out to subagents on the Anthropic API, and keep the account.

    Without a key everything runs on an embedded emulator: simulated, free, and said so.
    """
    if verbose:
        from fanwise.rendering.harmless import HarmlessFormatter  # only here: `fanwise --help` loads little

        handler = logging.StreamHandler()
        handler.setFormatter(HarmlessFormatter("%(message)s"))
        logging.basicConfig(level=logging.INFO if verbose == 1 else logging.DEBUG, handlers=[handler])
        logging.getLogger("httpx2").setLevel(logging.WARNING)
