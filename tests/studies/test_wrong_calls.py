"""A call that is wrong is refused whole and at once; a mistake in the scoring costs nothing that was answered."""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from fanwise import Job, Scorer, SpecError, UsageError, agent, graph
from fanwise.errors import ScoringError
from fanwise.studies.compare import compare
from fanwise.studies.history import history
from fanwise.studies.plan.plan import plan


class Row(BaseModel):
    id: str
    text: str


@agent(model="claude-haiku-5-5", max_tokens=100)
def shout(trimmed: str) -> str:
    """Make it loud."""
    return trimmed.upper()


@agent(model="claude-haiku-5-5", max_tokens=100)
def trim(text: str) -> str:
    """Make it short."""
    return text


@graph
def job(row: Row) -> str:
    return shout(trim(row.text))


@graph
def other(row: Row) -> str:
    return shout(trim(row.text))


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f'{{"id": "r{number}", "text": "text", "right": "TEXT"}}\n' for number in range(4)))
    return path


def nobody(sample: object) -> None:
    pytest.fail("nothing may be carried out")


def places(refused: pytest.ExceptionInfo[SpecError]) -> list[str]:
    return [mistake.place for mistake in refused.value.mistakes]


@pytest.mark.parametrize("question", [plan, compare])
def test_all_mistakes_of_a_call_are_named_at_once(tmp_path: Path, question: Any) -> None:
    """They came one at a time, some of them as a TypeError or AttributeError, and spoke of the command line."""
    own: dict[str, Any] = {"simulate": "x"} if question is plan else {"score": 5, "labels": {}, "seed": None}
    with pytest.raises(SpecError) as refused:
        question(
            "nowhere.py:job", rows=tmp_path / "no.jsonl", sample="lots", channel="lve", baseline="atuo",
            out=tmp_path / "run", carry_out=nobody, **own,
        )  # fmt: skip
    assert set(places(refused)) == {"channel", "baseline", "sample", "graph", "rows", *own}
    assert "--" not in str(refused.value).replace("--format", "")
    assert not (tmp_path / "run").exists()


def test_a_plan_has_a_folder_where_a_sample_is_paid_for_and_only_there(rows: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"^out: no folder is named"):
        plan(job, rows=rows, sample=2, carry_out=nobody)
    with pytest.raises(SpecError, match=r"^sample: a folder is named"):
        plan(job, rows=rows, out=tmp_path / "run")
    with pytest.raises(SpecError, match=r"^channel: 'auto' is not one of live, batch"):
        plan(job, rows=rows, channel="auto")  # type: ignore[arg-type]


def test_a_comparison_with_nothing_is_refused_before_it_is_paid(rows: Path) -> None:
    """It carried out all rows, and then had nothing to compare."""
    with pytest.raises(SpecError, match=r"^baseline: 'none' leaves nothing to compare with"):
        compare(job, rows=rows, baseline="none", carry_out=nobody)


def test_labels_that_no_drawn_row_has_are_refused_before_they_are_paid(rows: Path, tmp_path: Path) -> None:
    """They were missed when all had been carried out."""
    labels = tmp_path / "labels.jsonl"
    labels.write_text('{"id": "elsewhere", "right": "TEXT"}\n')
    with pytest.raises(SpecError, match=r"none of the 4 rows has a label; are they by the rows' 'id'?"):
        compare(job, rows=rows, labels=labels, carry_out=nobody)
    labels.write_text("")
    with pytest.raises(SpecError, match=r"^labels: no line of .*labels\.jsonl has a label; write lines like"):
        compare(job, rows=rows, labels=labels, carry_out=nobody)


def returns(value: Any) -> Scorer[Any, Any, Any]:
    return lambda output, row, label: value


async def later(output: Any, row: Any, label: Any) -> float:
    return 1.0


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (5, "5 is no function and no reference|5 is no function; give one"),
        ("score.py", "'score.py' names no function; write path/file.py:name"),
        ("nowhere.py:f", "there is no file 'nowhere.py'"),
        (later, r"wrong_calls.py:\d+: later\(.* is asynchronous; write `def later\(output: str, row: Row, label\)"),
        (lambda output, label: 1.0, r"wrong_calls.py:\d+: <lambda>\(output, label\) cannot be called with an output, "
         r"its row and its label; write `def score\(output: str, row: Row, label\) -> float:`"),
    ],
    ids=["number", "no name", "no file", "async", "two parameters"],
)  # fmt: skip
def test_a_score_that_is_no_function_of_three_is_refused_before_it_is_paid(
    rows: Path, score: Any, message: str
) -> None:
    with pytest.raises(UsageError, match=rf"^score: .*({message})"):
        compare(job, rows=rows, labels="right", score=score, carry_out=nobody)
    with pytest.raises(UsageError, match=r"^score: there are no labels that it could hold outputs against"):
        compare(job, rows=rows, score=returns(1.0), carry_out=nobody)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(:", r"score.py:1: invalid syntax"),
        ("import json\n\n1 / 0", r"score.py:3: ZeroDivisionError: division by zero"),
        ("def g(output, row, label): return 1.0", r"there is no function 'f' in .*score.py; .*g"),
        ("f = 3", r"there is no function 'f' in "),
    ],
)
def test_a_file_of_a_score_that_cannot_be_run_is_one_line(rows: Path, tmp_path: Path, text: str, message: str) -> None:
    """What the file raised came out as a traceback."""
    (tmp_path / "score.py").write_text(text)
    with pytest.raises(UsageError, match=message) as refused:
        compare(job, rows=rows, labels="right", score=f"{tmp_path / 'score.py'}:f", carry_out=nobody)
    assert "\n" not in str(refused.value)


def raises(output: Any, row: Any, label: Any) -> float:
    raise KeyError(label)


def after_the_rehearsal(score: Scorer[Any, Any, Any]) -> Scorer[Any, Any, Any]:
    """A score that fails on answers alone: it is right the first time."""
    calls: list[Any] = []

    @functools.wraps(score)
    def scored(output: Any, row: Any, label: Any) -> Any:
        calls.append(label)
        return 1.0 if len(calls) == 1 else score(output, row, label)

    return scored


@pytest.mark.parametrize("score", [raises, lambda output, row, label: 85], ids=["raises", "percent"])
def test_a_score_is_tried_before_anything_is_paid(rows: Path, score: Any) -> None:
    """It was tried on answers that had been paid for."""
    with pytest.raises(ScoringError, match=r"^score: row 'r0': .* for output \"TEXT\" and label \"TEXT\""):
        compare(job, rows=rows, labels="right", score=score, carry_out=nobody)


class Sorted(BaseModel):
    kind: Literal["note", "question"]
    words: int


@agent(model="claude-haiku-5-5", max_tokens=100)
def sort(trimmed: str) -> Sorted:
    """Sort it."""
    return Sorted(kind="note", words=1)


@graph
def sorting(row: Row) -> Sorted:
    return sort(trim(row.text))


def test_labels_that_no_output_can_equal_are_refused_before_they_are_paid(rows: Path) -> None:
    """All rows were wrong on both sides, and paid for."""
    with pytest.raises(SpecError, match=r"row 'r0' is 'TEXT', and an output has fields: kind, words; .*kind=label"):
        compare(sorting, rows=rows, labels="right", carry_out=nobody)
    with pytest.raises(SpecError, match=r"row 'r0' has a field 'sort' that no output has; outputs have kind, words"):
        compare(sorting, rows=rows, labels="sort=right", carry_out=nobody)
    with pytest.raises(SpecError, match=r"row 'r0' is 'TEXT', and an output is one of note, question"):
        compare(sorting, rows=rows, labels="kind=right", carry_out=nobody)


def test_a_field_of_the_output_is_held_against_its_label(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(f'{{"id": "r{number}", "text": "text", "right": "Note"}}\n' for number in range(3)))
    assert compare(sorting, rows=rows, labels="kind=right").fanout.score == 1.0


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (returns(None), "returned None, which is no number from 0 to 1"),
        (returns("good"), "returned 'good', which is no number"),
        (returns(math.nan), "returned nan, which is no number"),
        (returns(85), "returned 85, which is no number from 0 to 1"),
        (raises, "raises raised KeyError: 'TEXT'"),
    ],
    ids=["none", "text", "nan", "percent", "raises"],
)
def test_a_scoring_that_fails_costs_nothing_that_was_answered(
    rows: Path, tmp_path: Path, score: Any, message: str
) -> None:
    """A TypeError came out behind the last paid answer, and without `out` the answers went with it."""
    with pytest.raises(ScoringError) as refused:
        compare(job, rows=rows, labels="right", score=after_the_rehearsal(score), out=tmp_path / "run")
    said = str(refused.value)
    assert "row 'r0': " in said and message in said, said
    assert 'for output "TEXT" and label "TEXT"' in said
    assert said.count("row 'r") == 4, "a row on which both sides have said the same is named once"
    assert f"out: the answers are kept in {tmp_path / 'run'}; name it in the next call" in said
    comparison = compare(job, rows=rows, labels="right", out=tmp_path / "run", carry_out=nobody)
    assert (comparison.verdict.rows, comparison.fanout.score) == (4, 1.0)
    with pytest.raises(SpecError, match=rf"^score: {tmp_path / 'run'}, row 'r0'|  score: {tmp_path / 'run'}, row 'r0'"):
        history(tmp_path / "run", labels="right", score=score, graph=job)


def test_answers_that_nobody_kept_are_kept_where_the_scoring_fails(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    compare(job, rows=rows, labels="right")
    assert list(tmp_path.iterdir()) == [rows], "nothing is left of one that went well"
    with pytest.raises(ScoringError) as refused:
        compare(job, rows=rows, labels="right", score=after_the_rehearsal(raises))
    kept = Path(refused.value.mistakes[-1].message.removeprefix("the answers are kept in "))
    assert compare(job, rows=rows, labels="right", out=kept, carry_out=nobody).verdict.rows == 4
    assert kept.is_dir(), "it is named now, and stays"


def test_a_directory_of_another_run_is_not_compared(rows: Path, tmp_path: Path) -> None:
    Job(job, rows=rows, out=tmp_path / "run", channel="live").run_sync()
    with pytest.raises(SpecError, match=r"without a single agent to compare with; `fanwise resume .* --baseline auto`"):
        compare(job, rows=rows, out=tmp_path / "run", carry_out=nobody)
    compare(job, rows=rows, out=tmp_path / "both")
    with pytest.raises(SpecError, match=r"its graph is .*:job, not .*:other"):
        compare(other, rows=rows, out=tmp_path / "both", carry_out=nobody)
