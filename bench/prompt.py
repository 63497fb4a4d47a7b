"""How many characters requests have beyond their texts, beside the form that they had before.

The texts of a request are its instructions, its blocks and its values. Rows are those of the examples, and real files:
the Markdown of this repository and the modules of the standard library, each as a text, as a block of the row, and in
a row that is passed whole. What the last text of a request has beyond its values is held against two bounds: on files
2 % of it, at the median and in all; on the examples the name of each parameter, two characters and a line end, and the
punctuation of JSON. Names of agents and schemas, where a request has to say them, are counted apart.

Usage: python bench/prompt.py
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel

from fanwise import Block, Media, agent, graph
from fanwise.canonical import canonical, plain, visible
from fanwise.engine.arms import Arm, build_arms, row_state
from fanwise.engine.nodes import AgentNode
from fanwise.engine.records import Record
from fanwise.engine.rows import Row, RowTypes
from fanwise.graph.outcomes import Outcome
from fanwise.graph.rehearse import carry_out
from fanwise.graph.scope import Task
from fanwise.graph.state import run_all
from fanwise.job.arms import arms_of

ROOT = Path(__file__).parent.parent
EXAMPLES = {
    "tickets": ("tickets/graph.py:triage", "tickets.jsonl", 40),
    "stdlib_review": ("stdlib_review/graph.py:review", "modules.jsonl", 40),
    "verdicts": ("verdicts/graph.py:apart", "cases.jsonl", 40),
}
"""Graph, rows file and number of rows."""
MOST_OF_FILES = 0.02
LEAST_MEDIAN, LEAST = 2_000, 1_500
"""Characters of a file at the median, and of any: a note of a few lines is no document."""


class File(BaseModel):
    path: str
    text: str


class Page(BaseModel):
    path: str
    text: Annotated[str, Block]


@agent(model="claude-haiku-5-5", max_tokens=50)
def of_texts(path: str, text: str) -> bool:
    """Say whether the file is about files."""
    return "file" in text


@agent(model="claude-haiku-5-5", max_tokens=50)
def of_a_row(file: File) -> bool:
    """Say whether the file is about files."""
    return "file" in file.text


@graph
def texts(row: File) -> bool:
    return of_texts(row.path, row.text)


@graph
def whole_rows(row: File) -> bool:
    return of_a_row(row)


@graph
def blocks(row: Page) -> bool:
    return of_texts(row.path, row.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One request, in characters."""

    values: int
    """Its values that are no blocks: a text, or the texts and numbers inside of a record."""
    last: int
    """The text that holds them, names of agents and schemas left out."""
    said: int
    """These names and schemas."""
    blocks: int
    """Blocks of the context and of the row, without what stands around them."""
    frames: int
    """What stands around them."""
    allowed: int
    """What the last text may have beyond its values on examples."""
    old_last: int
    """The text that held them before."""
    old_frames: int


def counted(node: AgentNode, task: Task) -> Counted:
    """Return what the request of a task is made of."""
    request = node.request(task)
    in_blocks = {
        param: value for param, value in task.values.items() if param in node.node.blocks and value is not None
    }
    rest = {param: plain(visible(value)) for param, value in task.values.items() if param not in in_blocks}
    last = "".join(part.text for part in request.last)
    said = re.match(r"(?:(?!\w+: |<).*(?:\n|\Z))*", last)
    names = [block.name for block in node.need.context if block.media is None]
    contents = [block.text for block in node.need.context if block.media is None]
    row = {node.node.blocks[param]: value for param, value in in_blocks.items() if not isinstance(value, Media)}
    shown = [
        part.text for part in (*request.frame.system, *request.content[: len(request.content) - len(request.last)])
    ]
    inside = sum(map(len, (*contents, *row.values())))
    pointed = {param: {"$block": node.node.blocks[param]} if param in in_blocks else plain(visible(value))
               for param, value in task.values.items()}  # fmt: skip
    length = 0 if said is None else len(said[0])
    return Counted(
        values=sum(map(leaves, rest.values())),
        last=len(last) - length,
        said=length,
        blocks=inside,
        frames=sum(map(len, shown)) - inside - len(node.need.instructions),
        allowed=sum(len(param) + 3 + punctuation(value) for param, value in rest.items()),
        old_last=len(f"values: {canonical(pointed)}"),
        old_frames=sum(len(f"<block {json.dumps(name)} {'0' * 12}>\n\n</block {'0' * 12}>") for name in (*names, *row)),
    )


def leaves(value: Any) -> int:
    """Return the characters of the texts, numbers and keys inside of JSON-ready data."""
    if isinstance(value, dict):
        return sum(len(key) + leaves(part) for key, part in value.items())
    if isinstance(value, list):
        return sum(map(leaves, value))
    return len(value) if isinstance(value, str) else len(json.dumps(value))


def punctuation(value: Any) -> int:
    """Return the characters that JSON puts around these where a value is a record or a list; else none."""
    return len(json.dumps(value, ensure_ascii=False)) - leaves(value) if isinstance(value, dict | list) else 0


def requests(arm: Arm, rows: Iterable[dict[str, Any]]) -> Iterator[Counted]:
    """Yield all requests of rows, answered by stand-ins."""
    types = RowTypes(arm.graph.param_types, None)
    for number, data in enumerate(rows, 1):
        row, found = types.check(Record(number, 0, data, "")), list[Counted]()
        if isinstance(row, Row):
            run_all(row_state(arm, row), partial(_carried_out, arm, found))
        yield from found


def _carried_out(arm: Arm, found: list[Counted], task: Task) -> Outcome:
    node = arm.nodes[task.node.path]
    if isinstance(node, AgentNode):
        found.append(counted(node, task))
    return carry_out(task)


def files() -> dict[str, list[dict[str, Any]]]:
    """Return real files as rows, by kind."""
    markdown = sorted(path for path in ROOT.rglob("*.md") if ".venv" not in path.parts and "build" not in path.parts)
    modules = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    kinds = {"Markdown": markdown, "source": modules}
    return {
        kind: [
            {"path": path.name, "text": text}
            for path in paths
            if len(text := path.read_text("utf-8", "replace")) >= LEAST
        ]
        for kind, paths in kinds.items()
    }


def told(title: str, all_: list[Counted]) -> float:
    """Print what requests have beyond their texts, now and before; return the larger of the shares of the last text."""
    last, beyond = sum(one.last for one in all_), sum(one.last - one.values for one in all_)
    shares = beyond / last if last else 0.0, statistics.median(_share(one) for one in all_)
    before, old_last = sum(one.old_last - one.values for one in all_), sum(one.old_last for one in all_)
    frames, old_frames = sum(one.frames for one in all_), sum(one.old_frames for one in all_)
    print(
        f"{title:23} {len(all_):4,} requests; values {last - beyond:9,}, beyond them {beyond:6,} ({shares[0]:6.2%}, "
        f"at the median {shares[1]:6.2%}), before {before:8,} ({before / old_last:6.2%}); around blocks {frames:7,}, "
        f"before {old_frames:7,}; names and schemas {sum(one.said for one in all_):6,}"
    )
    return max(shares)


def _share(one: Counted) -> float:
    return (one.last - one.values) / one.last if one.last else 0.0


def main() -> int:
    """Print each measure; return 1 where a bound is passed."""
    passed: list[str] = []
    print("characters of requests; in brackets the share of the last text")
    for kind, rows in files().items():
        median = statistics.median(len(row["text"]) for row in rows)
        print(f"{kind}: {len(rows)} files, {median:,.0f} characters at the median")
        if median < LEAST_MEDIAN:
            passed.append(f"the median of {kind}")
        for way in (texts, whole_rows, blocks):
            arm = build_arms({"fanout": way.spec})["fanout"]
            if told(f"{kind}, {way.name}", list(requests(arm, rows))) > MOST_OF_FILES and way is not blocks:
                passed.append(f"{kind}, {way.name}")
    for name, (reference, file, count) in EXAMPLES.items():
        with tempfile.TemporaryDirectory() as folder:
            make = ROOT / "examples" / name / "make_rows.py"
            subprocess.run([sys.executable, make, folder, str(count)], check=True, capture_output=True)
            rows = [json.loads(line) for line in (Path(folder) / file).read_text("utf-8").splitlines()]
        for arm in build_arms(arms_of(str(ROOT / "examples" / reference), "auto")).values():
            found = list(requests(arm, rows))
            told(f"{name}, {arm.name}", found)
            if any(one.last - one.values > one.allowed for one in found):
                passed.append(f"{name}, {arm.name}")
    print(f"passed: {', '.join(passed)}" if passed else "every bound is kept")
    return int(bool(passed))


if __name__ == "__main__":
    sys.exit(main())
