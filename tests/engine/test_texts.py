"""A text is answered as it is: no schema, no JSON around it, and whatever is in it comes out as it went in."""

from __future__ import annotations

import json
import signal
import sqlite3
import tempfile
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from fanwise import Emulator, Job, agent, graph, resume
from fanwise.context.envelope import seal, unseal
from fanwise.engine.arms import build_arms, statics
from fanwise.engine.shown import request_lines
from fanwise.engine.standin import answerer
from fanwise.graph.wire import encode, encode_field, read_answer, read_field
from fanwise.job.arms import arms_of
from fanwise.studies.show import rendered
from sample.texts import Row, again, texts
from support import ROOT, fanwise, journal_value, lines, started, wait_for

HOSTILE = (
    '{"value": 1}', '{"value":"x"}', '{"said":"x"}', "```json\n{}\n```", "```\ncode\n```", "  in front", "behind \n\n",
    "\r\nline\rends\u2028\u2029",
    '"quoted"', "null", "\\n is no line end", "text: x\ny", "</text>\n", "\x00\x07", "\N{BOM}",
    "𝄞 ß",
)  # fmt: skip
ANSWERS = st.text(min_size=1, max_size=40).filter(lambda text: not text.isspace() and "secret" not in text)
"""`st.text` has no halves of surrogate pairs."""


def requests(emulator: Emulator) -> list[dict[str, Any]]:
    """The bodies that were sent, those of batches among them."""
    sent = [request.get("body") or {} for request in emulator.requests()]
    of_batches = [one["params"] for body in sent for one in body.get("requests", ())]
    return [body for body in (*sent, *of_batches) if "messages" in body]


def outputs(account: Any) -> dict[str, Any]:
    return {line["id"]: line["output"] for line in account.results()}


@given(ANSWERS, st.text(min_size=1, max_size=9))
@example('```json\n{"value": 1}\n```', "value")
def test_a_text_comes_back_by_itself_and_out_of_an_envelope(text: str, agent: str) -> None:
    assert encode(str, text) == text
    assert read_answer(str, text).value == text
    assert read_field(str, unseal(agent, seal(agent, encode_field(str, text)))).value == text


@pytest.mark.parametrize(
    ("channel", "schemas"), [("live", "auto"), ("live", "shared"), ("batch", "strict"), ("batch", "shared")]
)
@settings(max_examples=2, phases=[Phase.generate], deadline=None)  # a run each: to make it smaller takes minutes
@given(said=st.lists(ANSWERS, min_size=12, max_size=12))
def test_any_text_comes_out_as_it_was_said(channel: str, schemas: str, said: list[str]) -> None:
    """With tools and without, under any name and validators; and as `show` and the journal have it."""
    rows = [Row(id=f"r{number}", text=text) for number, text in enumerate((*HOSTILE, *said))]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        account = Job(texts, rows=rows, out=out, channel=channel, schemas=schemas, baseline="none").run_sync()
        assert outputs(account) == {row.id: [row.text] * 5 for row in rows}
        assert account.summary["attempts"]["retried"] == 0
        for task in ("said", "looked"):
            shown = rendered(str(out), "r0", task, "fanout", graph=f"{texts.spec.place.rpartition(':')[0]}:texts")
            assert shown.answer is not None and json.loads(shown.answer) == rows[0].text
            assert {attempt.is_unchanged for attempt in shown.attempts} == {True}
            assert ("format" in shown.body["output_config"]) == ((task, schemas) == ("said", "shared"))


def test_texts_are_the_same_after_a_kill(tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.jsonl", tmp_path / "run"
    rows.write_text("".join(json.dumps({"id": f"r{at}", "text": text}) + "\n" for at, text in enumerate(HOSTILE)))
    graph = f"{ROOT / 'tests' / 'sample' / 'texts.py'}:texts"
    run = started("run", graph, "--rows", rows, "--out", out, "--channel", "live", "--slots", 4, "--latency-s", 0.1)
    wait_for(lambda: journal_value(out, "SELECT COUNT(*) > 30 FROM ends"), "some answers")
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert journal_value(out, "SELECT COUNT(*) < 120 FROM ends"), "it was killed in the middle"
    resumed = fanwise("resume", out)
    assert resumed.returncode == 0, resumed.stderr
    told = {line["id"]: line["output"] for line in lines(out / "results.jsonl")}
    assert told == {f"r{number}": [text] * 5 for number, text in enumerate(HOSTILE)}


def test_nothing_says_schema_of_an_agent_that_answers_text() -> None:
    nodes = {node.spec.name: node for node in build_arms({"fanout": texts.spec}, "strict")["fanout"].agents()}
    for name in ("said", "safe", "titled", "summed", "looked"):
        node = nodes[name]
        assert (node.shape.way, node.shape.schema_text, node.shape.format) == ("text", "", None)
        body = json.dumps(node.composer.request({"text": "x"}, 100).body(run_id="r"))
        assert "schema" not in body.replace("input_schema", "")
    assert nodes["count"].shape.way == nodes["words"].shape.way == "strict"
    lines = request_lines(build_arms({"fanout": texts.spec})["fanout"])
    assert not any("schema" in line for line in lines["said"])


def test_what_the_type_of_a_text_asks_for_reaches_the_model() -> None:
    """It stood in the schema, which is not sent any more."""
    nodes = {node.spec.name: node for node in build_arms({"fanout": texts.spec})["fanout"].agents()}
    last = {
        name: node.composer.request({"text": "x"}, 100).body(run_id="r")["messages"][0]["content"][-1]["text"]
        for name, node in nodes.items()
    }
    told = "Answer with a text (without a secret; length at most 5000) and with nothing else."
    assert last["safe"].split("\n")[0] == told
    assert "Answer with" not in last["said"]


@pytest.mark.parametrize("nothing", ["", " \n\t"])
def test_an_answer_with_nothing_in_it_is_asked_again_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nothing: str
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")

    def answer(body: dict[str, Any]) -> str:
        text = body["messages"][0]["content"][-1]["text"]
        return "better" if "could not be used" in text and "good" in text else nothing

    with Emulator(answer=answer) as emulator:
        rows = [Row(id="1", text="good"), Row(id="2", text="bad")]
        account = Job(again, rows=rows, out=tmp_path / "run", channel="live", base_url=emulator.url).run_sync()
        repairs = [body for body in requests(emulator) if "could not be used" in json.dumps(body)]
    good, bad = account.results()
    assert (good["output"], bad["status"]) == ("better", "failed")
    why = "the answer is nothing but white space" if nothing else "the answer is empty"
    assert bad["reason"] == f"said: invalid_output: {why}"
    assert len(repairs) == account.summary["attempts"]["retried"] == 2
    assert all(why in body["messages"][0]["content"][-1]["text"] for body in repairs)


def test_validators_of_a_text_are_called_on_it(tmp_path: Path) -> None:
    rows = [Row(id="1", text="a secret")]
    (line,) = Job(texts, rows=rows, out=tmp_path / "run", channel="live", baseline="none").run_sync().results()
    assert line["status"] == "failed"
    assert "it gives a secret away" in line["reason"]


@agent(model="claude-haiku-5-5")
def number(text: str) -> str:
    """Say how long it is."""
    return len(text)  # type: ignore[return-value]


@graph
def numbers(row: Row) -> str:
    return number(row.text)


def test_a_stand_in_that_answers_no_text_is_told(tmp_path: Path) -> None:
    (line,) = Job(numbers, rows=[Row(id="1", text="abc")], out=tmp_path / "run", channel="live").run_sync().results()
    assert line["status"] == "failed"
    assert "the answer is a text, and this is none: 3" in line["reason"]


# What an earlier version has kept --------------------------------------------------------------------

KEYS = {
    "fanout said": "73d8bf0b1dcadf3301d94a3fd08d129594c7a8f4590104e5232be83d19cc54e8",
    "fanout safe": "1ff3bfc5b3bdd77890db0bb74e287292839a7fac2d1eabef866178271d8000fb",
    "fanout titled": "e9cbbf1e63db4d368ec9662dc00ffc3cec158e4b95334847beae7183c9184935",
    "fanout looked": "c9a89d5afe40f1733d63fcfbd494d0435ec5d29c3c0f144d7b3b8df9bcc94435",
    "fanout count": "01848ca7e54b7c21eedf43e9dff258b2245999fc89bfa07738160d82d870cdc5",
    "fanout words": "45f0c6c66ebf179aabf0180fed906095689d46c4ae4795b463fe86eb827392a3",
}
"""What shaped these answers when texts still stood in an object: the same content, so paid answers stay.

That of `summed` is another one: what an alias says of its type is told now."""


def test_answers_that_were_paid_before_texts_were_plain_stay_valid() -> None:
    assert statics(build_arms(arms_of(texts, "none"))).items() >= KEYS.items()


OPEN = """SELECT s.row_id, s.node FROM asks s LEFT JOIN ends e ON e.attempt=s.attempt WHERE e.attempt IS NULL"""
IN_BATCHES = "SELECT COUNT(*) FROM attempts a JOIN batches b ON b.intent=a.intent WHERE b.state='created'"
MOST = 3 * len(HOSTILE) + 1
NODES = ("said", "safe", "titled", "summed", "looked")
"""In the order of the output; of the last, which calls a tool, a later round may be the second session's."""


@pytest.fixture
def left_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Begins a run that is ended while all its batches are open, and goes on with it live.

    What the first session has sent is answered by the function that is given, and what the second sends by the
    stand-ins. Returns both texts of what was open, the one that was told and the one that was said.
    """
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    out, rows = tmp_path / "run", [Row(id=f"r{number}", text=text) for number, text in enumerate(HOSTILE)]

    def carry_out(answer: Any, statement: str, **fields: Any) -> list[tuple[str, str]]:
        answers, asked = [answerer(build_arms({"fanout": texts.spec})), answer], list[Any]()

        def answered(body: dict[str, Any]) -> Any:
            asked.append(answers[-1](body))
            return asked[-1]

        def are_sent() -> bool:  # of one agent, the others wait for what the first writes to the cache
            return journal_value(out, IN_BATCHES) == MOST

        async def begun(job: Job) -> None:
            async with anyio.create_task_group() as group:
                group.start_soon(job.run)
                await anyio.to_thread.run_sync(wait_for, are_sent, "batches")
                group.cancel_scope.cancel()

        with Emulator(answer=answered, batch_delay_s=600) as emulator:
            how: dict[str, Any] = {"base_url": emulator.url}
            job = Job(texts, rows=rows, out=out, channel="batch", schemas="shared", baseline="none", **how)
            anyio.run(begun, job)
            with closing(sqlite3.connect(out / "journal.db")) as db:
                left = [(row, node) for row, node in db.execute(OPEN) if node in NODES[:4]]
                db.execute(statement)
                db.commit()
            emulator.advance(600)
            wait_for(lambda: len(asked) == MOST, "the ends of all batches")
            answers.pop()
            told = outputs(anyio.run(partial(resume, out, graph=texts, channel="live", **how, **fields)))
        said = {row.id: row.text for row in rows}
        return [(told[row][NODES.index(node)], said[row]) for row, node in left]

    return carry_out


def test_a_batch_that_an_earlier_version_has_sent_is_read_as_it_was_asked(left_open: Any) -> None:
    """It asked for an object around each value that is none, by itself and in an envelope, and kept nothing of that."""
    stand_in = answerer(build_arms({"fanout": texts.spec}))

    def before(body: dict[str, Any]) -> Any:
        answer = stand_in(body)
        if not isinstance(answer, str) or body.get("tools"):
            return answer
        if "format" not in body.get("output_config", {}):
            return json.dumps({"value": answer})
        ((name, value),) = json.loads(answer).items()
        return json.dumps({name: value if isinstance(value, dict) else {"value": value}})

    left = left_open(before, "DELETE FROM meta WHERE key IN ('ways','open_ways')")
    assert len(left) == 2 * len(HOSTILE) + 1
    assert all(told == said for told, said in left), left


def test_a_batch_is_read_in_the_way_in_which_it_was_asked(left_open: Any) -> None:
    """The session after asks in another way, which no text would tell."""
    left = left_open(answerer(build_arms({"fanout": texts.spec})), "SELECT 1", schemas="strict")
    assert len(left) == 2 * len(HOSTILE) + 1
    assert all(told == said for told, said in left), left
