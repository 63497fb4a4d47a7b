"""Whatever users' code raises, wherever it is called: its row fails and says why, all others are done, and on it goes.

Random exceptions out of random places, many rows in a run. `EXAMPLES` says how many exceptions are raised, about;
`make soak` has many.
"""

from __future__ import annotations

import importlib
import json
import os
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, cast

import anyio
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel
from pydantic_core import PydanticCustomError

from fanwise import HaltedError, Job, agent, graph, resume, step, tool, when

EXAMPLES = int(os.environ.get("EXAMPLES", "100"))
RAISING_A_RUN = 50
PATIENCE_S = 120.0


@dataclass(slots=True)
class Failure:
    """What a place does in a row: at its first calls nothing, then it raises for ever."""

    place: str
    kind: int
    """Index of an exception."""
    spared: int
    """Calls that are still good."""


PLANS: dict[str, Failure] = {}
"""By the name of a row."""


def fail_at(place: str, name: str) -> None:
    """Raise what the plan of a row has for a place."""
    plan = PLANS.get(name.partition(":")[0])
    if plan is not None and plan.place == place:
        plan.spared -= 1
        if plan.spared < 0:
            raise EXCEPTIONS[plan.kind]()


# What may be raised --------------------------------------------------------------------------------


class MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class LeavingError(ValueError):
    def __str__(self) -> str:
        raise SystemExit(0)


class HalfError(ValueError):
    def __str__(self) -> str:
        return "half \ud83d"


class NumberError(TypeError):
    def __str__(self) -> str:
        return cast("Any", 5)


class OwnBaseError(BaseException):
    def __repr__(self) -> str:
        raise KeyError("no form")


CANCELLED: Any = importlib.import_module("asyncio").CancelledError
EXCEPTIONS: tuple[Any, ...] = (
    MuteError, LeavingError, HalfError, NumberError, OwnBaseError, KeyboardInterrupt, GeneratorExit, StopIteration,
    StopAsyncIteration, RecursionError, MemoryError, TimeoutError, AssertionError, KeyError, OSError, CANCELLED,
    lambda: SystemExit(0), lambda: SystemExit("\x1b[1m"), lambda: ValueError("long " * 9_999),
    lambda: ExceptionGroup("several", [ValueError("a"), MuteError()]),
    lambda: BaseExceptionGroup("several", [SystemExit(0), OwnBaseError()]),
    lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
    lambda: PydanticCustomError("odd", "an odd {thing}", {"thing": "\x00"}),
    lambda: HaltedError("by a row"), lambda: UserWarning("\ud83d"),
)  # fmt: skip


# Where -----------------------------------------------------------------------------------------------


class Tag(str):
    """A text with a comparison of its own."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        fail_at("comparison", str.__str__(self))
        return str.__eq__(self, other)

    def __hash__(self) -> int:
        fail_at("hash", str.__str__(self))
        return str.__hash__(self)


class Names(list[str]):
    """A list with an iterator of its own, which is what serializes it."""

    def __iter__(self) -> Any:
        for name in range(len(self)):
            fail_at("serializer", self[name])
            yield self[name]


def validated(place: str) -> Any:
    def validate(text: str) -> str:
        fail_at(place, text)
        return text

    return Annotated[str, AfterValidator(validate)]


class Row(BaseModel):
    id: int
    name: validated("row")  # pyright: ignore[reportInvalidTypeForm]
    tag: Annotated[str, AfterValidator(Tag)]
    names: Annotated[list[str], AfterValidator(Names)]


class Said(BaseModel):
    name: validated("answer")  # pyright: ignore[reportInvalidTypeForm]


class Value(BaseModel):
    name: validated("step's value")  # pyright: ignore[reportInvalidTypeForm]


@step
def stepped(name: str) -> Value:
    fail_at("step", name)
    return cast("Any", {"name": name})


@step
async def later(name: str) -> list[str]:
    fail_at("later", name)
    return Names([name])


@tool
def look(name: str) -> str:
    """Look it up."""
    fail_at("tool", name)
    return name


@agent(model="claude-haiku-5-5", max_tokens=100, tools=[look], max_turns=3)
def ask(name: str) -> Said:
    """Look it up, and say it."""
    fail_at("stand-in", name)
    try:
        return Said.model_construct(name=look(name))
    except Exception:  # what the tool has raised is told to a model, which goes on
        return Said.model_construct(name=name)


@agent(model="claude-haiku-5-5", max_tokens=100)
def sort(names: list[str]) -> list[str]:
    """Sort the names."""
    return sorted(names)


@graph
def places(row: Row) -> list[Any]:
    listed = later(stepped(row.name).name)
    tagged = when(row.tag == "n3", lambda: stepped(row.tag).name, lambda: row.name)
    return [ask(row.name), sort(row.names), listed, tagged, row.tag]  # pyright: ignore[reportReturnType] - in a graph it is its value


PLACES = ("row", "step", "later", "tool", "stand-in", "answer", "step's value", "serializer", "comparison", "hash")
SELDOM = ("serializer", "tool", "hash")
"""Places that need not be called, or whose failure is told to a model."""
FAILURES = st.builds(
    Failure, st.sampled_from(PLACES), st.integers(0, len(EXCEPTIONS) - 1), st.sampled_from([0, 0, 0, 1, 2, 3, 5, 8])
)


async def carry_out(failures: list[Failure], channel: Any) -> None:
    PLANS.clear()
    PLANS.update({f"n{number}": failure for number, failure in enumerate(failures)})
    rows = [
        {"id": number, "name": f"n{number}", "tag": f"n{number}", "names": [f"n{number}"]}
        for number in range(len(failures) + 2)
    ]
    with tempfile.TemporaryDirectory() as folder, anyio.fail_after(PATIENCE_S):
        out = Path(folder) / "run"
        source = Path(folder) / "rows.jsonl"
        source.write_text("".join(json.dumps(row) + "\n" for row in rows))
        account = await Job(places, rows=source, out=out, channel=channel, grace_s=0.05).run()
        by_id = {line["id"]: line for line in account.results()}
        for row in rows:
            plan, line = PLANS.get(row["name"]), by_id.get(str(row["id"]))
            if plan is None:
                assert line is not None and line["status"] == "succeeded", line
            elif line is None:
                assert plan.place in ("row", "serializer"), plan.place
            else:
                assert line["status"] == "succeeded" or line["reason"], line
                assert line["status"] == "failed" or plan.spared >= 0 or plan.place in SELDOM, plan
        PLANS.clear()
        again = await resume(out, graph=places, retry=["failed"])
        left = [line["reason"] for line in again.results() if line["status"] != "succeeded"]
        assert not left, left[:3]
        assert len([*again.results()]) == len(rows), "what was set aside is read again"


@given(st.lists(FAILURES, min_size=RAISING_A_RUN, max_size=RAISING_A_RUN), st.sampled_from(["live", "live", "batch"]))
@settings(
    max_examples=max(EXAMPLES // RAISING_A_RUN, 1), deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a run is no smaller where less is wrong
)  # fmt: skip
def test_whatever_users_code_raises_costs_its_row_alone(failures: list[Failure], channel: Any) -> None:
    anyio.run(partial(carry_out, failures, channel))
