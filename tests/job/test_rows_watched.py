"""A rows file that is changed, cut off or moved under a run: it is said, and the account is of what was sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from fanwise import Job, UsageError, agent, graph, resume, step
from support import DESK, fanwise, lines, summary, tickets

TOUCH: list[Callable[[], object]] = []
"""What is done to the rows file while the first row is at work."""


@agent(model="claude-haiku-5-5", max_tokens=50)
def repeat(text: str) -> str:
    """Repeat the text."""
    return text


@step
def touched(text: str) -> str:
    while TOUCH:
        TOUCH.pop()()
    return text


@graph
def job(text: str) -> str:
    return repeat(touched(text))


def written(path: Path, texts: list[str]) -> None:
    path.write_text("".join(f'{{"text": "{text}"}}\n' for text in texts))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path: written(path, ["other"]), "was changed while the run was at work: 28 bytes as it began, 18 now"),
        (lambda path: path.write_bytes(b""), "was changed while the run was at work"),
        (lambda path: path.unlink(), "was moved or removed while the run was at work"),
        (lambda path: path.rename(path.with_name("moved")), "was moved or removed while the run was at work"),
        (lambda path: path.touch(), ""),
        (lambda path: written(path, ["a", "b"]), ""),
    ],
    ids=["changed", "cut off", "removed", "moved", "touched", "written anew"],
)
def test_what_becomes_of_the_file_while_it_is_read_is_said(
    tmp_path: Path, change: Callable[[Path], object], said: str
) -> None:
    """Nothing was said of it, and the account was of fewer rows than the file had."""
    rows, out = tmp_path / "rows.jsonl", tmp_path / "run"
    written(rows, ["a", "b"])
    TOUCH[:] = [lambda: change(rows)]
    account = Job(job, rows=rows, out=out, channel="live").run_sync().summary
    assert account["rows"]["succeeded"] == 2
    assert account["cost_usd"] == account["bill_usd"]
    found = [note for note in account["notes"] if str(rows) in note]
    assert [said in note for note in found] == ([True] if said else [])


def test_what_became_of_the_file_before_a_run_goes_on_is_said(tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.jsonl", tmp_path / "run"
    written(rows, ["a", "b"])
    paid = Job(job, rows=rows, out=out, channel="live").run_sync().summary["cost_usd"]
    content = rows.read_bytes()

    def went_on() -> list[str]:
        account = anyio.run(lambda: resume(out, graph=job))
        return [note for note in account.summary["notes"] if "since this run has read it" in note]

    rows.unlink()
    with pytest.raises(UsageError, match=r"there is no rows file .* any more; put it back"):
        went_on()
    rows.write_bytes(content)
    assert went_on() == [], "the same bytes, in another file"
    written(rows, ["a", "c"])
    (note,) = went_on()
    assert "28 bytes then, 28 now" in note and "put that file back" in note
    account = summary(out)
    assert account["cost_usd"] == paid, "of the rows as they are now"
    assert float(account["bill_usd"]) > float(paid), "the row that is gone was paid for too"
    assert [line["output"] for line in lines(out / "results.jsonl")] == ["a", "c"]
    assert fanwise("status", out).returncode == 0


def test_what_became_of_the_file_is_said_once_where_there_is_no_terminal(tmp_path: Path) -> None:
    """It was said twice there, once as a raw event of the log."""
    rows, out = tickets(tmp_path / "rows.jsonl", 2), tmp_path / "run"
    assert fanwise("run", f"{DESK}:single", "--rows", rows, "--out", out, "--channel", "live").returncode == 0
    tickets(rows, 3)
    said = fanwise("resume", out, "--graph", f"{DESK}:single").stderr
    assert said.count("since this run has read it") == 1 and "event=" not in said, said
