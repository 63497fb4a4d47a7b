"""A leader streams, so that others go when its reply begins; entries live as long as pays, idle ones are kept warm."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from fanwise import Emulator
from fanwise.api.client import Api
from fanwise.api.failures import Failure, RequestError
from fanwise.api.replies import Reply
from fanwise.canonical import dumps
from fanwise.context.frame import Frame
from fanwise.context.parts import Part, Prefix
from fanwise.context.repeats import Repeats
from fanwise.context.request import Request
from fanwise.dispatch import warmth
from fanwise.dispatch.books import Books
from fanwise.dispatch.budget import Budget
from fanwise.dispatch.errand import Ask, Errand
from fanwise.dispatch.gate import Gate
from fanwise.dispatch.live import Live
from fanwise.dispatch.observer import Observer
from fanwise.dispatch.retry import RetryPolicy
from fanwise.dispatch.role import Role
from fanwise.dispatch.warmth import worthwhile
from fanwise.journal.records import EndRecord
from fanwise.journal.sqlite import SqliteJournal

MODEL = "claude-haiku-5-5"
asyncio_only = pytest.mark.parametrize("anyio_backend", ["asyncio"])  # the SDK's aiohttp transport
FRONT = Part("Keep to the rules. " * 200, marked=True)


def request(text: str = "Hello", **changes: Any) -> Request:
    values: dict[str, Any] = {"schema": None, "max_tokens": 50, **changes}
    schema = dumps(values["schema"]) if values["schema"] else ""
    frame = Frame(
        model=MODEL,
        max_tokens=values["max_tokens"],
        thinking="disabled",
        effort="low",
        schema=values["schema"],
        system=(FRONT,),
        schema_text=schema,
    )
    return Request(frame=frame, content=(Part(text),))


def encoded(*, stream: bool = False) -> bytes:
    return b"".join(request().encode(run_id="r", ttl="5m", row_ttl="5m", stream=stream))


@pytest.mark.anyio
@asyncio_only
async def test_a_streamed_reply_is_the_reply(anyio_backend: str) -> None:
    with Emulator() as emulator:
        api = Api(base_url=emulator.url, api_key=emulator.api_key)
        begun: list[dict[str, Any]] = []
        plain = await api.send(encoded(), 10)
        streamed = await api.send(encoded(stream=True), 10, begun.append)
        await api.close()
    assert (streamed.text, streamed.stop_reason) == (plain.text, plain.stop_reason)
    assert streamed.message_id.startswith("msg_")
    assert streamed.request_id.startswith("req_")
    for name in ("output_tokens", "input_tokens"):
        assert streamed.usage[name] == plain.usage[name]
    assert plain.usage["cache_creation_input_tokens"] == streamed.usage["cache_read_input_tokens"] > 0
    assert [one["cache_read_input_tokens"] for one in begun] == [streamed.usage["cache_read_input_tokens"]]


@pytest.mark.anyio
@asyncio_only
@pytest.mark.parametrize(
    ("fault", "kind", "verdict"),
    [
        ({"stream": "cut"}, "stream_cut", "lost"),
        ({"stream": "error"}, "overloaded_error", "lost"),
        ({"stream": "malformed"}, "malformed_reply", "lost"),
        ({"stream": "stall"}, "timeout", "lost"),
        ({"status": 529}, "overloaded_error", "retry"),
        ({"cut": True}, "connection_lost", "lost"),
    ],
)
async def test_a_stream_that_breaks_was_billed(
    anyio_backend: str, fault: dict[str, Any], kind: str, verdict: str
) -> None:
    with Emulator() as emulator:
        emulator.fault(**fault)
        api = Api(base_url=emulator.url, api_key=emulator.api_key)
        begun: list[dict[str, Any]] = []
        with pytest.raises(RequestError) as caught:
            await api.send(encoded(stream=True), 0.5, begun.append)
        await api.close()
        paid = emulator.bill()["totals"]["pico"] > 0
    assert (caught.value.failure.kind, caught.value.failure.verdict) == (kind, verdict)
    assert paid == bool(begun) == ("stream" in fault), "followers may go: what began has been written"


def test_an_entry_that_expired_between_two_uses_is_written_for_an_hour() -> None:
    async def used(gate: Gate, prefix: Prefix, moment: float) -> str:
        clock[0] = moment
        led = await gate.enter([prefix], 512)
        ttl = gate.ttl([prefix])
        gate.leave(led, [prefix], warm=True, started=moment)
        return f"{ttl} {'written' if led else 'read'}"

    clock = [0.0]
    gate, job = Gate(lambda: clock[0]), Prefix("job", 1000, True)

    async def main() -> list[str]:
        return [await used(gate, job, moment) for moment in (0, 100, 1_000, 2_000, 9_000, 18_000)]

    assert anyio.run(main) == ["5m written", "5m read", "1h written", "1h read", "5m written", "5m written"], (
        "gaps of fifteen minutes pay for an hour, gaps of two hours for nothing"
    )


class Sink:
    """Takes replies and waits for more."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.second = anyio.Event()

    def replied(self, errand: Errand, attempt: int, reply: Reply) -> bool:
        self.replies.append(reply)
        if len(self.replies) == 2:
            self.second.set()
        return False

    def failed(self, errand: Errand, failure: Failure) -> None:
        raise AssertionError(failure)

    def note(self, text: str) -> None:
        raise AssertionError(text)

    def halt(self, reason: str) -> None:
        raise AssertionError(reason)

    def works_here(self) -> bool:
        return False

    def rows_in_work(self) -> int:
        return 1

    def requests_left(self) -> int:
        return 1

    def expects_more(self) -> bool:
        return True


class Lives(Observer):
    """Waits for four ends: an entry that is read three times more has lived for three lives."""

    def __init__(self) -> None:
        self.three, self._ends = anyio.Event(), 0

    def end(self, record: EndRecord) -> None:
        self._ends += 1
        if self._ends == 4:
            self.three.set()


@pytest.mark.anyio
@asyncio_only
@pytest.mark.parametrize("schema", [None, {"type": "object"}])
async def test_a_prefix_is_kept_warm_between_waves(
    anyio_backend: str, schema: dict[str, Any] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clocks run two hundred times as fast: an entry of five minutes lives for a second and a half."""
    monkeypatch.setattr(warmth, "LOOK_S", 0.01)
    start = time.monotonic()

    def fast() -> float:
        return (time.monotonic() - start) * 200

    with Emulator(clock_speed=200.0) as emulator:
        api = Api(base_url=emulator.url, api_key=emulator.api_key)
        journal, sink = SqliteJournal(tmp_path / "journal.db"), Sink()
        budget, policy = Budget(), RetryPolicy()
        lives = Lives()
        books = Books(run_id="r", journal=journal, budget=budget, repeats=Repeats(), observers=(lives,))
        works = Live(api, books, sink, slots=2, policy=policy, gate=Gate(fast))
        role = Role(arm="fanout", agent="a", model=MODEL, time_limit_s=10)

        def errand(number: int) -> Errand:
            asks = (Ask(f"k{number}", 1, "n", "n"),)
            return Errand(role=role, asks=asks, compose=lambda _: request(schema=schema))

        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                group.start_soon(works.run)
                works.submit(errand(1))
                await lives.three.wait()
                works.submit(errand(2))
                await sink.second.wait()
                works.stop()
        await journal.commit()
        kept = journal.db.execute(
            "SELECT COUNT(*), SUM(cache_read>0), SUM(cost), SUM(output) FROM paid WHERE why='warm'"
        ).fetchone()
        cost = journal.db.execute("SELECT SUM(cost) FROM ends").fetchone()[0]
        bill = emulator.bill("r")["totals"]["pico"]
        journal.close()
        await api.close()
    assert 3 <= kept[0] == kept[1] <= 4
    assert kept[3] == (0 if schema is None else kept[0]), "nothing is answered, or one token beside a format"
    assert sink.replies[1].usage["cache_read_input_tokens"] > 0, "the second wave found it warm"
    assert cost == bill
    assert budget.in_flight == 0


def test_keeping_warm_never_costs_more_than_a_rewrite() -> None:
    assert worthwhile(MODEL) == 11  # 1.25 - 0.1 = 1.15, eleven reads of 0.1
    assert worthwhile("claude-fable-5-2") == 49
    assert worthwhile("nobody-knows") == 0
