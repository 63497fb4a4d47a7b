"""What packing takes off: small rows by one and by eight in a request, live and in batches, beside the plan.

2,000 queries of ten to thirty words, each answered by a word or two, on the emulator. In one in twenty inputs of packs
the answer is missing, does not fit, comes twice or is broken, and fields come in any order: each costs its own row, and
that is in the price. Prices are the emulator's own bill. Fails where a row is lost, where rows do not sum to the bill,
where a broken answer costs another row a request, or where plan and bill are more than 3 % apart without faults.

Usage: python bench/packs.py [ROWS]
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from fanwise import Emulator, Graph, Job, agent, graph, plan
from fanwise.engine.arms import build_arms
from fanwise.engine.standin import answerer

MODEL = "claude-haiku-4-5"
WORDS = ("invoice", "parcel", "password", "refund", "address", "delay", "order", "account", "return", "voucher")
BROKEN = ("missing", "invalid", "twice", "broken")


class Query(BaseModel):
    id: str
    text: str


class Topic(BaseModel):
    name: str


@agent(model=MODEL, max_tokens=40)
def one(text: str) -> Topic:
    """Name the topic of a customer's query.

    Take one or two words that stand in the query itself. Where it has several topics, take the one that the customer
    asks something about; where that is not clear take the last. Do not explain, do not add a full stop, and do not
    translate. A greeting is no topic, nor is a name.
    """
    return Topic(name=text.split()[-1])


eight = one.options(pack=8)


@graph
def by_one(query: Query) -> Topic:
    return one(query.text)


@graph
def by_eight(query: Query) -> Topic:
    return eight(query.text)


def write_rows(path: Path, count: int) -> Path:
    chance = random.Random(1)
    with path.open("w") as file:
        for number in range(count):
            words = chance.choices(WORDS, k=chance.randint(10, 30))
            mark = chance.choice(BROKEN) if chance.random() < 0.05 else "fine"
            file.write(json.dumps({"id": f"q{number}", "text": f"({mark}) {' '.join(words)}"}) + "\n")
    return path


def breaking(answer: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    """Answer by the stand-in, and break fields of packs as their inputs say."""
    chance = random.Random(2)

    def answered(body: dict[str, Any]) -> Any:
        text = answer(body)
        fields = json.loads(text)
        if list(fields)[:2] != ["1", "2"]:
            return text
        marks = [
            part.split("(")[1].split(")")[0] for part in body["messages"][0]["content"][-1]["text"].split("<input ")[1:]
        ]
        said: list[str] = []
        for (number, value), mark in zip(fields.items(), marks, strict=True):
            field = f'"{number}": {json.dumps(value if mark != "invalid" else 3)}'
            if mark != "missing":
                said += [field[:-2] if mark == "broken" else field] * (2 if mark == "twice" else 1)
        chance.shuffle(said)
        return f"{{{', '.join(said)}}}"

    return answered


def paid(job: Graph[Any, Any], rows: Path, channel: Any, *, faults: bool) -> tuple[int, Counter[str]]:
    """Return picodollars of the emulator's bill, and requests by what they show: `pack` or why one is alone."""
    answer: Any = answerer(build_arms({"fanout": job.spec}))
    with tempfile.TemporaryDirectory() as folder, Emulator(answer=breaking(answer) if faults else answer) as emulator:
        out = Path(folder) / "out"
        account = Job(job, rows=rows, out=out, channel=channel, base_url=emulator.url).run_sync()
        pico, lines = emulator.bill()["totals"]["pico"], list(account.results())
        wanted = [json.loads(line)["text"].split()[-1] for line in rows.read_text().splitlines()]
        assert [line["output"]["name"] for line in lines] == wanted, "a row has no answer, or another's"
        with sqlite3.connect(out / "journal.db") as db:
            assert db.execute("SELECT SUM(cost) FROM served").fetchone()[0] == pico, "rows do not sum to the bill"
            query = "SELECT p.why, COUNT(k.place) FROM all_paid p JOIN asks k ON k.attempt=p.attempt GROUP BY p.attempt"
            return pico, Counter("pack" if asks > 1 else why for why, asks in db.execute(query))


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    os.environ["ANTHROPIC_API_KEY"] = "k"
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        rows = write_rows(Path(folder) / "rows.jsonl", count)
        marks = Counter(json.loads(line)["text"].split(")")[0][1:] for line in rows.read_text().splitlines())
        forecast = plan(by_eight, rows=rows)
        for channel in ("live", "batch"):
            alone, _ = paid(by_one, rows, channel, faults=False)
            packs, requests = paid(by_eight, rows, channel, faults=False)
            price = forecast.price(channel)
            expected = price.expected if price else 0
            apart = abs(expected - packs) / packs
            other = next(costs for costs in forecast.pack_costs).costs[channel]
            print(
                f"{channel}: one a request ${alone / 1e12:.4f}, packed ${packs / 1e12:.4f} in {requests['pack']}: "
                f"{1 - packs / alone:.1%} off; the plan said {1 - expected / other:.1%}, and ${expected / 1e12:.4f}, "
                f"{apart:.2%} from the bill"
            )
            broken, requests = paid(by_eight, rows, channel, faults=True)
            again = sum(marks[mark] for mark in BROKEN)
            print(f"{channel}: with {again} broken answers ${broken / 1e12:.4f}, asked again alone: {dict(requests)}")
            if apart > 0.03:
                problems.append(f"{channel}: plan and bill are {apart:.2%} apart")
            if requests["alone"] + requests["repair"] != again:
                problems.append(f"{channel}: {again} broken answers, {requests} requests")
    if problems:
        raise SystemExit("\n".join(problems))


if __name__ == "__main__":
    main()
