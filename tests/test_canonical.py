"""JSON there and back: one form for equal values, and every text read as `json` reads it."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from fanwise.canonical import canonical
from fanwise.engine.records import RowsFile
from fanwise.engine.rowsfile import read
from fanwise.jsonable import loads

texts = st.text(max_size=8)
plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


class Inner(BaseModel):
    model_config = ConfigDict(extra="allow")
    b: Any
    a: list[Any]


@dataclass
class Pair:
    y: Any
    x: Any


def by_rule(value: object) -> str:
    """Canonical JSON as the rule says it: sorted keys, no white space, characters as they are."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@given(plain_values, st.lists(plain_values, max_size=2), st.dictionaries(st.sampled_from("cdé"), plain_values))
def test_equal_values_have_one_form_whatever_holds_them(b: Any, a: list[Any], extra: dict[str, Any]) -> None:
    model = Inner(b=b, a=a, **extra)
    assert canonical(b) == by_rule(b)
    assert canonical(model) == canonical({"b": b, "a": a} | extra) == by_rule({"b": b, "a": a} | extra)
    assert canonical([Pair(b, model)]) == by_rule([{"x": {"b": b, "a": a} | extra, "y": b}])


@pytest.mark.parametrize("value", [math.nan, [math.inf], Inner(b=-math.inf, a=[]), {"a": print}])
def test_what_has_no_form_in_json_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical(value)


@given(plain_values, st.booleans())
def test_a_text_is_read_as_json_reads_it(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert by_rule(loads(text)) == by_rule(json.loads(text)) == by_rule(value)


@pytest.mark.parametrize(
    "text",
    ['"\\ud800"', "NaN", "-Infinity", "1e999", "1" * 400, '{"a":1,"a":2}', " [1 ] ", "", "{", "[1,]", "\ufeff1", "nul"],
)
def test_odd_texts_are_read_or_refused_as_json_does(text: str) -> None:
    try:
        expected = repr(json.loads(text))
    except ValueError as error:
        with pytest.raises(ValueError, match=re.escape(str(error))):
            loads(text)
    else:
        assert repr(loads(text)) == expected


@given(st.lists(st.dictionaries(texts, plain_values, max_size=3), min_size=1, max_size=4))
def test_rows_are_read_as_json_reads_them(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]) -> None:
    path: Path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    records = list(read(RowsFile(path, "jsonl")))
    assert [by_rule(record.data) for record in records] == [by_rule(row) for row in rows]
