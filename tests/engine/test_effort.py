"""An effort that is left to the model: nothing is sent for it, all else is as at the effort that the model takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fanwise import Block, DefinitionError, Emulator, Job, agent, graph
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer
from support import fanwise

HANDBOOK = Block("handbook", "A rule that whoever reads this is to keep in mind. " * 100)
HAIKU = "claude-haiku-5-5"
Sent = Callable[[Any, Path], dict[str, Any]]


def one(name: str, *, model: str = HAIKU, context: tuple[Block, ...] = (), **settings: Any) -> Any:
    def body(text: str) -> str:
        return text

    body.__name__ = name
    body.__doc__ = f"Answer as {name} does."
    return agent(model=model, max_tokens=100, context=context, **settings)(body)


def alone(asked: Any) -> Any:
    @graph
    def flow(text: str) -> str:
        return asked(text)

    return flow


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What the task of an agent sends."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    return body_of


def body_of(asked: Any, folder: Path) -> dict[str, Any]:
    flow = alone(asked)
    with Emulator(answer=answerer(build_arms({"fanout": flow.spec}))) as emulator:
        job = Job(flow, rows=[{"text": "hello"}], out=folder / "run", channel="live", base_url=emulator.url)
        assert job.run_sync().summary["rows"]["succeeded"] == 1
        return emulator.requests()[-1]["body"]


@pytest.mark.parametrize(
    ("model", "thinking", "sent_thinking", "allowance"),
    [
        (HAIKU, None, {"type": "disabled"}, 0),
        (HAIKU, True, {"type": "adaptive"}, 4_096),
        ("claude-opus-5-5", None, {"type": "adaptive"}, 4_096),
        ("claude-fable-5-2", None, {"type": "adaptive"}, 12_288),
        ("claude-sonnet-5-5", None, {"type": "between_tools"}, 0),
        ("claude-sonnet-5", True, {"type": "adaptive"}, 12_288),
        ("claude-haiku-4-5", None, None, 0),
    ],
)
def test_nothing_is_sent_for_an_effort_that_is_left_to_the_model(
    model: str, thinking: bool | None, sent_thinking: dict[str, str] | None, allowance: int, tmp_path: Path, sent: Sent
) -> None:
    body = sent(one("reader", model=model, effort="default", thinking=thinking), tmp_path)
    assert "effort" not in body.get("output_config", {})
    assert body.get("thinking") == sent_thinking
    assert body["max_tokens"] == 100 + allowance


def test_options_leave_an_effort_to_the_model_and_take_it_back(tmp_path: Path, sent: Sent) -> None:
    left = one("reader", effort="high").options(effort="default")
    assert "effort" not in sent(left, tmp_path / "left").get("output_config", {})
    assert sent(left.options(effort="medium"), tmp_path / "taken")["output_config"]["effort"] == "medium"


def test_an_agent_file_leaves_an_effort_to_the_model(tmp_path: Path) -> None:
    (tmp_path / "read.md").write_text("---\nname: read\nmodel: haiku\neffort: default\n---\nRead it.\n")
    (tmp_path / "job.py").write_text(
        "from fanwise import agent, graph\n\n@agent('read.md')\ndef read(text: str) -> str:\n    return text\n\n"
        "@graph\ndef job(text: str) -> str:\n    return read(text)\n"
    )
    (tmp_path / "rows.jsonl").write_text('{"id": "a", "text": "hello"}\n')
    ran = fanwise("run", "job.py:job", "--rows", "rows.jsonl", "--out", "run", "--channel", "live", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    body = json.loads(fanwise("show", "run", "a", "read", cwd=tmp_path).stdout)
    assert "effort" not in body.get("output_config", {})


def test_an_effort_that_is_none_is_refused_with_those_that_are() -> None:
    with pytest.raises(DefinitionError, match=r"effort is 'defualt'; write one of low, .*, default"):
        one("reader", effort="defualt")


def shared(second: str, out: Path) -> dict[str, Any]:
    """The account of two agents behind one handbook, of which the first works with effort medium."""
    named, left = one("named", context=(HANDBOOK,), effort="medium"), one("left", context=(HANDBOOK,), effort=second)

    @graph
    def both(text: str) -> list[str]:
        return [named(text), left(text)]

    return Job(both, rows=[{"text": "hello"}], out=out, channel="live", slots=8, latency_s=0.03).run_sync().summary


def test_the_models_own_effort_shares_a_cache_with_the_same_that_is_named(tmp_path: Path) -> None:
    """The cache is keyed by the effort at which a model works, so both agents are one family."""
    left, named, other = (shared(second, tmp_path / second) for second in ("default", "medium", "high"))
    assert left["cache"] == named["cache"] and left["cache"]["reads"] == 1
    assert left["cost_usd"] == left["bill_usd"] == named["cost_usd"]
    assert left["floor_usd"] == named["floor_usd"]
    assert other["cache"]["reads"] == 0, "another effort is another cache"
