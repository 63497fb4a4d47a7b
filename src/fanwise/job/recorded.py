"""What a run directory records that is not used unasked: its graph is code, its address would be given the key.

A directory may come from somebody else (docs/decisions/2026-11-29-a-directory-is-data.md).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from fanwise.addresses import VARIABLE, without_secrets
from fanwise.errors import NotNamedError
from fanwise.graph.graphs import Graph
from fanwise.paths import names_file, typed

from .manifest import Manifest
from .spec import JobSpec

AUTOMATIC = ("none", "auto", "auto:thinking")
"""Baselines that are no graph of a file."""


def going_on(
    manifest: Manifest,
    out: str | Path,
    changes: Mapping[str, Any],
    graph: Graph[..., Any] | str | None = None,
    *,
    has_client: bool = False,
) -> JobSpec:
    """Return how a run goes on: as it was, but for what is given instead; its graph and its address are named here.

    Args:
        manifest: What the run is.
        out: Its directory.
        changes: Fields of the spec that are to be different in this session.
        graph: The run's graph, where it is at hand or named; None: by its recorded reference, where that may be loaded.
        has_client: Whether a client of the SDK was passed in, which has its own address.

    Raises:
        NotNamedError: The directory records a graph or an address that nobody has named here.
        SpecError: A value is wrong, or says what is run: that cannot change.
    """
    spec = manifest.spec.resumed(**changes)
    missing = _graphs_to_name(manifest, out, graph, changes.get("baseline"))
    if not has_client:
        missing |= _address_to_name(manifest, changes.get("base_url"))
    if missing:
        raise NotNamedError(typed(out), missing)
    return replace(spec, graph=graph or manifest.graph, base_url=changes.get("base_url"))


def looked_at(
    manifest: Manifest, out: str | Path, graph: Graph[..., Any] | str | None = None, baseline: str | None = None
) -> JobSpec:
    """Return the job of a run whose requests are only looked at: its graphs may be loaded, and nobody is asked.

    Raises:
        NotNamedError: The directory records a graph that nobody has named here.
        SpecError: The baseline is none.
    """
    missing = _graphs_to_name(manifest, out, graph, baseline)
    if missing:
        raise NotNamedError(typed(out), missing)
    return replace(manifest.spec.resumed(baseline=baseline), graph=graph or manifest.graph, base_url=None)


def address(manifest: Manifest, out: str | Path, base_url: str | None) -> str | None:
    """Return the address at which the batches of a run are asked for; None: that of the environment, or the SDK's own.

    Raises:
        NotNamedError: The directory records one that nobody has named here.
    """
    missing = _address_to_name(manifest, base_url)
    if missing:
        raise NotNamedError(typed(out), missing)
    return base_url


def other_address(manifest: Manifest, spec: JobSpec) -> str:
    """Return in words that the environment names another address than the run had; empty where it does not."""
    before, now = manifest.spec.base_url, os.environ.get(VARIABLE)
    if manifest.mode != "api" or not before or spec.base_url is not None or not now:
        return ""
    if before.rstrip("/") == now.rstrip("/"):
        return ""
    there, earlier = without_secrets(now), without_secrets(before)
    return f"requests go to {there}, which {VARIABLE} names; before they went to {earlier}"


def _address_to_name(manifest: Manifest, base_url: str | None) -> dict[str, str]:
    """Return the recorded address, by what names it, where neither the call nor the environment names one."""
    recorded = manifest.spec.base_url
    is_named = bool(base_url or os.environ.get(VARIABLE))
    return {"base_url": recorded} if manifest.mode == "api" and recorded and not is_named else {}


def _graphs_to_name(
    manifest: Manifest, out: str | Path, graph: Graph[..., Any] | str | None, baseline: str | None
) -> dict[str, str]:
    """Return the references of graphs that may not be loaded by what was recorded, by what names them."""
    missing: dict[str, str] = {}
    if graph is None and not _is_here(manifest.graph, Path(out)):
        missing["graph"] = manifest.graph
    recorded = manifest.spec.baseline
    if baseline is None and recorded not in AUTOMATIC and not _is_here(recorded, Path(out)):
        missing["baseline"] = recorded
    return missing


def _is_here(reference: str, out: Path) -> bool:
    """Return whether a recorded graph is of a file that whoever calls has chosen to work with.

    That is one under the current directory, and none of the run directory itself, nor of a package that was
    installed; or one that this process has imported already.
    """
    file = _file_of(reference.rpartition(":")[0])
    if file is None:
        return False
    if any(_is_of(module, file) for module in list(sys.modules.values())):
        return True
    is_foreign = file.is_relative_to(out.resolve()) or file.is_relative_to(Path(sys.prefix).resolve())
    return file.is_relative_to(Path.cwd().resolve()) and not is_foreign


def _file_of(place: str) -> Path | None:
    """Return the file of a graph's module, behind all links; nothing is imported. None where it is not clear.

    Of a module in a package it is the package's own: modules of a package stand below it.
    """
    if "\0" in place:
        return None
    if names_file(place):
        return Path(place).resolve() if Path(place).is_absolute() else None
    spec = PathFinder.find_spec(place.partition(".")[0])
    places = [] if spec is None else [*(spec.submodule_search_locations or ()), *([spec.origin] if spec.origin else [])]
    return Path(places[0]).resolve() if places else None


def _is_of(module: object, file: Path) -> bool:
    """Return whether a module was loaded from a file; there are thousands, so links are followed for its name only."""
    path = getattr(module, "__file__", None)
    return isinstance(path, str) and os.path.basename(path) == file.name and Path(path).resolve() == file
