"""Paths that users write: made absolute where they come in, and shown again as one may type them.

The working directory is the process's, and whatever users' code calls may change it: a file of a graph that is loaded,
a validator, a step. So a relative path is held against it once, before any of that is called.
"""

from __future__ import annotations

import os
from pathlib import Path


def fixed(path: str | Path) -> Path:
    """Return a path that leads to the same place wherever this process goes; links and `..` in it stay as they are."""
    try:
        return Path(path).absolute()
    except OSError:  # the working directory was removed: nothing is found by it, as is said of each path
        return Path(path)


def fixed_reference(reference: str) -> str:
    """Return a reference to a function or a graph with its file fixed; that of a module stays as it is."""
    place, colon, name = reference.rpartition(":")
    return f"{fixed(place)}{colon}{name}" if names_file(place) else reference


def fixed_if_file(name: str | Path) -> str | Path:
    """Return the fixed path of a file; what is none, such as the name of a field, stays as it is."""
    return fixed(name) if os.path.isfile(name) else name  # not of pathlib, which raises where no file has such a name


def names_file(place: str) -> bool:
    """Return whether the front of a reference is a file, and no module."""
    return place.endswith(".py") or "/" in place


def typed(path: str | Path) -> str:
    """Return a path as one may type it here: by its name in the working directory where it lies below that."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (OSError, ValueError):
        return str(path)
