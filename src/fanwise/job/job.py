"""The library's front: a job, and its resumption."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio

from fanwise.api.capable import SdkClient
from fanwise.canonical import canonical
from fanwise.engine.load import load_graph
from fanwise.engine.rows import Format, format_of, read
from fanwise.errors import UsageError
from fanwise.graph.graphs import Graph
from fanwise.units import new_run_id, now

from .account import Account
from .arms import arms_of, check_mode, reference_of
from .directory import RunDirectory
from .manifest import Manifest
from .options import Options
from .session import Session
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
        format: Format | None = None,
        client: SdkClient | None = None,
        **options: Any,
    ) -> None:
        """Describe a job; nothing is read or sent yet.

        Args:
            graph: A graph, or its reference `path/file.py:name`.
            rows: A JSONL, CSV or Parquet file, `-` for standard input, or rows as models or dicts.
            out: The run directory; must not hold another run.
            format: Format of the rows where the name does not say it.
            client: An asynchronous client of the SDK, for Bedrock, Vertex, Foundry or a gateway; its own
                retries are switched off. What it cannot do is told before anything is sent.
            **options: Fields of `Options`.
        """
        self.graph, self.rows, self.out = graph, rows, Path(out)
        self.format: Format | None = format
        self.client = client
        self.options = Options(**options)

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
        graph = load_graph(self.graph) if isinstance(self.graph, str) else self.graph
        arms = arms_of(graph, self.options.baseline)
        form: Format | None = None
        if isinstance(self.rows, str | Path) and str(self.rows) != "-":
            form = format_of(Path(self.rows), self.format)
            next(read(Path(self.rows), form), None)  # a missing or empty file is told before anything is made
        mode = "api" if self.client is not None else check_mode(self.options)
        with RunDirectory(self.out, create=True) as directory:
            try:
                rows, form = self._spool(directory.path, form)
                manifest = Manifest(
                    run_id=new_run_id(),
                    graph=reference_of(self.graph),
                    rows=rows.resolve(),
                    format=form,
                    folder=self._folder(),
                    created=now().isoformat(),
                    mode=mode,
                    spec=replace(self.options, baseline=reference_of(self.options.baseline)),
                )
                session = Session(
                    directory, manifest, arms, self.options, watcher or Watcher(), detach=detach, only=only,
                    client=self.client,
                )  # fmt: skip
                return await session.run()
            except UsageError:
                if directory.journal.session == 0:
                    directory.close()
                    _remove_unused(directory.path)
                raise

    def _folder(self) -> Path:
        """Return where paths in the rows begin: the folder of their file, else the working directory."""
        a_file = isinstance(self.rows, str | Path) and str(self.rows) != "-"
        return Path(str(self.rows)).resolve().parent if a_file else Path.cwd()

    def _spool(self, directory: Path, form: Format | None) -> tuple[Path, Format]:
        """Return the rows as a file that can be read again on resume."""
        if form is not None:
            return Path(str(self.rows)), form
        if isinstance(self.rows, str | Path):
            spooled: Format = self.format or "jsonl"
            path = directory / f"input.{spooled}"
            with path.open("wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file)
            path.chmod(0o600)
            next(read(path, spooled), None)
            return path, spooled
        path = directory / "input.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(canonical(row) + "\n" for row in self.rows)
        path.chmod(0o600)
        next(read(path, "jsonl"), None)
        return path, "jsonl"


async def resume(
    out: str | Path,
    watcher: Watcher | None = None,
    *,
    graph: Graph[..., Any] | None = None,
    retry: Iterable[str] = (),
    detach: bool = False,
    client: SdkClient | None = None,
    **options: Any,
) -> Account:
    """Go on with a run: ask again only for what is missing.

    Args:
        out: The run directory.
        watcher: What a display reads.
        graph: The graph, where it is not the one that the run was started with by reference.
        retry: Final failures to ask again: `failed` (all), `refused`, `truncated`, or an error class.
        detach: Return when all that can be submitted is in batches.
        client: A client of the SDK, as for `Job`.
        **options: Fields of `Options` that differ from the run's.

    Raises:
        UsageError: The directory is no run, is locked, or was run in the other mode.
        HaltedError: The run was stopped before its end; what was done is kept.
    """
    with RunDirectory(Path(out), create=False) as directory:
        manifest = Manifest.of(directory.journal)
        chosen = replace(manifest.spec, **{name: value for name, value in options.items() if value is not None})
        arms = replace(manifest, spec=chosen).graphs(graph)
        if client is None:
            check_mode(chosen, known=manifest.mode)
        next(manifest.records(), None)  # a missing file is told at once
        session = Session(
            directory, manifest, arms, chosen, watcher or Watcher(), retry=frozenset(retry), detach=detach,
            resumed=True, client=client,
        )  # fmt: skip
        return await session.run()


def _remove_unused(path: Path) -> None:
    """Remove a run directory in which nothing has begun."""
    for name in (
        "journal.db",
        "journal.db-wal",
        "journal.db-shm",
        "lock",
        "input.jsonl",
        "input.csv",
        "input.parquet",
    ):
        (path / name).unlink(missing_ok=True)
    try:
        path.rmdir()
    except OSError:
        pass
