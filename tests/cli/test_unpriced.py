"""A model that came out today: neither the price list nor the emulator knows it, and the API does."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway import gateway
from support import emulator, environment, fanwise, summary

GRAPH = """
from pydantic import BaseModel
from fanwise import agent, graph

class Row(BaseModel):
    text: str

@agent(model="{model}", max_tokens=40)
def guess(text: str) -> str:
    '''Guess.'''
    return text[:9]

@graph
def job(row: Row) -> str:
    return guess(row.text)
"""
NEW, OLD = "claude-next-9", "claude-haiku-5-5"
KEY = environment(ANTHROPIC_API_KEY="k")


@pytest.fixture
def graph(tmp_path: Path) -> str:
    for name, model in (("new", NEW), ("old", OLD)):
        (tmp_path / f"{name}.py").write_text(GRAPH.format(model=model))
    (tmp_path / "rows.jsonl").write_text('{"text": "one"}\n{"text": "two"}\n')
    return f"{tmp_path / 'new.py'}:job"


def test_it_runs_after_a_yes_and_costs_what_is_not_known(tmp_path: Path, graph: str) -> None:
    """It was refused: the rehearsal that foresees the price asked the embedded emulator, which "knows no model"."""
    rows, out = tmp_path / "rows.jsonl", tmp_path / "run"
    with emulator(graph=f"{tmp_path / 'old.py'}:job") as url, gateway(url, shows=False, alias=(NEW, OLD)) as server:
        options = ("--rows", rows, "--out", out, "--base-url", server.url, "--channel", "live")
        asked = fanwise("run", graph, *options, env=KEY)
        assert asked.returncode == 5 and "what it costs is not known" in asked.stderr
        assert f"what the run will cost is not known, no price is known of {NEW}" in asked.stderr
        agreed = fanwise("run", graph, *options, "--yes", "--limit", "1", env=KEY)
        assert agreed.returncode == 0, agreed.stderr
        resumed = fanwise("resume", out, "--base-url", server.url, "--graph", graph, env=KEY)
        assert resumed.returncode == 5 and f"no price is known of {NEW}" in resumed.stderr
    account = summary(out)
    assert account["cost_usd"] is None and account["rows"]["succeeded"] == 1
