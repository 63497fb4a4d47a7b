"""`fanwise sync`: rows that were added, changed, removed and moved; what is asked, paid, said and logged of them."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from fanwise import Job, SpecError, UsageError, sync
from fanwise.emulator import Emulator
from fanwise.job.lock import hold
from gateway import gateway
from support import DESK, ROOT, billed, environment, fanwise, journal_value, lines, stored_bill, summary

SOURCE = '''\
from pydantic import BaseModel

from fanwise import agent, graph


class Note(BaseModel):
    id: str | None = None
    subject: str
    body: str


@agent(model="claude-haiku-5-5", max_tokens=60)
def sort(body: str) -> str:
    """Sort it."""
    return f"kind {len(body)}"


@agent(model="claude-sonnet-5-5", max_tokens=60)
def reply(subject: str, kind: str) -> str:
    """Reply to it."""
    if subject == "odd":
        raise ValueError(subject)
    return f"{subject}: {kind}"


@graph
def notes(note: Note) -> str:
    return reply(note.subject, sort(note.body))
'''
Rows = Sequence[tuple[str | None, str, str]]
"""Id, subject and body of each row."""
ROWS: Rows = [(f"n{number}", f"s{number}", f"body of {number}") for number in range(5)]
LATER: Rows = [("n9", "s9", "body of 9"), ROWS[4], ROWS[0], ("n1", "other", "body of 1"), ("n3", "s3", "longer body")]
"""One is new, two have moved, the subject of one and the body of another have changed, one is gone."""


def written(path: Path, rows: Rows) -> Path:
    records = ({"id": name, "subject": subject, "body": body} for name, subject, body in rows)
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    return path


def begun(folder: Path, rows: Rows = ROWS, *options: object, name: str = "run") -> Path:
    """The directory of a run over some rows."""
    (folder / "graph.py").write_text(SOURCE)
    out = folder / name
    file = written(folder / "rows.jsonl", rows)
    done = fanwise("run", "graph.py:notes", "--rows", file, "--out", out, "--channel", "live", *options, cwd=folder)
    assert done.returncode < 2, done.stderr
    return out


def synced(out: Path, *options: object, status: int = 0) -> str:
    """What a sync says on standard error."""
    done = fanwise("sync", out, *options, cwd=out.parent)
    assert done.returncode == status, done.stderr
    return done.stderr


def asked(out: Path) -> dict[str, int]:
    """Requests on the bill by agent: each has a model of its own."""
    models = [entry["model"] for entry in stored_bill(out)]
    return {"sort": models.count("claude-haiku-5-5"), "reply": models.count("claude-sonnet-5-5")}


def changes(out: Path) -> list[dict[str, Any]]:
    return lines(out / "changes.jsonl")


def replayed(loaded: Iterable[dict[str, Any]], log: Iterable[dict[str, Any]]) -> dict[str, tuple[str, str | None]]:
    """Ids with status, as somebody has them who has loaded results and goes by the log."""
    copy = {line["id"]: line["status"] for line in loaded}
    for change in log:
        if change["change"] == "removed":
            del copy[change["id"]]
        else:
            assert (change["id"] in copy) == (change["change"] == "changed")
            copy[change["id"]] = change["status"]
    return copy


def test_only_what_an_edit_reaches_is_asked_and_results_are_those_of_a_run_from_scratch(tmp_path: Path) -> None:
    out = begun(tmp_path)
    assert asked(out) == {"sort": 5, "reply": 5}
    first = {line["id"]: Decimal(line["cost_usd"]) for line in lines(out / "results.jsonl")}
    written(tmp_path / "rows.jsonl", LATER)
    said = synced(out)
    assert "1 added, 2 changed, 1 removed, 2 in other places" in said
    assert "the sync, 3 rows of 5, will cost about $0.00" in said and "; a run from scratch about $0.00" in said
    assert asked(out) == {"sort": 7, "reply": 8}, "a subject reaches `reply` alone"
    fresh = begun(tmp_path, LATER, name="fresh")
    assert (out / "results.jsonl").read_bytes() == (fresh / "results.jsonl").read_bytes()
    assert [line["row"] for line in lines(out / "results.jsonl")] == [1, 2, 3, 4, 5]
    account = summary(out)
    assert account["cost_usd"] == summary(fresh)["cost_usd"]
    left = account["cash"]["left"]
    assert Decimal(account["cash"]["paid_usd"]) == billed(out) == Decimal(account["cost_usd"]) + Decimal(left["usd"])
    assert Decimal(left["removed"]["usd"]) == first["n2"]
    assert (left["removed"]["attempts"], left["changed"]["attempts"]) == (2, 3)
    for form in ("csv", "jsonl", "parquet"):
        for run in (out, fresh):
            assert fanwise("export", run, "--to", form).returncode == 0
        for table in ("rows", "tasks"):
            name = f"export/{table}.{form}"
            assert (out / name).read_bytes() == (fresh / name).read_bytes(), "rows and tasks that are gone are in none"
    attempts = lines(out / "export" / "attempts.jsonl")
    assert sum(Decimal(line["cost_usd"]) for line in attempts) == billed(out)
    assert sum(Decimal(line["cost_usd"]) for line in attempts if line["counts"]) == Decimal(account["cost_usd"])


def test_what_has_become_of_each_result_is_logged(tmp_path: Path) -> None:
    out = begun(tmp_path)
    before = lines(out / "results.jsonl")
    written(tmp_path / "rows.jsonl", [*LATER, ("odd", "odd", "body")])
    synced(out, status=1)
    line = {"format": 2, "session": 2, "status": "succeeded", "status_before": "succeeded", "differs": []}
    assert changes(out) == [
        line | {"change": "removed", "id": "n2", "row": None, "row_before": 3, "status": None},
        line | {"change": "added", "id": "n9", "row": 1, "row_before": None, "status_before": None},
        line | {"change": "changed", "id": "n1", "row": 4, "row_before": 2, "differs": ["row", "output"]},
        line | {"change": "changed", "id": "n3", "row": 5, "row_before": 4, "differs": ["row", "output"]},
        line
        | {"change": "added", "id": "odd", "row": 6, "row_before": None, "status": "failed", "status_before": None},
    ]
    written(tmp_path / "rows.jsonl", ROWS)
    synced(out)
    assert replayed(before, changes(out)) == {line["id"]: "succeeded" for line in before}
    assert {change["session"] for change in changes(out)} == {2, 3}, "what was told before stays"


def test_an_edited_prompt_and_what_others_have_done_since_the_sync_before_are_logged(tmp_path: Path) -> None:
    out = begun(tmp_path)
    assert not (out / "changes.jsonl").exists(), "a run that is never synced has no log"
    synced(out)
    assert changes(out) == []
    (tmp_path / "graph.py").write_text(SOURCE.replace("{subject}: {kind}", "{subject}, {kind}").replace("Reply", "Say"))
    assert fanwise("resume", out, cwd=tmp_path).returncode == 0
    assert [(line["id"], line["differs"]) for line in changes(out)] == [(name, ["output"]) for name, _, _ in ROWS]
    assert asked(out) == {"sort": 5, "reply": 10}


def test_nothing_changed_says_so_and_costs_nothing(tmp_path: Path) -> None:
    out = begun(tmp_path)
    before = (out / "results.jsonl").read_bytes(), billed(out)
    said = synced(out)
    assert "as they were" in said and "nothing is to be asked, and nothing to be paid" in said
    assert ((out / "results.jsonl").read_bytes(), billed(out)) == before
    assert json.loads(fanwise("sync", out, "--json", cwd=tmp_path).stdout)["sessions"] == 3


def test_another_file_is_the_runs_from_then_on(tmp_path: Path) -> None:
    out = begun(tmp_path)
    other = tmp_path / "other.csv"
    other.write_text("id,subject,body\n" + "".join(f"{name},{subject},{body}\n" for name, subject, body in LATER[1:]))
    said = synced(out, "--rows", other)
    assert re.search(r"other\.csv takes the place of .*rows\.jsonl", said)
    assert [line["row"] for line in lines(out / "results.jsonl")] == [2, 3, 4, 5]
    assert asked(out) == {"sort": 6, "reply": 7}, "what is the same row in another format is not asked again"
    (tmp_path / "rows.jsonl").unlink()
    assert "as they were" in synced(out)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"), ("\n\n", "no rows in"), ('{"id": "n1"}\n{"subject": 3}\n', "valid: 2 were set aside"),
        (None, "there is no rows file"),
    ],
)  # fmt: skip
def test_a_file_without_a_row_leaves_all_as_it_is(tmp_path: Path, text: str | None, reason: str) -> None:
    """Half an export that was read as the whole would take all results away."""
    out = begun(tmp_path)
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.suffix == ".jsonl"}
    other = tmp_path / "other.jsonl"
    if text is not None:
        other.write_text(text)
    assert reason in synced(out, "--rows", other, status=2)
    with pytest.raises(UsageError, match=reason):
        anyio.run(lambda: sync(out, rows=other, graph=f"{tmp_path / 'graph.py'}:notes"))
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.suffix == ".jsonl"} == before
    assert journal_value(out, "SELECT COUNT(*) FROM sessions") == 1
    assert "as they were" in synced(out), "the run has its own file"


def test_rows_that_are_rejected_leave_the_results_and_the_first_of_an_id_stays(tmp_path: Path) -> None:
    out = begun(tmp_path)
    file = written(tmp_path / "rows.jsonl", [ROWS[1], ROWS[1], ROWS[0]])
    file.write_text(file.read_text() + '{"id": "n2", "subject": "s2"}\n')
    said = synced(out, status=1)
    assert "3 removed, 2 in other places" in said
    assert asked(out) == {"sort": 5, "reply": 5}
    assert [change["id"] for change in changes(out)] == ["n2", "n3", "n4"]
    call = ("--rows", file, "--out", "fresh", "--channel", "live")
    assert fanwise("run", "graph.py:notes", *call, cwd=tmp_path).returncode == 1
    for name in ("results.jsonl", "rejects.jsonl"):
        assert (out / name).read_bytes() == (tmp_path / "fresh" / name).read_bytes()
    assert [reject["line"] for reject in lines(out / "rejects.jsonl")] == [2, 4]


def test_a_run_with_a_limit_keeps_to_it(tmp_path: Path) -> None:
    """Found: a row behind a blank line stayed in the results when the limit did not come to its line any more."""
    (tmp_path / "graph.py").write_text(SOURCE)
    file = written(tmp_path / "rows.jsonl", ROWS)
    file.write_text(file.read_text().replace("\n", "\n\n", 1))
    call = ("--rows", file, "--out", "run", "--channel", "live", "--limit", 2)
    assert fanwise("run", "graph.py:notes", *call, cwd=tmp_path).returncode == 0
    out = tmp_path / "run"
    assert [line["row"] for line in lines(out / "results.jsonl")] == [1, 3]
    written(file, [ROWS[0], ROWS[4], *ROWS[1:3]])
    assert "1 added, 1 removed" in synced(out)
    assert [(line["id"], line["row"]) for line in lines(out / "results.jsonl")] == [("n0", 1), ("n4", 2)]
    assert [(change["id"], change["change"]) for change in changes(out)] == [("n1", "removed"), ("n4", "added")]


def test_rows_without_an_id_are_known_by_what_they_hold(tmp_path: Path) -> None:
    rows: Rows = [(None, subject, body) for _, subject, body in ROWS]
    out = begun(tmp_path, rows)
    written(tmp_path / "rows.jsonl", [(None, "s9", "body of 9"), *rows[:2], *rows[3:], rows[4]])
    said = synced(out)
    assert "2 added, 1 removed, 2 in other places; 6 have no id, and are known by what they hold" in said
    fresh = begun(tmp_path, [(None, "s9", "body of 9"), *rows[:2], *rows[3:], rows[4]], name="fresh")
    assert (out / "results.jsonl").read_bytes() == (fresh / "results.jsonl").read_bytes()


def test_rows_from_code_are_synced_with_others(tmp_path: Path) -> None:
    (tmp_path / "graph.py").write_text(SOURCE)
    graph = f"{tmp_path / 'graph.py'}:notes"
    records = [{"id": name, "subject": subject, "body": body} for name, subject, body in ROWS]
    Job(graph, rows=records, out=tmp_path / "run", channel="live").run_sync()
    account = anyio.run(lambda: sync(tmp_path / "run", rows=records[1:], graph=graph))
    assert [line["id"] for line in account.results()] == ["n1", "n2", "n3", "n4"]
    for wrong in ([], ({"id": "x"} for _ in range(2))):
        with pytest.raises(UsageError):
            anyio.run(lambda rows=wrong: sync(tmp_path / "run", rows=rows, graph=graph))
    with pytest.raises(SpecError, match="one row"):
        anyio.run(lambda: sync(tmp_path / "run", rows={"id": "x"}, graph=graph))
    account = anyio.run(lambda: sync(tmp_path / "run", graph=graph))
    assert [line["row"] for line in account.results()] == [1, 2, 3, 4]
    assert asked(tmp_path / "run") == {"sort": 5, "reply": 5}
    assert not [path.name for path in (tmp_path / "run").iterdir() if path.name.startswith(".")]


def test_a_file_may_be_in_another_encoding_than_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "graph.py").write_text(SOURCE)
    file = tmp_path / "rows.csv"
    file.write_text("id,subject,body\nn0,é,body\n", encoding="latin-1")
    call = ("--rows", file, "--out", "run", "--channel", "live", "--encoding", "latin-1")
    assert fanwise("run", "graph.py:notes", *call, cwd=tmp_path).returncode == 0
    out = tmp_path / "run"
    assert "as they were" in synced(out)
    file.write_text("id,subject,body\nn0,é,body\n", encoding="utf-16")
    assert "as they were" in synced(out, "--encoding", "utf-16"), "the row is what it was"
    assert "as they were" in synced(out), "which stays"
    written(tmp_path / "rows.jsonl", [("n0", "é", "body")])
    said = synced(out, "--rows", tmp_path / "rows.jsonl", "--encoding", "utf-8")
    assert "them: 1 in other places" in said, "in CSV it stands behind a header"
    graph, records = f"{tmp_path / 'graph.py'}:notes", [{"id": "n0", "subject": "é", "body": "body"}]
    anyio.run(lambda: sync(out, rows=file, encoding="utf-16", graph=graph))
    anyio.run(lambda: sync(out, rows=records, graph=graph))
    assert asked(out) == {"sort": 1, "reply": 1}


def test_a_sync_that_is_halted_says_how_to_go_on_and_logs_nothing_before_it_has_ended(tmp_path: Path) -> None:
    """What it has not come to would be told as gone."""
    out = begun(tmp_path)
    later = written(tmp_path / "later rows.jsonl", [(name, f"{subject}!", body) for name, subject, body in ROWS])
    said = synced(out, "--rows", later, "--budget-usd", summary(out)["cost_usd"], status=3)
    assert f"go on with: fanwise sync run --rows '{later}'" in said
    assert changes(out) == []
    assert fanwise("resume", out, cwd=tmp_path).returncode == 0
    assert [(change["id"], change["session"], change["differs"]) for change in changes(out)] == [
        (name, 3, ["row", "output"]) for name, _, _ in ROWS
    ]
    assert asked(out) == {"sort": 5, "reply": 10}


def test_what_a_batch_answers_of_rows_that_have_gone_is_paid_and_in_no_result(tmp_path: Path) -> None:
    (tmp_path / "graph.py").write_text(SOURCE)
    file = written(tmp_path / "rows.jsonl", ROWS)
    call = ("--rows", file, "--out", "run", "--channel", "batch", "--detach", "--batch-delay-s", 0.2)
    with Emulator(batch_delay_s=1) as server:
        env = environment(ANTHROPIC_API_KEY=server.api_key, ANTHROPIC_BASE_URL=server.url)
        left = fanwise("run", "graph.py:notes", *call, cwd=tmp_path, env=env)
        assert left.returncode == 0 and "detached; batches that go on" in left.stderr
        written(file, LATER)
        done = fanwise("sync", "run", cwd=tmp_path, env=env)
        assert done.returncode == 0, done.stderr
        models = [entry["model"] for entry in server.bill()["entries"]]
        fresh = ("--rows", file, "--out", "fresh", "--channel", "batch")
        assert fanwise("run", "graph.py:notes", *fresh, cwd=tmp_path, env=env).returncode == 0
    assert models.count("claude-haiku-5-5") == 5 + 2, "the bodies of five rows and of two more"
    assert models.count("claude-sonnet-5-5") == 5, "nobody has replied to a row that is gone"
    assert (tmp_path / "run/results.jsonl").read_bytes() == (tmp_path / "fresh/results.jsonl").read_bytes()
    account = summary(tmp_path / "run")
    assert account["cash"]["left"]["attempts"] == 2
    assert account["cash"]["paid_usd"] == account["bill_usd"]


def test_the_first_sync_goes_by_the_results_that_were_there_whatever_a_killed_resume_has_done(tmp_path: Path) -> None:
    out = begun(tmp_path)
    before = lines(out / "results.jsonl")
    written(tmp_path / "rows.jsonl", LATER)
    with closing(sqlite3.connect(out / "journal.db")) as db:  # as a resume leaves it that is killed at its end
        assert fanwise("resume", out, cwd=tmp_path).returncode == 0
        db.execute("UPDATE sessions SET ended=NULL, how='running' WHERE id=2")
        db.commit()
    (out / "results.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in before))
    synced(out)
    assert {(change["change"], change["id"]) for change in changes(out)} == {
        ("removed", "n2"), ("added", "n9"), ("changed", "n1"), ("changed", "n3"),
    }  # fmt: skip


@pytest.mark.parametrize("channel", ["live", "batch"])
def test_where_rows_share_a_prefix_only_what_was_paid_first_is_another_rows(tmp_path: Path, channel: str) -> None:
    """Whoever is asked first writes the cache for all; `cost_with_shared_usd` has each row's part of that.

    Without equal tasks, since which of their rows is asked is chance. So is which of the requests that a row sends at
    once is said to repeat what they have in common (`duplicated_tokens`), in two runs from scratch too.
    """

    def sent_to(agent: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in agent.items() if name != "duplicated_tokens"}

    rows = tmp_path / "rows.jsonl"

    def carried_out(*words: object) -> list[dict[str, Any]]:
        done = fanwise(*words, "--channel", channel, "--slots", 1, cwd=ROOT)
        assert done.returncode == 0, done.stderr
        return [{name: value for name, value in line.items() if name != "cost_usd"} for line in lines(results)]

    written(rows, ROWS)
    results = tmp_path / "run" / "results.jsonl"
    carried_out("run", f"{DESK}:triage", "--no-reuse", "--rows", rows, "--out", tmp_path / "run")
    written(rows, LATER)
    after = carried_out("sync", tmp_path / "run")
    results = tmp_path / "fresh" / "results.jsonl"
    assert after == carried_out("run", f"{DESK}:triage", "--no-reuse", "--rows", rows, "--out", tmp_path / "fresh")
    figures = ("cost_usd", "tokens", "cache", "levers", "made_of", "cost_per_successful_row_usd")
    account, fresh = (summary(tmp_path / name) for name in ("run", "fresh"))
    assert {name: account[name] for name in figures} == {name: fresh[name] for name in figures}
    assert [sent_to(one) for one in account["slices"]] == [sent_to(one) for one in fresh["slices"]]


@pytest.mark.parametrize(
    "text",
    [
        b'\xff\n[1]\n{"id": 3}\n{"id":"n0","row":1,"status":"succeeded","output":"compact"}\n{' + b"[" * 100_000,
        b'{"id": "n0", "row": 1, "status": "failed", "output": null, "reason": 7}\n',
    ],
)
def test_a_results_file_of_another_hand_is_read_as_far_as_it_goes(tmp_path: Path, text: bytes) -> None:
    out = begun(tmp_path)
    (out / "results.jsonl").write_bytes(text)
    synced(out)
    assert [(change["change"], change["id"]) for change in changes(out)] == [
        ("changed" if name == "n0" else "added", name) for name, _, _ in ROWS
    ]
    pipe = begun(tmp_path, name="pipe") / "results.jsonl"
    pipe.unlink()
    os.mkfifo(pipe)
    synced(tmp_path / "pipe")
    assert {change["change"] for change in changes(tmp_path / "pipe")} == {"added"}


def test_a_deadline_is_counted_from_each_sync_on(tmp_path: Path) -> None:
    """A job that lives for weeks had its deadline in the first hour, and everything went live at twice the price."""
    (tmp_path / "graph.py").write_text(SOURCE)
    file = written(tmp_path / "rows.jsonl", ROWS)
    with Emulator() as server:
        env = environment(ANTHROPIC_API_KEY=server.api_key, ANTHROPIC_BASE_URL=server.url)
        call = ("--rows", file, "--out", "run", "--channel", "batch", "--deadline", "6h")
        assert fanwise("run", "graph.py:notes", *call, cwd=tmp_path, env=env).returncode == 0
        server.advance(7 * 24 * 3600)
        written(file, LATER)
        assert fanwise("sync", "run", cwd=tmp_path, env=env).returncode == 0
        entries = server.bill()["entries"]
    assert len(entries) == 10 + 4, "its answers are all the same"
    assert all(entry["batch_id"] for entry in entries)


def test_a_directory_that_is_at_work_is_not_synced(tmp_path: Path) -> None:
    out = begun(tmp_path)
    descriptor = hold(out)
    try:
        assert "another process works on" in synced(out, status=2)
    finally:
        os.close(descriptor)


def test_a_sync_asks_above_a_threshold(tmp_path: Path) -> None:
    with Emulator() as upstream, gateway(upstream.url, shows=False) as one:
        env = environment(ANTHROPIC_API_KEY="k", ANTHROPIC_BASE_URL=one.url)
        (tmp_path / "graph.py").write_text(SOURCE)
        file = written(tmp_path / "rows.jsonl", ROWS)
        call = ("run", "graph.py:notes", "--rows", file, "--out", "run", "--channel", "live", "--yes")
        assert fanwise(*call, cwd=tmp_path, env=env).returncode == 0
        written(file, LATER)
        refused = fanwise("sync", "run", "--ask-above-usd", "0", cwd=tmp_path, env=env)
        assert refused.returncode == 5 and "needs a yes" in refused.stderr
        assert "the sync, 3 rows of 5, will cost about $0.0" in refused.stderr
        assert [line["id"] for line in lines(tmp_path / "run" / "results.jsonl")] == [name for name, _, _ in ROWS]
        assert fanwise("sync", "run", "--yes", cwd=tmp_path, env=env).returncode == 0
        assert [line["id"] for line in lines(tmp_path / "run" / "results.jsonl")] == [name for name, _, _ in LATER]
