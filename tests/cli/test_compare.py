"""A job that should fan out, one that should not, and one that few rows cannot tell."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support import ROOT, fanwise, summary

GRAPH = ROOT / "examples" / "verdicts" / "graph.py"


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    subprocess.run([sys.executable, str(GRAPH.parent / "make_rows.py"), str(tmp_path)], check=True, capture_output=True)
    return tmp_path / "cases.jsonl"


def compared(rows: Path, graph: str, baseline: str, sample: int, *more: object) -> tuple[int, dict[str, Any]]:
    finished = fanwise(
        "compare", f"{GRAPH}:{graph}", "--baseline", f"{GRAPH}:{baseline}", "--rows", rows, "--labels", "label",
        "--sample", sample, "--json", *more,
    )  # fmt: skip
    assert finished.stdout, finished.stderr
    return finished.returncode, json.loads(finished.stdout)


@pytest.mark.parametrize(
    ("graph", "baseline", "sample", "status", "word"),
    [
        ("apart", "alone", 200, 0, "fan out"),
        ("in_a_row", "small_alone", 60, 1, "do not fan out"),
        ("halves", "guess_alone", 40, 4, "not enough rows to tell"),
    ],
)
def test_three_jobs_three_verdicts(rows: Path, graph: str, baseline: str, sample: int, status: int, word: str) -> None:
    code, found = compared(rows, graph, baseline, sample)
    assert (code, found["verdict"]["word"]) == (status, word)
    assert found["simulated"] is True
    assert found["verdict"]["rows"] == sample
    assert found["verdict"]["ratio"]["low"] <= found["verdict"]["ratio"]["value"] <= found["verdict"]["ratio"]["high"]
    assert (found["verdict"]["more"] > 0) == (status == 4)
    assert found["labelled"] is True


def test_labels_of_a_file_a_score_of_ones_own_and_the_shape(rows: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.jsonl"
    with rows.open() as file, labels.open("w") as out:
        for line in list(file)[:150]:
            data = json.loads(line)
            out.write(json.dumps({"id": data["id"], "right": data["label"]}) + "\n")
    score = tmp_path / "score.py"
    score.write_text("def half(output, row, label):\n    return 1.0 if output == label else 0.5\n")
    finished = fanwise(
        "compare", f"{GRAPH}:in_a_row", "--baseline", f"{GRAPH}:small_alone", "--rows", rows, "--labels", labels,
        "--score", f"{score}:half", "--sample", 60, "--out", tmp_path / "run",
    )  # fmt: skip
    assert finished.returncode == 1, finished.stderr
    assert "On 60 rows drawn from the 150 of 400 that have a label" in " ".join(finished.stdout.split())
    assert "shape: 3 agents in 3 rounds, each waits for the one before" in finished.stdout
    assert "sent again: case.facts, case.law to check, decide" in finished.stdout
    again = fanwise("resume", tmp_path / "run")
    assert again.returncode == 0, "the run goes on with all rows"
    first = json.loads((tmp_path / "run" / "looks.json").read_text())
    code, found = compared(rows, "in_a_row", "small_alone", 60, "--out", tmp_path / "run")
    looks = json.loads((tmp_path / "run" / "looks.json").read_text())
    assert [look["rows"] for look in looks] == [first[0]["rows"], 400]
    (made,) = found["verdict"]["decides"]["looks"]  # with other labels and no scorer it is another question
    assert made == {"rows": 400, "spent": looks[1]["spent"]}
    assert (code, found["verdict"]["decides"]["ratio"]["low"]) == (1, pytest.approx(found["verdict"]["ratio"]["value"]))


SIDES = '''
from pydantic import BaseModel
from fanwise import agent, graph

class Case(BaseModel):
    id: str
    text: str

@agent(model="claude-haiku-5-5", max_tokens=60)
def read(text: str) -> str:
    """Read."""
    return "read"

@agent(model="claude-haiku-5-5", max_tokens=60)
def answer(read: str) -> str:
    """Answer."""
    return "of the fan-out"

@agent(model="claude-haiku-5-5", max_tokens=60)
def alone(text: str) -> str:
    """Answer alone."""
    return "of one agent"

@graph
def apart(case: Case) -> str:
    return answer(read(case.text))

@graph
def single(case: Case) -> str:
    return alone(case.text)
'''


Told = Callable[..., str]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """Compare both sides on so many rows by a field that is right, and return what is said."""
    (tmp_path / "sides.py").write_text(SIDES)
    rights = {"nobody": "of nobody", "fanout": "of the fan-out", "single": "of one agent"}
    lines = [json.dumps({"id": str(n), "text": f"text {n}"} | rights) for n in range(12)]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))

    def compare(right: str, rows: int, *more: str) -> str:
        finished = fanwise(
            "compare", f"{tmp_path / 'sides.py'}:apart", "--baseline", f"{tmp_path / 'sides.py'}:single", "--rows",
            tmp_path / "rows.jsonl", "--labels", right, "--sample", rows, "--out", tmp_path / "run", *more,
        )  # fmt: skip
        assert finished.returncode in (0, 1, 4), finished.stderr
        return " ".join(finished.stdout.split())

    return compare


def test_another_question_has_looks_of_its_own(told: Told) -> None:
    """A look with other labels had spent the error of the next: all looks at a run counted together."""

    def looks(*call: Any) -> list[int]:
        return [look["rows"] for look in json.loads(told(*call, "--json"))["verdict"]["decides"]["looks"]]

    assert looks("single", 10, "--channel", "batch") == [10]
    assert looks("fanout", 11, "--channel", "batch") == [11], "with other labels nobody has looked"
    assert looks("single", 11, "--channel", "batch") == [10, 11]
    assert looks("single", 12, "--channel", "live") == [12], "another channel has other prices"


def test_what_is_not_known_of_the_price_is_said_in_words(told: Told) -> None:
    """It was "0.00 to any times", "inf to any", and Infinity in JSON, which no parser has to read."""
    assert "look: nothing is known of the ratio of prices, -" in told("nobody", 10)
    some, none = told("single", 10), told("fanout", 10)
    assert re.search(r"look: \d+\.\d\d times or more \(how many times at most is not known\), -", some)
    assert re.search(r"look: \d+\.\d\d times or less, \+", none)
    assert "look 2): no price can be told of the fan-out, which has not succeeded once, -" in told("single", 12)
    assert "no price can be told of one agent, which has not succeeded once, +" in told("fanout", 12)
    data = json.loads(told("single", 12, "--json"), parse_constant=pytest.fail)
    assert data["verdict"]["decides"]["ratio"] == {"low": None, "high": None}


@pytest.mark.parametrize(
    ("labelled", "sample", "said"),
    [
        (12, 30, r"All 12 rows that have a label were compared; label more rows: about \d+ more would tell, if they"),
        (8, 30, r"All 8 rows that have a label were compared; label more rows: about \d+ more would tell, if they"),
        (
            13,
            12,
            r"About \d+ rows more would tell, if they are like these, and only \d more (has|have) a label; label about",
        ),
        (29, 12, r"About \d+ rows more that have a label would tell, if they are like these\."),
        (30, 12, r"About \d+ rows more would tell, if they are like these\. On 12 rows"),
    ],
)
def test_rows_without_a_label_are_no_rows_more(tmp_path: Path, labelled: int, sample: int, said: str) -> None:
    """ "About 7 rows more would tell", where no row more had a label: followed, it sent nothing and said it again."""
    (tmp_path / "sides.py").write_text(SIDES)
    cases = [{"id": f"c{n}", "text": f"text {n}"} for n in range(30)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, cases)))
    first = [{"id": case["id"], "label": "of one agent"} for case in reversed(cases[:labelled])]
    others = [{"id": f"of another file {n}", "label": "of one agent"} for n in range(40)]
    (tmp_path / "labels.jsonl").write_text("\n".join(map(json.dumps, [*first, *others])))
    (tmp_path / "score.py").write_text("def same(output, row, label):\n    return 1\n")
    finished = fanwise(
        "compare", "sides.py:apart", "--baseline", "sides.py:single", "--rows", "rows.jsonl", "--labels",
        "labels.jsonl", "--score", "score.py:same", "--sample", sample, cwd=tmp_path,
    )  # fmt: skip
    assert finished.returncode == 4, finished.stderr
    assert re.search(said, " ".join(finished.stdout.split())), finished.stdout


def test_rows_without_an_id_have_the_labels_of_their_fields(tmp_path: Path) -> None:
    """Both sides were paid for, and then none of the rows had a label: they were looked for by their numbers."""
    (tmp_path / "sides.py").write_text(SIDES.replace("    id: str\n", ""))
    case = json.dumps({"text": "text", "right": "of one agent"})
    (tmp_path / "rows.jsonl").write_text("\n".join([case] * 12))
    call = ("compare", "sides.py:apart", "--baseline", "sides.py:single", "--rows", "rows.jsonl", "--json", "--labels")
    finished = fanwise(*call, "right", cwd=tmp_path)
    assert finished.returncode in (0, 1, 4), finished.stderr
    found = json.loads(finished.stdout)
    assert (found["labelled_rows"], found["left_out"], found["baseline"]["good"]) == (12, 0, 12)
    (tmp_path / "labels.jsonl").write_text(json.dumps({"id": "row 3", "label": "of one agent"}))
    found = json.loads(fanwise(*call, "labels.jsonl", cwd=tmp_path).stdout)
    assert (found["labelled_rows"], found["left_out"], found["baseline"]["good"]) == (1, 0, 1)


def test_what_cannot_be_compared_is_told(rows: Path) -> None:
    finished = fanwise("compare", f"{GRAPH}:apart", "--rows", rows, "--labels", "nothing", "--score", "nowhere.py:f")
    assert finished.returncode == 2
    assert finished.stderr.splitlines() == [
        "fanwise: the call has 2 mistakes:",
        "  --score: there is no file 'nowhere.py'",
        f"  --labels: 'nothing' is no file, and no row of {rows} has a field of that name; name one of the two",
    ]


def test_the_same_call_again_compares_what_was_answered_and_sends_nothing(rows: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    code, first = compared(rows, "in_a_row", "small_alone", 60, "--out", out)
    before = (out / "journal.db").read_bytes()
    finished = fanwise(
        "compare", f"{GRAPH}:in_a_row", "--baseline", f"{GRAPH}:small_alone", "--rows", rows, "--labels", "label",
        "--out", out, "--json",
    )  # fmt: skip
    assert (finished.returncode, json.loads(finished.stdout)) == (code, first)
    assert finished.stderr == f"fanwise: {out} holds a run; its answers are compared, and nothing is sent\n"
    assert (out / "journal.db").read_bytes() == before
    rows.write_text("".join(rows.read_text().splitlines(keepends=True)[:50]))
    shorter = compared(rows, "in_a_row", "small_alone", 60, "--out", out)[1]
    assert shorter["left_out"] > 0, "labels are those of the file as it is"
    (note,) = shorter["notes"]
    assert note.startswith(f"{rows} has been changed since this run has read it: "), "it was compared without a word"
    other = fanwise("compare", f"{GRAPH}:apart", "--rows", rows, "--labels", "label", "--out", out)
    assert other.returncode == 2
    assert f"--out: {out} holds another run: its graph is {GRAPH}:in_a_row, not {GRAPH}:apart" in other.stderr


def test_more_rows_of_a_sample_go_on_in_its_directory_and_are_a_next_look(rows: Path, tmp_path: Path) -> None:
    """A larger sample scored only what was there, and did not say so."""
    job, names = (rows, "halves", "guess_alone"), ("--out", tmp_path / "run")
    compared(*job, 12, *names)
    finished = fanwise(
        "compare", f"{GRAPH}:halves", "--baseline", f"{GRAPH}:guess_alone", "--rows", rows, "--labels", "label",
        "--sample", 20, "--json", *names,
    )  # fmt: skip
    assert finished.stderr.startswith("fanwise: both sides on 8 more rows will cost about $")
    second = json.loads(finished.stdout)
    assert [look["rows"] for look in second["verdict"]["decides"]["looks"]] == [12, 20]
    account = summary(tmp_path / "run")
    assert [account["attempts"][side]["sent"] for side in ("fanout", "baseline")] == [40, 20], "none is asked twice"
    _, fresh = compared(*job, 20, "--out", tmp_path / "fresh")
    for side in ("fanout", "baseline"):
        assert second[side] | {"seconds": 0} == fresh[side] | {"seconds": 0}, "the rows of one draw"
    assert compared(*job, 12, *names)[1] == second, "fewer rows are those that are there"
    assert summary(tmp_path / "run") == account


def test_both_sides_travel_in_the_channel_of_a_run(rows: Path, tmp_path: Path) -> None:
    """They went live, whatever `run` would do: a verdict of twice the price."""
    graph, options = f"{GRAPH}:halves", ("--baseline", f"{GRAPH}:guess_alone", "--rows", rows)
    assert fanwise("run", graph, *options, "--limit", 12, "--out", tmp_path / "run").returncode == 0
    assert fanwise("compare", graph, *options, "--sample", 12, "--out", tmp_path / "compared").returncode == 4
    ran, compared = (
        [(choice["side"], choice["agent"], choice["took"]) for choice in summary(tmp_path / name)["choices"]]
        for name in ("run", "compared")
    )
    assert compared == ran
    assert {took["channel"] for _, _, ways in compared for took in ways} == {"batch"}


def test_a_score_that_raises_ends_with_a_status_of_its_own_before_anything_is_sent(rows: Path, tmp_path: Path) -> None:
    score = tmp_path / "score.py"
    score.write_text("def broken(output, row, label):\n    return output['kind']\n")
    finished = fanwise(
        "compare", f"{GRAPH}:apart", "--baseline", f"{GRAPH}:alone", "--rows", rows, "--labels", "label",
        "--score", f"{score}:broken", "--out", tmp_path / "run",
    )  # fmt: skip
    assert (finished.returncode, finished.stdout) == (70, "")
    assert "broken raised TypeError" in finished.stderr
    assert not (tmp_path / "run").exists()
