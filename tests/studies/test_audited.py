"""The audit as a function: of a graph that is at hand, over rows that are in no file, and of calls that are wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from fanwise import Block, SpecError, UsageError, agent, graph
from fanwise.studies.audit import audit
from support import environment


class Row(BaseModel):
    id: str
    source: Annotated[str, Block]


@agent(model="claude-haiku-4-5", max_tokens=100)
def first(source: Annotated[str, Block]) -> str:
    """Read it."""
    return source


@agent(model="claude-haiku-4-5", max_tokens=100)
def second(source: Annotated[str, Block], first: str) -> str:
    """Read it again."""
    return first


@graph
def job(row: Row) -> str:
    return second(row.source, first(row.source))


another_name = job.options(name="other")
ROWS = [{"id": "r1", "source": "short"}, {"id": "r2"}, Row(id="r3", source="short too")]


@pytest.mark.parametrize("audited", [job, another_name], ids=["job", "another name"])
def test_a_graph_at_hand_is_audited_over_rows_at_hand(audited: Any) -> None:
    """A graph could not be sent to the other process (TypeError: not JSON serializable), nor could rows."""
    (finding,) = audit(audited, ROWS)
    assert (finding.kind, finding.block) == ("too_short", "row.source")
    assert "in row r1" in finding.message


def test_a_graph_that_no_other_process_can_load_is_refused_in_one_line() -> None:
    @graph
    def inner(row: Row) -> str:
        return first(row.source)

    with pytest.raises(UsageError, match=r"^graph: graph 'inner' \(.*\) cannot be loaded by another process; make it"):
        audit(inner, ROWS)


SCRIPT = """
from fanwise import agent, audit, graph

@agent(model="claude-haiku-4-5", max_tokens=100)
def first(text: str) -> str:
    '''Read it.'''
    return text

@graph
def job(text: str) -> str:
    return first(text)

{guard}
    print(audit(job, [{{"text": "a"}}]))
"""


def script(folder: Path, guard: str) -> subprocess.CompletedProcess[str]:
    (folder / "script.py").write_text(SCRIPT.format(guard=guard))
    command = [sys.executable, str(folder / "script.py")]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120, check=False)


def test_a_script_audits_its_own_graph(tmp_path: Path) -> None:
    done = script(tmp_path, 'if __name__ == "__main__":')
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr


def test_a_script_that_audits_whenever_it_is_loaded_is_refused(tmp_path: Path) -> None:
    done = script(tmp_path, "if True:")
    assert done.returncode == 1
    last = "fanwise.errors.UsageError: the file of the graph calls audit() while it is loaded; do so under `if __name__"
    assert done.stderr.splitlines()[-1].startswith(last)


def test_all_mistakes_of_an_audit_are_named_at_once(tmp_path: Path) -> None:
    """They came one at a time; a sample of no number was a traceback of the other process."""
    with pytest.raises(SpecError) as refused:
        audit("nowhere.py:job", tmp_path / "no.jsonl", form="xml", sample=0)  # type: ignore[arg-type]
    assert [mistake.place for mistake in refused.value.mistakes] == ["form", "sample", "graph", "rows"]
    with pytest.raises(SpecError, match=r"^sample: '5' is not a whole number, 1 or more"):
        audit(job, ROWS, sample="5")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"^rows: .* is empty"):
        audit(job, [])
