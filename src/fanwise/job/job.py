"""The library's front: a job, and its resumption."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio

from fanwise.api.capable import SdkClient
from fanwise.canonical import canonical
from fanwise.engine.rows import Format, format_of, read
from fanwise.errors import Mistake, SpecError, UsageError
from fanwise.graph.graphs import Graph

from .account import Account
from .arms import arms_of
from .directory import RunDirectory
from .manifest import Manifest
from .mode import check_mode
from .session import Session
from .spec import JobSpec
from .watcher import Watcher


class Job:
    """A graph over rows.

    Example:
        `account = Job(triage, rows="tickets.jsonl", out="runs/tickets").run_sync()`
    """

    def __init__(
        self,
        graph: Graph[..., Any] | str,
        *,
        rows: str | Path | Iterable[Any],
        out: str | Path,
        client: SdkClient | None = None,
        **fields: Any,
    ) -> None:
        """Describe a job; nothing is read or sent yet.

        Args:
            graph: A graph, or its reference `path/file.py:name`.
            rows: A JSONL, CSV or Parquet file, `-` for standard input, or rows as models or dicts.
            out: The run directory; must not hold another run.
            client: An asynchronous client of the SDK, for Bedrock, Vertex, Foundry or a gateway; its own
                retries are switched off. What it cannot do is told before anything is sent.
            **fields: Further fields of `JobSpec`.

        Raises:
            SpecError: Values are wrong; all of them are named at once.
        """
        self.spec = JobSpec(graph=graph, rows=rows, out=out, **fields)
        self.client = client

    def run_sync(self) -> Account:
        """Run the job from code that is not async.

        Raises:
            UsageError: Something is wrong with the graph, the rows, the directory or the key.
            HaltedError: The run was stopped before its end; what was done is kept.
        """
        return anyio.run(self.run)

    async def run(
        self, watcher: Watcher | None = None, *, detach: bool = False, only: frozenset[int] | None = None
    ) -> Account:
        """Run the job to its end.

        Args:
            watcher: What a display reads.
            detach: Return when all that can be submitted is in batches.
            only: Line or record numbers of the rows to take; the others wait for `resume`.

        Raises:
            UsageError: Something is wrong with the graph, the rows, the directory or the key.
            HaltedError: The run was stopped before its end; what was done is kept.
        """
        return await begin(self.spec, watcher, detach=detach, only=only, client=self.client)


async def begin(
    spec: JobSpec,
    watcher: Watcher | None = None,
    *,
    detach: bool = False,
    only: frozenset[int] | None = None,
    client: SdkClient | None = None,
) -> Account:
    """Run a job to its end in a directory of its own; a start that is refused leaves nothing behind.

    Args:
        spec: The job.
        watcher: What a display reads.
        detach: Return when all that can be submitted is in batches.
        only: Line or record numbers of the rows to take; the others wait for `resume`.
        client: A client of the SDK, as for `Job`.

    Raises:
        UsageError: Something is wrong with the graph, the rows, the directory or the key.
        HaltedError: The run was stopped before its end; what was done is kept.
    """
    if spec.out is None:
        raise SpecError((Mistake("out", "no folder is named", "name the run directory"),))
    graphs = arms_of(spec.graph, spec.baseline)
    if spec.rows_file is not None:
        next(read(spec.rows_file, format_of(spec.rows_file, spec.format)), None)  # told before anything is made
    mode = "api" if client is not None else check_mode(spec.base_url)
    with RunDirectory(Path(spec.out), create=True) as directory:
        try:
            manifest = Manifest.begun(spec, *_rows(spec, directory.path), mode)
            session = Session(
                directory, manifest, graphs, spec, watcher or Watcher(), detach=detach, only=only, client=client
            )
            return await session.run()
        except Exception:
            if directory.journal.session == 0:
                directory.discard()
            raise


def _rows(spec: JobSpec, folder: Path) -> tuple[Path, Format]:
    """Return a file with the rows that can be read again on resume, and its format; it is written where there is none.

    Raises:
        UsageError: There are no rows.
    """
    if spec.rows_file is not None:
        return spec.rows_file, format_of(spec.rows_file, spec.format)
    form: Format = (spec.format or "jsonl") if spec.rows == "-" else "jsonl"
    path = folder / f"input.{form}"
    with path.open("wb") as file:
        if isinstance(spec.rows, str | Path):
            shutil.copyfileobj(sys.stdin.buffer, file)
        else:
            file.writelines(_lines(spec.rows))
    path.chmod(0o600)
    next(read(path, form), None)
    return path, form


def _lines(rows: Iterable[Any]) -> Iterator[bytes]:
    """Yield rows as lines of JSON."""
    for number, row in enumerate(rows, 1):
        try:
            yield f"{canonical(row)}\n".encode()
        except TypeError as error:
            raise UsageError(f"row {number}: {error}; give models or dicts") from None


async def resume(
    out: str | Path,
    watcher: Watcher | None = None,
    *,
    graph: Graph[..., Any] | None = None,
    retry: Iterable[str] = (),
    detach: bool = False,
    client: SdkClient | None = None,
    **fields: Any,
) -> Account:
    """Go on with a run: ask again only for what is missing.

    Args:
        out: The run directory.
        watcher: What a display reads.
        graph: The graph, where it is not the one that the run was started with by reference.
        retry: Final failures to ask again: `failed` (all), `refused`, `truncated`, or an error class.
        detach: Return when all that can be submitted is in batches.
        client: A client of the SDK, as for `Job`.
        **fields: Fields of `JobSpec` that are to be different in this session.

    Raises:
        UsageError: The directory is no run, is locked, or was run in the other mode; or fields are wrong.
        HaltedError: The run was stopped before its end; what was done is kept.
    """
    with RunDirectory(Path(out), create=False) as directory:
        manifest = Manifest.of(directory.journal)
        spec = manifest.spec.resumed(**fields)
        graphs = replace(manifest, spec=spec).graphs(graph)
        if client is None:
            check_mode(spec.base_url, manifest.mode)
        next(manifest.records(), None)  # a missing file is told at once
        session = Session(
            directory, manifest, graphs, spec, watcher or Watcher(), retry=frozenset(retry), detach=detach,
            resumed=True, client=client,
        )  # fmt: skip
        return await session.run()
