"""What `resume` says that the rest of a run will cost, against what it pays: rows that came, went or were changed."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from fanwise.job.directory import peeking
from fanwise.job.manifest import Manifest
from fanwise.studies.plan.rest import Rest, rest_of_run
from fanwise.units import pico_from_usd
from inprocess import own_modules
from support import DESK, fanwise, summary

BEGUN, LATER = 8, 30
"""Rows of the file when the run began, and when it went on."""


def lines(count: int, body: str = "Where is it?") -> list[str]:
    return [json.dumps({"id": f"t{number}", "subject": f"s{number}", "body": body}) for number in range(count)]


def left(out: Path, *retry: str) -> Rest:
    with peeking(out) as db, own_modules():
        return rest_of_run(db, Manifest.of(db).spec, 20, retry=retry)


def edit(graph: Path, before: str, after: str) -> None:
    text = graph.read_text(encoding="utf-8")
    assert before in text
    graph.write_text(text.replace(before, after), encoding="utf-8")


def written(folder: Path) -> tuple[Path, Path, Path]:
    """A graph, its rows and the directory of their run."""
    graph, rows, out = folder / "desk.py", folder / "rows.jsonl", folder / "run"
    graph.write_text(Path(DESK).read_text(encoding="utf-8"), encoding="utf-8")
    rows.write_text("\n".join(lines(BEGUN)))
    return graph, rows, out


def begun(folder: Path, *options: object) -> tuple[Path, Path, Path]:
    """A run that has ended: its graph, its rows and its directory."""
    graph, rows, out = written(folder)
    run = ("run", f"{graph}:triage", "--rows", rows, "--out", out, "--channel", "live", "--baseline", "auto")
    assert fanwise(*run, *options).returncode == 0
    return graph, rows, out


def went_on(out: Path, *options: object) -> int:
    """What going on has paid, in picodollars."""
    before = pico_from_usd(summary(out)["cash"]["paid_usd"])
    assert fanwise("resume", out, *options, cwd=out.parent).returncode < 2
    return pico_from_usd(summary(out)["cash"]["paid_usd"]) - before


@pytest.mark.parametrize("edit", [("", ""), ("Draft the reply.", "Draft the whole reply, please.")])
def test_rows_that_came_are_counted_on_the_arms_that_they_run_on(tmp_path: Path, edit: tuple[str, str]) -> None:
    """Found by a resume that said $0.0006 and paid $0.0042: new rows of the baseline's sample were not counted."""
    graph, rows, out = begun(tmp_path, "--sample", 5)
    rows.write_text("\n".join(lines(LATER)))
    graph.write_text(graph.read_text(encoding="utf-8").replace(*edit), encoding="utf-8")
    rest = left(out)
    said, paid = rest.forecast.total(), went_on(out)
    assert said is not None
    baseline = rest.forecast.price("live", "baseline")
    assert baseline is not None and baseline.expected > 0
    assert 0.97 < said.expected / paid < 1.03, "what is still in the cache is not written again"
    assert said.low <= paid <= said.high
    assert left(out).forecast.total().expected == 0
    assert summary(out)["multiplier"]["rows"] == 5, "the sample is of the size that was asked for"


def test_rows_that_moved_owe_nothing_and_those_that_were_changed_all(tmp_path: Path) -> None:
    _, rows, out = begun(tmp_path)
    rows.write_text("\n".join(lines(BEGUN)[3:]))
    assert left(out).forecast.total().expected == 0, "the rest of the file moved up by three lines"
    rows.write_text("\n".join([*lines(BEGUN)[3:], *lines(3, "Why is it gone?")]))
    rest = left(out)
    assert (rest.rows, rest.all_rows) == (3, BEGUN)
    assert 0.8 < rest.forecast.total().expected / went_on(out) < 1.2


def test_what_the_cache_has_forgotten_is_written_again(tmp_path: Path) -> None:
    """Found by a resume within minutes that was to cost $0.1607 at least, and cost $0.0698."""
    _, rows, out = begun(tmp_path)
    rows.write_text("\n".join(lines(LATER)))
    warm = left(out).forecast.total()
    with sqlite3.connect(out / "journal.db") as db:
        db.execute("UPDATE attempts SET sent=sent-600")
    db.close()
    cold = left(out).forecast.total()
    assert warm is not None and cold is not None
    assert warm.expected < cold.expected
    assert warm.low < cold.low
    assert warm.high == cold.high, "nobody knows when the yes comes"
    assert warm.worst == cold.worst


PROMPT = ("Decide what the ticket is about.", "Decide in one word what the ticket is about.")
ANSWER = ("confidence=0.75", "confidence=0.5")
LABEL = ('else "other"', 'else "login"')


def test_an_edit_that_was_taken_back_owes_nothing(tmp_path: Path) -> None:
    """Found by a resume that said $0.0357 and paid nothing: the answers of before the edit were there."""
    graph, _, out = begun(tmp_path)
    edit(graph, *PROMPT)
    edit(graph, *LABEL)
    assert left(out).forecast.total().low > 0
    assert went_on(out) > 0
    edit(graph, *LABEL[::-1])
    edit(graph, *PROMPT[::-1])
    rest = left(out)
    said = rest.forecast.total()
    assert (rest.rows, rest.all_rows, said.expected, said.high, said.worst) == (0, BEGUN, 0, 0, 0)
    assert went_on(out) == 0


def test_rows_that_came_under_an_edit_that_was_taken_back_owe_what_they_were_not_asked(tmp_path: Path) -> None:
    """Found by a resume that said $0.0299, at least $0.0216, and paid $0.0014."""
    graph, rows, out = begun(tmp_path)
    edit(graph, *PROMPT)
    rows.write_text("\n".join(lines(LATER)))
    went_on(out)
    edit(graph, *PROMPT[::-1])
    rest = left(out)
    said, paid = rest.forecast.total(), went_on(out)
    assert rest.rows == LATER - BEGUN
    assert 0 < said.low <= paid <= said.expected, "their drafts were kept, since the topics came out as they were"


def test_the_range_allows_that_what_depends_on_an_edited_prompt_is_kept(tmp_path: Path) -> None:
    """Found by a resume that said $0.0215 at least and paid $0.0142."""
    graph, _, out = begun(tmp_path)
    edit(graph, *PROMPT)
    edit(graph, *ANSWER)
    said, paid = left(out).forecast.total(), went_on(out)
    assert 0 < said.low <= paid < said.expected, "a draft is shown the label, which is what it was"
    edit(graph, *LABEL)
    edit(graph, "Decide in one word", "Decide in a word")
    changed, paid = left(out).forecast.total(), went_on(out)
    assert changed.low <= paid <= changed.high
    assert 1 <= changed.expected / paid < 1.3, "all of it may be asked, and is foreseen"


def test_the_range_allows_that_an_edited_step_has_the_values_that_it_had(tmp_path: Path) -> None:
    graph, _, out = begun(tmp_path)
    edit(graph, "if part.strip()])", "if part.strip() != ''])")
    said, paid = left(out).forecast.price("live", "fanout"), went_on(out)
    assert paid == 0
    assert said is not None and said.low == 0 < said.expected


def test_what_an_agent_is_shown_by_another_wiring_is_asked(tmp_path: Path) -> None:
    """No agent was edited, so that nothing was said to be asked."""
    graph, _, out = begun(tmp_path)
    edit(graph, "return draft(ticket.subject, topic.label, facts)", "return draft(ticket.body, topic.label, facts)")
    rest = left(out)
    said, paid = rest.forecast.total(), went_on(out)
    assert rest.rows == BEGUN
    assert said.low <= paid <= said.high
    assert 0.9 < said.expected / paid < 1.1


def test_failures_that_are_asked_again_are_counted_by_their_kind_in_rows_that_have_an_output_too(
    tmp_path: Path,
) -> None:
    """Rows of which a task had failed counted as done."""
    graph, rows, out = written(tmp_path)
    edit(graph, 'return f"About {question}"', 'return f"About {question}" * (200 if "where" in question else 1)')
    rows.write_text("\n".join(lines(BEGUN, "Is it there? And where?")))
    run = ("run", f"{graph}:patient", "--rows", rows, "--out", out, "--channel", "live")
    assert fanwise(*run).returncode == 1
    assert summary(out)["rows"]["partial"] == BEGUN
    assert left(out, "refused").rows == left(out).rows == 0
    rest = left(out, "truncated")
    said, paid = rest.forecast.total(), went_on(out, "--retry", "truncated")
    assert rest.rows == BEGUN
    assert 0 < said.low <= paid <= said.worst


GUIDED = '''
from fanwise import Block, agent, graph

GUIDE = Block("guide", "Keep to every rule of this guide. " * 300)


@agent(model="claude-haiku-5-5", context=[GUIDE])
def sort(body: str) -> bool:
    """Is it a question?"""
    return len(body) % 2 == 0


@agent(model="claude-haiku-5-5", context=[GUIDE])
def draft(body: str, question: bool) -> str:
    """Draft an answer."""
    return f"{body}, {question}"


@agent(model="claude-haiku-5-5", context=[GUIDE])
def check(body: str) -> int:
    """How polite is it?"""
    return len(body)


@agent(model="claude-haiku-5-5")
def close(text: str, polite: int) -> str:
    """Close it."""
    return f"{text}, {polite}"


@graph
def triage(body: str) -> str:
    return draft(body, sort(body))
'''
MORE = ("return draft(body, sort(body))", "return close(draft(body, sort(body)), check(body))")


@pytest.mark.parametrize("channel", ["live", "batch"])
@pytest.mark.parametrize("kept", [0, 3])
def test_what_all_rows_share_is_written_whole_by_whoever_is_still_asked(
    tmp_path: Path, channel: str, kept: int
) -> None:
    """Found by an agent that was added behind a guide: the guide's write was that of an agent with all its answers,
    and was said to cost nothing: $0.0047 in place of $0.0058, below the low end of the range."""
    graph, rows, out = written(tmp_path)
    graph.write_text(GUIDED, encoding="utf-8")
    texts = [json.dumps({"id": f"t{number}", "body": f"note {number} " * (number % 3 + 1)}) for number in range(12)]
    rows.write_text("\n".join(texts[:-kept] if kept else texts))
    assert fanwise("run", f"{graph}:triage", "--rows", rows, "--out", out, "--channel", channel).returncode == 0
    rows.write_text("\n".join(texts))
    edit(graph, *MORE)
    said = left(out).forecast.total()
    paid = went_on(out)
    assert said.low <= paid <= said.high
    assert 0.98 < said.expected / paid < 1.02


def test_a_run_whose_content_was_purged_asks_everything_again_and_says_so(tmp_path: Path) -> None:
    """It was said to cost nothing, and was paid once more: rows had ended, and of their answers nothing was left."""
    _, _, out = begun(tmp_path)
    assert left(out).rows == 0
    assert fanwise("purge", out, "--content").returncode == 0
    rest = left(out)
    said, paid = rest.forecast.total(), went_on(out)
    assert rest.rows == BEGUN
    assert said is not None and 0 < said.low <= paid <= said.high


def test_documents_of_rows_that_the_cache_still_has_are_not_written_again(tmp_path: Path) -> None:
    """Found by new rows on documents of minutes ago: $0.0392 was said, at least $0.0388, and $0.0251 paid."""
    graph, rows, out = written(tmp_path)
    shown = "page: Annotated[str, Block], body: str"
    text = GUIDED.replace("(body: str)", f"({shown})", 2).replace("draft(body: str,", f"draft({shown},")
    text = text.replace("draft(body, sort(body))", "draft(page, body, sort(page, body))")
    text = text.replace("def triage(body: str)", f"def triage({shown})")
    graph.write_text(f"from typing import Annotated\n{text}", encoding="utf-8")
    pages = [f"Page {number} of a long book. " * 300 for number in range(3)]
    texts = [json.dumps({"id": f"t{n}", "page": pages[n % 3], "body": f"note {n}"}) for n in range(16)]
    rows.write_text("\n".join(texts[:6]))
    run = ("run", f"{graph}:triage", "--rows", rows, "--out", out, "--channel", "live", "--baseline", "auto")
    assert fanwise(*run).returncode == 0
    rows.write_text("\n".join(texts))
    warm = left(out).forecast.total()
    with sqlite3.connect(out / "journal.db") as db:
        db.execute("UPDATE attempts SET sent=sent-600")
    cold = left(out).forecast.total()
    with db:
        db.execute("UPDATE attempts SET sent=sent+600")
    db.close()
    paid = went_on(out)
    assert warm.low <= paid <= warm.high
    assert 0.98 < warm.expected / paid < 1.02
    assert cold.expected > 1.2 * paid
    assert cold.high == warm.high, "nobody knows when the yes comes"


def test_rows_that_repeat_answered_ones_cost_nothing_more_and_are_said_to(tmp_path: Path) -> None:
    """A resume priced each of them by itself, and paid nothing."""
    _, rows, out = begun(tmp_path)
    rows.write_text("\n".join([*lines(BEGUN), *(line.replace('"id": "t', '"id": "again') for line in lines(BEGUN))]))
    rest = left(out)
    said = rest.forecast.total()
    assert (rest.rows, rest.all_rows, said.expected, said.high, said.worst) == (0, 2 * BEGUN, 0, 0, 0)
    assert went_on(out) == 0
    new = [line.replace('"id": "t', '"id": "new').replace("Where", "Why") for line in lines(BEGUN)]
    rows.write_text("\n".join([*lines(BEGUN), *new, *(line.replace('"new', '"newer') for line in new)]))
    rest = left(out)
    said, paid = rest.forecast.total(), went_on(out)
    assert rest.rows == 2 * BEGUN
    assert said.low <= paid <= said.high
    assert 0.97 < said.expected / paid < 1.03, "new rows that are equal are asked once"


def test_rows_that_repeat_answered_ones_are_priced_and_paid_where_each_is_asked(tmp_path: Path) -> None:
    _, rows, out = begun(tmp_path, "--no-reuse")
    rows.write_text("\n".join([*lines(BEGUN), *(line.replace('"id": "t', '"id": "again') for line in lines(BEGUN))]))
    rest = left(out)
    said, paid = rest.forecast.total(), went_on(out)
    assert rest.rows == BEGUN
    assert 0 < said.low <= paid <= said.high
