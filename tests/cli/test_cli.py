"""The command line as a person meets it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from fanwise.cli.main import COMMANDS
from fanwise.cli.signals import looked_for
from support import (
    DESK,
    ROOT,
    bill,
    emulator,
    environment,
    fanwise,
    journal_value,
    started,
    stored_bill,
    summary,
    tickets,
    wait_for,
)

GRAPH = f"{DESK}:triage"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_is_in_the_readme(command: str) -> None:
    shown = fanwise(command, "-h")
    assert shown.returncode == 0
    usage, described = shown.stdout.split("\n\n")[:2]
    assert usage.startswith(f"Usage: python -m fanwise {command} [OPTIONS]")
    assert described.startswith("  ") and len(described.split()) > 3, "what it does stands before its options"
    words = rf"fanwise {command}\b"
    assert re.search(words, (ROOT / "README.md").read_text(encoding="utf-8"))


def test_the_program_lists_its_commands() -> None:
    shown = fanwise("-h").stdout.partition("\nCommands:\n")[2]
    assert [line.split()[0] for line in shown.splitlines()] == sorted(COMMANDS)


def test_the_graph_is_drawn_in_every_format() -> None:
    tree = fanwise("graph", GRAPH).stdout
    assert "each research" in tree
    assert "shown: ticket.subject, classify.label, each(questions.items)" in tree
    assert "2 batch rounds deep" in tree, "steps take no round"
    assert fanwise("graph", GRAPH, "--format", "mermaid").stdout.startswith("flowchart TD")
    assert fanwise("graph", GRAPH, "--format", "dot").stdout.startswith('digraph "triage" {')
    svg = fanwise("graph", GRAPH, "--format", "svg").stdout
    assert ET.fromstring(svg).tag.endswith("svg")


def test_json_goes_to_standard_output_alone(tmp_path: Path) -> None:
    rows = tickets(tmp_path / "rows.jsonl", 3)
    result = fanwise("run", GRAPH, "--rows", rows, "--out", tmp_path / "run", "--json")
    assert json.loads(result.stdout) == summary(tmp_path / "run")
    report = fanwise("report", tmp_path / "run", "--json")
    none_set_aside = {"reasons": [], "other_reasons": 0, "other_rows": 0}
    assert json.loads(report.stdout) == {**summary(tmp_path / "run"), "rejects": none_set_aside}


def test_a_simulated_run_says_so(tmp_path: Path) -> None:
    rows = tickets(tmp_path / "rows.jsonl", 3)
    assert fanwise("run", GRAPH, "--rows", rows, "--out", tmp_path / "run").stdout.startswith("SIMULATED")


def test_ctrl_c_ends_cleanly_and_says_how_to_go_on(tmp_path: Path) -> None:
    rows, out = tickets(tmp_path / "rows.jsonl", 300), tmp_path / "run"
    run = started("run", GRAPH, "--rows", rows, "--out", out, "--channel", "live", "--slots", 8, "--latency-s", 0.05)
    wait_for(lambda: (journal_value(out, "SELECT COUNT(*) FROM ends") or 0) > 50, "50 replies")
    run.send_signal(signal.SIGINT)
    assert run.wait(timeout=30) == 130
    account = summary(out)
    assert account["ended"] == "interrupted"
    assert account["attempts"]["lost"] == 0, "requests in flight were awaited"
    assert account["cost_usd"] == account["bill_usd"]
    assert account["rows"]["unfinished"] > 0
    assert fanwise("resume", out).returncode == 0
    assert summary(out)["rows"]["succeeded"] == 300
    assert len(stored_bill(out)) == 1200, "nothing was asked twice"


@pytest.mark.anyio
async def test_signals_are_heard_where_the_loop_hears_of_none() -> None:
    """On Windows no loop does, and every run ended there as it began."""
    with looked_for(signal.SIGINT, signal.SIGTERM) as came:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
            signal.raise_signal(number)
        assert [await anext(came) for _ in range(3)] == [signal.SIGTERM, signal.SIGINT, signal.SIGTERM]


def test_ctrl_c_leaves_batches_running_and_names_them(tmp_path: Path) -> None:
    rows, out = tickets(tmp_path / "rows.jsonl", 5), tmp_path / "run"
    env = environment(ANTHROPIC_API_KEY="k")
    with emulator(graph=f"{DESK}:single", batch_delay_s=2) as url:
        options = ("--channel", "batch", "--base-url", url)
        run = started("run", f"{DESK}:single", "--rows", rows, "--out", out, *options, env=env, stderr=subprocess.PIPE)
        wait_for(lambda: journal_value(out, "SELECT COUNT(*) FROM batches WHERE state='created'"), "a batch in flight")
        run.send_signal(signal.SIGINT)
        _, told = run.communicate(timeout=30)
        assert run.returncode == 130
        assert "msgbatch_" in told
        assert f"fanwise resume {out}" in told
        assert fanwise("resume", out, "--base-url", url, env=env).returncode == 0
        assert bill(url)["totals"]["entries"] == 5
