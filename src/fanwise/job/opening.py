"""The run that a session works on: begun in a directory of its own, or found in one that holds it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

from fanwise.api.capable import SdkClient
from fanwise.context.layout import Texts
from fanwise.dispatch.jobpart import WHOLE, JobPart
from fanwise.engine.records import Format, RowsFile
from fanwise.engine.rowsfile import json_lines, read
from fanwise.engine.standin import StandInAnswer
from fanwise.errors import Mistake, SpecError, UsageError
from fanwise.graph.graphs import Graph
from fanwise.graph.nodes import GraphSpec
from fanwise.journal.port import Journal
from fanwise.journal.records import ArmName

from .arms import arms_of
from .directory import RunDirectory
from .manifest import Manifest, rows_of
from .mode import Mode, check_mode
from .recorded import going_on
from .rowsnow import RowsNow, synced
from .spec import JobSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What a session has that is only there to be counted, for a plan: it never leaves this machine."""

    graphs: Mapping[ArmName, GraphSpec]
    """The graph of each arm."""
    folder: Path
    """Where paths in the rows begin."""
    recorded: Mapping[str, StandInAnswer] | None = None
    """Answers of the embedded emulator, by the hash of the request, before any stand-in."""
    part: JobPart = WHOLE
    """Of the job, that its rows are."""
    repeated: tuple[str, ...] = ()
    """Blocks of the row that many rows of the job show."""
    texts: Texts = "auto"
    """Whether texts are answered in plain text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How one session goes about its run, beside what the spec says."""

    retry: frozenset[str] = frozenset()
    """Final failures of earlier sessions to ask again: `failed` (all), `refused`, `truncated`, or an error class."""
    detach: bool = False
    """Return when all that can be submitted is in batches."""
    resumed: bool = False
    pay_twice: bool = False
    """Send again what is in a batch that may be the run's, without waiting for its end."""
    client: SdkClient | None = None
    """Of the SDK, instead of one made here."""
    rows: RowsNow | None = None
    """Rows that the run has from this session on, which is a sync; None: it is none."""
    rehearsal: Rehearsal | None = None
    journal: Journal | None = None
    """Where a new run is kept while it is worked on; None: in SQLite, in its directory. From any other store it is
    copied there when the session is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun:
    """A run whose directory this process holds."""

    directory: RunDirectory
    manifest: Manifest
    """What the run is."""
    spec: JobSpec
    """How this session runs it."""
    graphs: Mapping[ArmName, GraphSpec] = field(repr=False)
    """The graph of each arm."""


@contextmanager
def begun(spec: JobSpec, terms: Terms) -> Generator[OpenRun]:
    """Begin a run in a directory of its own; a start that is refused leaves nothing behind.

    Raises:
        UsageError: Something is wrong with the graph, the rows or the directory.
    """
    if spec.out is None:
        raise SpecError((Mistake("out", "no folder is named", "name the run directory"),))
    here = Path.cwd()  # before the file of a graph is loaded, which may leave it
    graphs = terms.rehearsal.graphs if terms.rehearsal is not None else arms_of(spec.graph, spec.baseline)
    if spec.rows_file is not None:
        next(read(rows_of(spec)), None)  # told before anything is made
    mode = _mode(spec, terms)
    with RunDirectory(Path(spec.out), create=True, journal=terms.journal) as directory:
        try:
            manifest = Manifest.begun(spec, _rows(spec, directory.path), mode, here)
            if terms.rehearsal is not None:
                rehearsal = terms.rehearsal
                manifest = replace(manifest, folder=rehearsal.folder, repeated=rehearsal.repeated)
            else:
                manifest = manifest.with_repeated(graphs["fanout"])
            yield OpenRun(directory=directory, manifest=manifest, spec=spec, graphs=graphs)
        except BaseException:  # whoever is interrupted before anything has begun has nothing to go on with either
            if directory.journal.session == 0:
                directory.discard()
            raise


@contextmanager
def found(
    out: Path, fields: Mapping[str, Any], graph: Graph[..., Any] | str | None, terms: Terms
) -> Generator[OpenRun]:
    """Go on with the run of a directory.

    Args:
        out: The run directory.
        fields: Fields of the spec that are to be different in this session, some of them in those after it too.
        graph: The run's graph, or its reference; None: it is loaded as it was recorded, where it lies under the current
            directory.
        terms: How the session goes about it.

    Raises:
        NotNamedError: The directory records a graph or an address that nobody has named here.
        UsageError: The directory is no run, is locked, or was run in the other mode; or fields are wrong.
    """
    with RunDirectory(out, create=False) as directory:
        manifest = Manifest.of(directory.journal)
        spec = going_on(manifest, out, fields, graph, has_client=terms.client is not None)
        graphs = arms_of(spec.graph, spec.baseline)
        if terms.client is None:
            check_mode(spec.base_url, manifest.mode)
        if terms.rows is not None:
            manifest, spec = synced(manifest, spec, terms.rows, graphs["fanout"], out)
        manifest = manifest.gone_on(spec)
        if not manifest.rows.exists():
            raise UsageError(
                f"there is no rows file {str(manifest.rows)!r} any more; put it back, and go on by the same line"
            )
        next(manifest.records(), None)  # what cannot be read is told at once
        manifest = manifest.with_repeated(graphs["fanout"])
        yield OpenRun(directory=directory, manifest=manifest, spec=spec, graphs=graphs)


def _mode(spec: JobSpec, terms: Terms) -> Mode:
    """Return who answers: a rehearsal never leaves this machine, and a client that was passed in asks its API."""
    if terms.rehearsal is not None:
        return "embedded"
    return "api" if terms.client is not None else check_mode(spec.base_url)


def _rows(spec: JobSpec, folder: Path) -> RowsFile:
    """Return a file with the rows that can be read again on resume; it is written where there is none.

    Raises:
        UsageError: There are no rows.
    """
    if spec.rows_file is not None:
        return rows_of(spec)
    form: Format = (spec.format or "jsonl") if spec.rows == "-" else "jsonl"
    path = folder / f"input.{form}"
    with path.open("wb") as file:
        if isinstance(spec.rows, str | Path):
            stdin: TextIO | None = sys.stdin
            if stdin is None:
                raise UsageError("standard input is closed; name a rows file, or pipe rows in")
            shutil.copyfileobj(stdin.buffer, file)
        else:
            file.writelines(json_lines(spec.rows))
    path.chmod(0o600)
    file = RowsFile(path, form, spec.encoding if spec.rows == "-" else None)
    next(read(file), None)
    return file
