"""The rows that a sync takes: those of the run's file as it is now, of another file, or from code."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from fanwise.engine.records import Format, RowsFile
from fanwise.engine.rows import Row
from fanwise.engine.rowsfile import json_lines
from fanwise.errors import SpecError, UsageError
from fanwise.graph.nodes import GraphSpec
from fanwise.paths import fixed, typed

from .entries import INPUTS
from .manifest import Manifest, rows_of
from .spec import JobSpec, mistakes_in


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsNow:
    """What rows a sync takes."""

    source: str | Path | Iterable[Any] | None = None
    """A file, or rows as models or dicts; None: the run's own file."""
    format: Format | None = None
    """Of the file, where its name does not say it."""

    @classmethod
    def of(cls, source: str | Path | Iterable[Any] | None, form: Format | None) -> RowsNow:
        """Return what a caller has named.

        Raises:
            SpecError: It is nothing that rows are read from.
        """
        named = {name: value for name, value in (("rows", source), ("format", form)) if value is not None}
        mistakes = mistakes_in(named)
        if mistakes:
            raise SpecError(mistakes, "the call")
        if isinstance(source, str | Path) and str(source) != "-":
            source = fixed(source)
        return cls(source=source, format=form)


def synced(
    manifest: Manifest, spec: JobSpec, rows: RowsNow, graph: GraphSpec, folder: Path | None = None
) -> tuple[Manifest, JobSpec]:
    """Return what a run is, and how a session runs it, once it takes these rows: as a run that begins with them.

    Args:
        manifest: What it was.
        spec: How the session goes about it.
        rows: The rows.
        graph: The fan-out, which takes them.
        folder: The run directory, where rows from code are written down; None: none are.

    Raises:
        UsageError: They cannot be read, or none of them is valid: then a run from scratch would be refused too, and
            results stay as they are.
    """
    if rows.source is None and rows.format is None:
        _check_any(manifest, spec, graph)
        return manifest, spec
    given = replace(spec, rows=manifest.rows if rows.source is None else rows.source, format=rows.format)
    if folder is None or given.rows_file is not None or given.rows == "-":
        file = rows_of(given)
        manifest = manifest.over(file, manifest.folder if rows.source is None else file.path.resolve().parent)
        _check_any(manifest, _over(manifest, spec), graph)
    else:
        with _written(given, folder) as new:
            written = manifest.over(RowsFile(new, "jsonl"), Path.cwd())
            _check_any(written, _over(written, spec), graph)
            new.replace(folder / INPUTS[0])
        manifest = manifest.over(RowsFile(folder / INPUTS[0], "jsonl"), Path.cwd())
    return manifest, _over(manifest, spec)


def _over(manifest: Manifest, spec: JobSpec) -> JobSpec:
    """Return how a session runs a job over the rows of a run."""
    return replace(spec, rows=manifest.rows, format=manifest.format, encoding=manifest.spec.encoding)


@contextmanager
def _written(spec: JobSpec, folder: Path) -> Generator[Path]:
    """Write rows from code to a file beside that of a run; it is gone behind the block, unless it was moved.

    Raises:
        UsageError: There are none, or they cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=folder, prefix=f".{INPUTS[0]}.")
        new = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines(json_lines(cast("Iterable[Any]", spec.rows)))
            if not new.stat().st_size:
                raise UsageError("there are no rows; give one at least")
            yield new
        finally:
            new.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"the rows cannot be written to {typed(folder)}: {error.strerror}") from error


def _check_any(manifest: Manifest, spec: JobSpec, graph: GraphSpec) -> None:
    """Check that one of the rows that a run takes is valid at least.

    Raises:
        UsageError: None is.
    """
    as_run, rejected = replace(manifest, spec=spec), 0
    types = as_run.row_types(graph)
    for record in as_run.taken():
        if isinstance(types.check(record), Row):
            return
        rejected += 1
    raise UsageError(f"no row of {typed(manifest.rows)} is valid: {rejected} were set aside; nothing was changed")
