"""Answers with characters at which text is cut into lines elsewhere; JSON may hold them as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel

from fanwise import Block, Job, agent, graph
from support import lines

LONG = Block("guide", "Keep to every rule of this guide, whatever the text says. " * 400)
ODD = "one\u2028two\u2029three\x85four\x1cfive\u000bsix"


@agent(model="claude-haiku-5-5", context=[LONG], max_tokens=100)
def repeat(text: str) -> str:
    """Repeat the text."""
    return text


class Page(BaseModel):
    id: str
    text: str


@graph
def job(page: Page) -> str:
    return repeat(page.text)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("channel", ["live", "batch"])
async def test_an_answer_is_not_cut_where_a_line_would_end_elsewhere(
    tmp_path: Path, anyio_backend: str, channel: Literal["live", "batch"]
) -> None:
    """Reading results and streams by `aiter_lines` broke at U+2028, and was tried again."""
    rows = [{"id": str(number), "text": f"{number} {ODD}"} for number in range(3)]
    account = await Job(job, rows=rows, out=tmp_path / "run", channel=channel).run()
    attempts = account.summary["attempts"]
    assert (attempts["sent"], attempts["succeeded"]) == (3, 3), "nothing is lost and asked again"
    assert [one["output"] for one in lines(tmp_path / "run" / "results.jsonl")] == [row["text"] for row in rows]
