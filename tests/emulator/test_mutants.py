"""Mutants of the accounting: each breaks one rule, and the tests must notice.

A copy of the package is changed in one place, and the tests that name the rule run against it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support import ROOT, environment

EMULATOR = "src/fanwise/emulator"
MUTANTS = {
    "no look-back limit": ("cache.py", "LOOK_BACK = 20", "LOOK_BACK = 2000", "cache-look-back"),
    "look-back one too short": ("cache.py", "LOOK_BACK = 20", "LOOK_BACK = 19", "cache-look-back"),
    "no minimum": ("cache.py", "position.ttl and position.tokens >= model.minimum", "position.ttl", "cache-minimum"),
    "no order of lives": ("positions.py", 'if "5m" in marks and "1h" in', 'if False and "1h" in', "cache-ttl-order"),
    "no leader": (
        "messages.py",
        "return AcceptedRequest(body=body, model=model, billing=billing, started=now, fingerprint=fingerprint)",
        "early = AcceptedRequest(body, model, billing, now, fingerprint); self.publish(early); return early",
        "cache-leader",
    ),
    "lives from the end of a request": ("cache.py", "started + TTL_S[ttl]", "now + TTL_S[ttl]", "cache-ttl"),
    "no renewal": ("cache.py", "for key in billing.refreshes:", "for key in ():", "cache-ttl"),
    "runs of tools count each": ("positions.py", "kind in _RUNS and kind == kind_before", "False", "cache-tool-runs"),
    "five breakpoints": ("positions.py", "MOST_BREAKPOINTS = 4", "MOST_BREAKPOINTS = 5", "cache-breakpoints"),
    "writes everywhere": (
        "cache.py", "if position.ttl and", "if", "cache-write-at-mark"
    ),
    "formats share": ("positions.py", "budget, form]", "budget]", "cache-keyed"),
    "batches read live entries": ("messages.py", 'f"{workspace} {channel}"', "workspace", "batch-cache-apart"),
    "1h writes cost as 5m": ("charges.py", "2 * tokens.write_1h", "tokens.write_1h", "price-writes"),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_noticed(name: str, tmp_path: Path) -> None:
    file, before, after, rule = MUTANTS[name]
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / EMULATOR / file
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{file} has changed: the mutant {name!r} has to follow"
    path.write_text(text.replace(before, after), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "tests/emulator", "--rule", rule]
    env = environment(PYTHONPATH=str(tmp_path / "src"))
    result = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert result.returncode == 1, f"nothing noticed {name!r}:\n{result.stdout[-2000:]}"
    assert "AssertionError" in result.stdout or "DID NOT RAISE" in result.stdout, result.stdout[-2000:]
