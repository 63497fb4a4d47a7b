"""The type checker is the first test of a graph: both checkers refuse the same lines."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "desk_typed.py"
ROOT = Path(__file__).parent.parent.parent
REFUSED = {number for number, line in enumerate(SOURCE.read_text().splitlines(), 1) if line.endswith("# refused")}


def pyright_lines(path: Path) -> set[int]:
    command = [sys.executable, "-m", "basedpyright", "--outputjson", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    diagnostics = json.loads(result.stdout)["generalDiagnostics"]
    return {diagnostic["range"]["start"]["line"] + 1 for diagnostic in diagnostics if diagnostic["severity"] == "error"}


def mypy_lines(path: Path) -> set[int]:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context"]
    places = ["--config-file", str(path.parent / "mypy.ini"), str(path)]
    result = subprocess.run([*command, *places], capture_output=True, text=True, cwd=ROOT, check=False)
    return {int(match[1]) for match in re.finditer(rf"{path.name}:(\d+): error", result.stdout)}


@pytest.mark.parametrize("checker", [pyright_lines, mypy_lines])
def test_a_checker_refuses_what_it_can_see_and_nothing_else(checker: Callable[[Path], set[int]]) -> None:
    assert len(REFUSED) == 11
    assert checker(SOURCE) == REFUSED
