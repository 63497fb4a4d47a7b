"""A file of graphs that cannot be used is refused with the place of the mistake, never with a traceback."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support import fanwise

AGENT = '''
from typing import TypedDict
from pydantic import BaseModel
from fanwise import agent, graph

@agent(model="claude-haiku-5-5", max_tokens=10)
def first(text: str) -> str:
    """Read it."""
    return text
'''


def said(folder: Path, text: str) -> tuple[int, list[str]]:
    (folder / "graphs.py").write_text(AGENT + text)
    result = fanwise("graph", f"{folder / 'graphs.py'}:job")
    return result.returncode, result.stderr.splitlines()


def test_a_name_that_is_nowhere_is_a_mistake_with_its_line(tmp_path: Path) -> None:
    """A NameError came out as a traceback: the name might have been defined further down."""
    status, lines = said(tmp_path, "\n@graph\ndef job(text: str) -> str:\n    return secnod(text)\n")
    assert status == 70
    assert lines == [f"fanwise: {tmp_path / 'graphs.py'}:13: NameError: name 'secnod' is not defined"]


ROW = "\nclass Inner(TypedDict):\n    text: str\n"
DIRECT = "\n@graph\ndef job(row: Inner) -> str:\n    return first(row['text'])\n"
NESTED = """
class Row(BaseModel):
    inner: Inner

@graph
def job(row: Row) -> str:
    return first(row.inner["text"])
"""


@pytest.mark.parametrize("text", [DIRECT, NESTED], ids=["row", "field of a model"])
def test_a_typed_dict_of_typing_works_or_says_what_to_use(tmp_path: Path, text: str) -> None:
    """Pydantic needs that of typing_extensions before Python 3.12; the message of a nested one had four lines."""
    status, lines = said(tmp_path, ROW + text)
    if sys.version_info >= (3, 12):
        assert (status, lines) == (0, [])
    else:
        assert status == (70 if text == NESTED else 2), "a class that Pydantic does not build raises as it is read"
        assert "use `typing_extensions.TypedDict` instead of `typing.TypedDict`" in lines[-1]
        assert "For further information" not in "\n".join(lines)
