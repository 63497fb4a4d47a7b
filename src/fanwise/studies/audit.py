"""Auditing the prefixes of a graph: rendered in two processes under different circumstances, then compared.

The second process has another hash seed, time zone and language, and its clock is a day, an hour
and a few seconds ahead. `python -m fanwise.studies.audit` is the rendering process.
"""

from __future__ import annotations

import datetime
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import TypeAdapter

from fanwise.context.audit import AgentPrefix, CacheFinding, PrefixText, compare, row_data, split, too_short
from fanwise.context.shape import Segment
from fanwise.context.sizes import DOCUMENTED
from fanwise.context.tags import unfence
from fanwise.engine.arms import Arm, build_arms, row_state
from fanwise.engine.load import load_graph, loadable
from fanwise.engine.nodes import AgentNode
from fanwise.engine.records import Format, RowsFile
from fanwise.engine.rows import Row, RowTypes
from fanwise.engine.rowsfile import json_lines, read
from fanwise.engine.toolbox import list_tools
from fanwise.errors import FanwiseError, UsageError
from fanwise.graph.graphs import Graph
from fanwise.job.manifest import rows_of
from fanwise.models import effort_of, facts
from fanwise.paths import typed

from .checking import Mistakes, described

CIRCUMSTANCES = (
    {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8"},
    {"PYTHONHASHSEED": "4711", "TZ": "Asia/Kolkata", "LC_ALL": "tr_TR.UTF-8"},
)
_PREFIXES = TypeAdapter(list[AgentPrefix])
RENDERING = "FANWISE_RENDERING"
"""Variable of the environment that a rendering process has."""
AHEAD_S = 24 * 3600 + 3600 + 7
"""How far the clock of the second rendering is ahead, in seconds."""


def audit(
    graph: Graph[..., Any] | str,
    rows: str | Path | Iterable[Any],
    *,
    form: Format | None = None,
    encoding: str | None = None,
    sample: int = 5,
) -> list[CacheFinding]:
    """Return what keeps the prefixes of a graph from being cached; empty where nothing does.

    Args:
        graph: A graph, or its reference. Other processes load it: it is a name at the top of a file, and a script
            that calls this does so under `if __name__ == "__main__":`.
        rows: A rows file, or rows as models or dicts; the first valid ones are the sample.
        form: Format of a file where its name does not say it.
        encoding: Of a file; None: what its byte order mark says, else UTF-8.
        sample: Rows whose blocks are rendered too.

    Raises:
        UsageError: The graph, the file or a value cannot be used.
    """
    if RENDERING in os.environ:
        raise UsageError(
            'the file of the graph calls audit() while it is loaded; do so under `if __name__ == "__main__":`'
        )
    with TemporaryDirectory() as folder:
        order = _checked(graph, rows, form, encoding, sample, Path(folder))
        first, second = (
            _render_apart(order | {"ahead_s": ahead}, environment)
            for environment, ahead in zip(CIRCUMSTANCES, (0, AHEAD_S), strict=True)
        )
    tokens = {
        text.name: DOCUMENTED.tokens(text.text, prefix.model)
        for prefix in first
        for text in prefix.texts
        if not text.row
    }
    short = [*too_short(first), *row_data(first, DOCUMENTED.tokens)]
    return [*compare(first, second), *short, *split(first, tokens)]


def _checked(
    graph: Graph[..., Any] | str,
    rows: str | Path | Iterable[Any],
    form: Format | None,
    encoding: str | None,
    sample: int,
    folder: Path,
) -> dict[str, Any]:
    """Return what is to be rendered, as JSON-ready data.

    Args:
        graph: As for `audit`.
        rows: As for `audit`.
        form: As for `audit`.
        encoding: As for `audit`.
        sample: As for `audit`.
        folder: Where rows are written that are in no file.

    Raises:
        UsageError: Something is wrong with the call; all of it is named.
    """
    mistakes = Mistakes(format="form")
    spec = described(mistakes, graph=graph, rows=rows, format=form, encoding=encoding)
    mistakes.check_number("sample", sample, 5, at_least=1)
    file, reference, parent = folder / "rows.jsonl", "", Path.cwd()
    with mistakes.of("graph"):
        if isinstance(graph, Graph):
            graph.spec  # noqa: B018 - its mistakes are told from here, with their places
            reference = loadable(graph)
        elif spec is not None:
            reference = str(spec.graph)
            load_graph(reference)
    with mistakes.of("rows"):
        if isinstance(rows, str | Path):
            file, form, encoding = RowsFile(file, "jsonl") if spec is None else rows_of(spec)
            parent = file.parent
            next(read(RowsFile(file, form, encoding)), None)
        elif spec is not None:
            with file.open("wb") as lines:
                lines.writelines(json_lines(rows))
            form, encoding = "jsonl", None
            next(read(RowsFile(file, form)), None)
    mistakes.refused_or(spec)
    return {
        "graph": reference, "rows": str(file), "form": form, "encoding": encoding, "sample": sample,
        "folder": str(parent), "path": list(sys.path),
    }  # fmt: skip


def _render_apart(order: dict[str, Any], environment: dict[str, str]) -> list[AgentPrefix]:
    result = subprocess.run(
        [sys.executable, "-m", "fanwise.studies.audit"],
        input=json.dumps(order),
        env={**os.environ, **environment, RENDERING: "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        last = (result.stderr.strip().splitlines() or ["the rendering process ended without a word"])[-1]
        raise UsageError(last.removeprefix("fanwise: "))
    return _PREFIXES.validate_json(result.stdout.strip().rpartition("\n")[2])  # a text may hold other ends of lines


# The rendering process ---------------------------------------------------------------------------


def render(graph: str, rows: RowsFile, sample: int, folder: Path) -> list[AgentPrefix]:
    """Return the prefixes of a graph's agents, with the row blocks of the first valid rows.

    Args:
        graph: Its reference.
        rows: The rows file.
        sample: Rows to take.
        folder: Where paths in the rows begin.

    Raises:
        UsageError: The graph or the file cannot be used, or no row is valid.
    """
    spec = load_graph(graph).spec
    arm = build_arms({"fanout": spec}, toolbox=list_tools([spec]))["fanout"]
    types = RowTypes(arm.graph.param_types, None, folder, arm.graph.defaults)
    drawn, reason = list[Row](), ""
    for row in map(types.check, read(rows)):
        if isinstance(row, Row):
            drawn.append(row)
        reason = reason or ("" if isinstance(row, Row) else row)
        if len(drawn) == sample:
            break
    if not drawn:
        raise UsageError(f"no row of {typed(rows.path)} is valid; the first is set aside for this: {reason}")
    return [_prefix(node, arm, drawn) for node in arm.agents()]


def _prefix(node: AgentNode, arm: Arm, rows: Sequence[Row]) -> AgentPrefix:
    spec, need, shape = node.spec, node.need, node.shape
    segments = tuple(shape.segments(need))
    texts = [text for segment in segments for text in _of_agent(segment, spec.place)]
    texts += [text for row in rows for text in _of_row(node, arm, row)]
    # Schemas are not among them: where they split a cache, the layout has found that to be cheaper.
    splits = (f"thinking {need.intensity.thinking}", f"effort {effort_of(spec.model, need.intensity.effort)}")
    return AgentPrefix(
        path=node.node.path,
        agent=spec.name,
        model=spec.model,
        place=spec.place,
        splits=splits,
        texts=tuple(texts),
        shared=tuple(block.name for block in need.context),
        prefix_tokens=_prefix_tokens(segments, spec.model),
        marked_rows=shape.marked_row_blocks,
    )


def _of_agent(segment: Segment, place: str) -> Iterator[PrefixText]:
    """Yield what an agent's requests show at one place, where that is the user's text or file."""
    block = segment.block
    if block is not None:
        text = block.text if block.media is None else block.media.sha
        yield PrefixText(name=block.name, text=text, place=block.place)
    elif segment.kind == "instructions":
        yield PrefixText(name=f"the {segment.name}", text=segment.text, place=place)


def _prefix_tokens(segments: Sequence[Segment], model: str) -> int:
    """Return the tokens of what can be cached for every row: all of `system`, what precedes it, and files."""
    chars = sum(len(segment.text) for segment in segments if segment.place in ("front", "system"))
    files = [segment.block.media for segment in segments if segment.block is not None]
    return math.ceil(chars / facts(model).chars_per_token) + sum(media.tokens for media in files if media is not None)


def _of_row(node: AgentNode, arm: Arm, row: Row) -> Iterator[PrefixText]:
    """Yield the blocks of a row that a node shows, where they are known before any answer."""
    tasks = [task for task in row_state(arm, row).start() if task.node.path == node.node.path]
    for part in (part for task in tasks for part in node.request(task).content):
        block = unfence(part.text, (node.need.arm_index,))
        if block is not None and block.name in node.need.row_blocks:
            yield PrefixText(name=block.name, text=block.text, place=node.spec.place, row=row.row_id)


def _clock_ahead(seconds: int) -> AbstractContextManager[object]:
    """Return a context in which the clock is so many seconds ahead."""
    if not seconds:
        return nullcontext()
    import time_machine  # 11 times `python -c pass`, and a library for tests: only this process needs it

    return time_machine.travel(datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds))


def main() -> int:
    """Render what standard input orders, and print it as one line of JSON."""
    order: dict[str, Any] = json.load(sys.stdin)
    sys.path[:] = order["path"]  # a graph of a module is found where the caller has found it
    try:
        with _clock_ahead(order["ahead_s"]):
            prefixes = render(
                order["graph"],
                RowsFile(Path(order["rows"]), order["form"], order["encoding"]),
                order["sample"],
                Path(order["folder"]),
            )
    except FanwiseError as error:
        print(f"fanwise: {error}", file=sys.stderr)  # noqa: T201 - the parent reads it
        return 2
    print(_PREFIXES.dump_json(prefixes).decode())  # noqa: T201 - the parent reads it
    return 0


if __name__ == "__main__":
    sys.exit(main())
