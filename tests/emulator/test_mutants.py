"""Mutants of the accounting: each breaks one rule, and the tests must notice.

A copy of the package is changed in one place, and the tests that name the rule run against it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support import ROOT, environment

HERE = Path(__file__).parent
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


Run = Callable[[Path, str], tuple[int, str]]


@pytest.fixture(scope="module")
def run_rule() -> Iterator[Run]:
    """Runs the tests of a rule against a copy of the sources; gives pytest's exit status and what it said."""
    command = [sys.executable, str(HERE / "forks.py")]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        ask, answers = process.stdin, process.stdout
        assert ask is not None and answers is not None

        def run(sources: Path, rule: str) -> tuple[int, str]:
            files = [str(path) for path in sorted(HERE.glob("test_*.py")) if f'"{rule}"' in path.read_text()]
            files.remove(str(Path(__file__)))
            output = sources.parent / "said.txt"
            loaded_before = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
            arguments = ["-q", "-x", "-p", "no:cacheprovider", *loaded_before, *files, "--rule", rule]
            print(json.dumps([str(sources), str(output), arguments]), file=ask, flush=True)
            return int(answers.readline()), output.read_text(encoding="utf-8")

        yield run
        ask.close()


def test_the_tests_of_a_rule_pass_where_nothing_was_changed(run_rule: Run, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    status, said = run_rule(tmp_path / "src", "price-writes")
    assert status == 0, said


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_noticed(run_rule: Run, tmp_path: Path, name: str) -> None:
    file, before, after, rule = MUTANTS[name]
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    path = tmp_path / EMULATOR / file
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{file} has changed: the mutant {name!r} has to follow"
    path.write_text(text.replace(before, after), encoding="utf-8")
    status, said = run_rule(tmp_path / "src", rule)
    assert status == 1, f"nothing noticed {name!r}:\n{said[-2000:]}"
    assert "AssertionError" in said or "DID NOT RAISE" in said, said[-2000:]
