"""The program `fanwise`: assembles the commands."""

from __future__ import annotations

import logging

import click

import fanwise

from .audit import audit
from .batches import batches
from .compare import compare_
from .diff import diff
from .emulate import emulate
from .export import export
from .graph import graph
from .history import history
from .plan import plan
from .purge import purge
from .report import report
from .resume import resume
from .run import run
from .show import show
from .status import status


@click.group(context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "FANWISE"})
@click.version_option(fanwise.__version__, prog_name="fanwise")
@click.option("-v", "--verbose", count=True, help="Log events to standard error; twice for more.")
def main(verbose: int) -> None:
    """Fan bulk work out to subagents on the Anthropic API, and keep the account.

    Without a key everything runs on an embedded emulator: simulated, free, and said so.
    """
    if verbose:
        logging.basicConfig(level=logging.INFO if verbose == 1 else logging.DEBUG, format="%(message)s")
        logging.getLogger("httpx2").setLevel(logging.WARNING)


COMMANDS = (
    run, resume, status, batches, report, export, history, diff, compare_, graph, plan, audit, show, purge, emulate,
)  # fmt: skip
for command in COMMANDS:
    main.add_command(command)
