"""Models by the names that Bedrock and Vertex give them: the same facts and prices, on both sides of the wall."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanwise.emulator import tables
from fanwise.limits import pool
from fanwise.models import facts, known_models, native, strongest
from fanwise.pricing.rates import known_rates, rates
from support import fanwise, summary

AT = datetime(2026, 11, 29, tzinfo=UTC)
REGIONS = ["", "us.", "eu.", "apac.", "jp.", "us-gov.", "global."]
ARN = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/"


@given(
    st.sampled_from(known_models()), st.sampled_from(["", "-20251001"]), st.sampled_from([*REGIONS, f"{ARN}us."]),
    st.sampled_from(["-v1:0", "-v1", "-v2:0", ""]), st.sampled_from(["@20251001", "@default", None]),
)  # fmt: skip
def test_a_name_of_a_cloud_has_the_facts_and_prices_of_its_model(
    model: str, date: str, region: str, version: str, vertex: str | None
) -> None:
    """Found: such an agent had the facts of an unknown model and no price, and could not be run offline."""
    named = f"{region}anthropic.{model}{date}{version}" if vertex is None else f"{model}{vertex}"
    assert native(named).startswith(model)
    assert (facts(named), pool(named)) == (facts(model), pool(model))
    assert rates(named, AT) == rates(model, AT)
    assert strongest([named, "claude-haiku-4-5"]) in (named, "claude-haiku-4-5")
    assert tables.find_model(named) == tables.MODELS[model]
    assert tables.dateless_name(named) == model


@pytest.mark.parametrize(
    "model", ["anthropic.claude-none-1-v1:0", "us.meta.llama", "claude-none@20251001", "@", "", "x.y"]
)
def test_what_is_none_of_them_has_no_price(model: str) -> None:
    assert known_rates(model, AT) is None
    assert tables.find_model(model) is None


def test_agents_of_clouds_are_planned_and_run_offline(tmp_path: Path) -> None:
    names = ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5@20251001")
    agents = "".join(
        f'@agent(model="{name}", max_tokens=20)\ndef a{number}(text: str) -> str:\n    "Say."\n    return text\n\n'
        for number, name in enumerate(names)
    )
    (tmp_path / "job.py").write_text(
        f"from fanwise import agent, graph\n\n{agents}@graph\ndef job(text: str) -> str:\n    return a1(a0(text))\n"
    )
    (tmp_path / "rows.jsonl").write_text('{"text": "hello"}\n')
    call = (f"{tmp_path}/job.py:job", "--rows", tmp_path / "rows.jsonl")
    run = fanwise("run", *call, "--out", tmp_path / "run", "--channel", "live")
    assert run.returncode == 0, run.stderr
    account = summary(tmp_path / "run")
    assert account["cost_usd"] == account["bill_usd"] and float(account["cost_usd"]) > 0
    plan = json.loads(fanwise("plan", *call, "--simulate", 1, "--json").stdout)
    assert plan["models_without_price"] == []
    assert all(float(price["expected_usd"]) > 0 for price in plan["prices"])
