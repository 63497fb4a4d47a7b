"""The table of rules and the tests hold each other: no rule without a test, no test of a rule that is not there."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from fanwise.emulator import Emulator
from fanwise.emulator.rules import RULES


def named() -> Counter[str]:
    """How many tests name each rule."""
    names: Counter[str] = Counter()
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for mark in node.decorator_list:
                    if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.rule":
                        names.update(ast.literal_eval(argument) for argument in mark.args)
    return names


def test_every_rule_has_a_test_and_every_test_a_rule() -> None:
    assert set(named()) == {rule.id for rule in RULES}


def test_the_table_is_whole() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.text
        assert rule.read == "2026-11-23"
        assert (rule.kind == "open") == (rule.source == "no source")


def test_the_table_is_served(emulator: Emulator) -> None:
    assert [rule["id"] for rule in emulator.rules()] == [rule.id for rule in RULES]
