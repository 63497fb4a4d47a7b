"""Regular expressions of a client's schema never keep the emulator busy."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanwise.emulator.patterns import is_quick
from fanwise.emulator.values import value_of
from support import environment

LONG = "00000000-0000-4000-8000-000000000000"
ENDLESS = {
    "nested": r"^(([0-9-]+)+)+x$",
    "nested, each once more": r"^([0-9-]+[0-9-]*)+x$",
    "branches that are one": r"^(.|[0-9-])*x$",
    "branches of nothing": r"^(|){60}x$",
    "nothing very often": r"((){1000000}){1000000}x",
    "many in a row": r".*.*.*.*.*.*.*.*.*.*.*.*x",
    "lazy": r"^(?:(?:[0-9-]+?)+?)+?x$",
    "looked for ahead": r"^(?=(?:(?:[0-9-]+)+)+x)",
    "named, by code, in a class": r"^(?P<all>(?:[\]\x30-]+|\u0034|\x38)+)+x$",
    "spread over the line": "(?x)^( [0-9-]+ ) + ( x ) $ ( [0-9-] + ) +",
    "optional": r"^(([0-9-]?){60}){60}x$",
}


def test_an_expression_that_has_no_end_is_not_tried() -> None:
    """In a process, as whoever tries one cannot be interrupted: the emulator stood still for everybody."""
    program = f"""
from fanwise.emulator.values import value_of
for name, pattern in {ENDLESS!r}.items():
    print(name, value_of({{"type": "string", "format": "uuid", "pattern": pattern}}), flush=True)"""
    said = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, timeout=30, check=False
    )
    assert said.stdout.splitlines() == [f"{name} {LONG}" for name in ENDLESS], said.stderr


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        (r"^[A-Z]+$", "A"),
        (r"^([A-Z]+-)*[A-Z]+$", "A"),
        (r"^\d{4}-\d{2}-\d{2}$", "2026-01-01"),
        (r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$", "1"),
        (r"^[^@\s]+@[a-z]+(\.[a-z]+)+$", "a@example.com"),
        (r"^-?\d+(\.\d+)?([eE][+-]?\d+)?$", "1"),
        (r"(a+)+$", "a"),
        (r"^(?:yes|no)$", "text"),
    ],
)
def test_what_can_be_tried_still_fits(pattern: str, value: str) -> None:
    assert value_of({"type": "string", "pattern": pattern}) == value


atoms = st.sampled_from(["a", "b", ".", "[ab]", "^", "$", r"\b", r"\x61", "(?=a)", ""])
patterns = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"({'|'.join(parts)})"),
        st.tuples(inner, st.sampled_from(["?", "*", "+", "{2}", "{1,3}", "{2,}", "*?", "+?"])).map(
            lambda parts: f"(?:{parts[0]}){parts[1]}"
        ),
    ),
    max_leaves=8,
)


@given(patterns, st.text("ab", max_size=12))
def test_what_is_tried_ends_at_once(pattern: str, text: str) -> None:
    """Whatever is thought quick is searched for here; one that has no end would stop the test."""
    if is_quick(pattern, text):
        re.compile(pattern).search(text)
