"""`fanwise audit`: will the cache fire?"""

from __future__ import annotations

import dataclasses
import sys

import click

from fanwise.engine.records import Format
from fanwise.studies import audit as study

from .command import Command
from .ending import OK
from .options import WholeNumber, Word, job_option
from .saying import echo, echo_json

FOUND = 1


@click.command(cls=Command)
@click.argument("graph")
@click.option("--rows", required=True, metavar="FILE", help="JSONL, CSV or Parquet.")
@click.option("--format", "form", type=Word(["jsonl", "csv", "parquet"]), default=None, help="Format of the rows.")
@job_option("encoding")
@click.option("--sample", type=WholeNumber(1), default=5, show_default=True, help="Rows whose blocks are rendered.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def audit(graph: str, rows: str, form: Format | None, encoding: str | None, sample: int, as_json: bool) -> None:
    """Look for what keeps the prompt cache of GRAPH from firing. Nothing is sent.

    Every prefix is rendered in two processes with another hash seed, time zone, language and
    clock; what differs is named with its block, its place and what varies. Prefixes that are too
    short to be cached and agents that cannot share one are named too.

    Exit status: 0 nothing was found, 1 something was, 2 something is wrong with the call.
    """
    findings = study.audit(graph, rows, form=form, encoding=encoding, sample=sample)
    if as_json:
        echo_json([dataclasses.asdict(finding) for finding in findings], 2)
    else:
        for finding in findings:
            echo(str(finding))
        echo(
            f"{len(findings)} finding{'s' if len(findings) != 1 else ''}" if findings else "every prefix is stable",
            err=True,
        )
    sys.exit(FOUND if findings else OK)
