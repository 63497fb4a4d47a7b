"""The emulator that a simulated run brings along: whom it answers."""

from __future__ import annotations

import json
import stat
import urllib.error
import urllib.request
from pathlib import Path

from fanwise import Job, agent, graph, step

STRANGERS: list[tuple[str, int]] = []
"""Keys that were tried while a run was going on, and the statuses of the replies."""


def ask(url: str, path: str, key: str) -> int:
    headers = {"authorization": f"Bearer {key}", "anthropic-version": "2026-10-21"} if key else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url + path, headers=headers), timeout=10) as reply:
            return reply.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@agent(model="claude-haiku-5-5", max_tokens=50)
def repeat(text: str) -> str:
    """Repeat the text."""
    return text


@step
def look(text: str) -> str:
    address = Path(text)
    url, key = address.read_text().split()
    for used in ("", "embedded-emulator", "k", key):
        STRANGERS.extend((used, ask(url, path, used)) for path in ("/v1/models", "/_emulator/requests"))
    return oct(stat.S_IMODE(address.stat().st_mode))


@graph
def job(text: str) -> str:
    return repeat(look(text))


def test_only_its_own_run_is_answered(tmp_path: Path) -> None:
    """Found: whoever found its port could read all prompts and script the answers."""
    STRANGERS.clear()
    out = tmp_path / "run"
    account = Job(job, rows=[{"text": str(out / "emulator.url")}], out=out, channel="live").run_sync()
    assert [line["output"] for line in account.results()] == ["0o600"], "its key is its owner's alone"
    assert [status for _, status in STRANGERS] == [401] * 6 + [200] * 2
    assert not (out / "emulator.url").exists()
    kept = b"".join(path.read_bytes() for path in out.iterdir() if path.is_file())
    assert STRANGERS[-1][0].encode() not in kept, "and it is nowhere kept"
    assert json.loads((out / "summary.json").read_text())["bill_usd"] == account.summary["cost_usd"]
