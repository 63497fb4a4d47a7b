"""Finding a graph or a function by name: `path/file.py:name` or `package.module:name`."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, cast

from fanwise.canonical import digest
from fanwise.errors import FanwiseError, GraphFileError, UsageError
from fanwise.foreign import let_through, reason
from fanwise.graph.graphs import Graph
from fanwise.paths import names_file, typed

_PREFIX = "_fanwise_"
"""Of the names of modules that were loaded by their path."""


def load_graph(reference: str) -> Graph[..., Any]:
    """Return the graph that a reference names.

    Raises:
        UsageError: The file, the name or the graph does not exist, or the file cannot be read.
        GraphFileError: The file has raised.
        DefinitionError: The graph has mistakes.
    """
    place, _, name = reference.rpartition(":")
    if not place or not name:
        raise UsageError(f"{reference!r} names no graph; write path/file.py:name or package.module:name")
    module = _loaded(place)
    value = getattr(module, name, None)
    graphs = [name for name, member in vars(module).items() if isinstance(member, Graph)]
    if value is None:
        near = get_close_matches(name, graphs, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(graphs) or 'no graph'}"
        raise UsageError(f"there is no {name!r} in {typed(place)}; {hint}")
    if not isinstance(value, Graph):
        raise UsageError(f"{name!r} in {typed(place)} is no graph but {type(value).__name__}; put @graph above it")
    try:
        value.spec  # noqa: B018 - traced now, so that mistakes show here
    except BaseException as error:  # such as a name that the file does not define further down either
        raise _mistake(error, Path(value.fn.__code__.co_filename)) from None
    return cast("Graph[..., Any]", value)


def is_loading(frame: FrameType | None) -> bool:
    """Return whether a frame is of a file that is being loaded, or of what it calls."""
    while frame is not None and frame.f_code.co_filename != __file__:
        frame = frame.f_back
    return frame is not None


def loadable(graph: Graph[..., Any]) -> str:
    """Return a reference by which another process of this machine loads a graph.

    Raises:
        UsageError: There is none: the graph is no name of a module that stands in a file.
    """
    module = sys.modules.get(graph.fn.__module__)
    file = getattr(module, "__file__", None)
    names = [name for name, member in vars(module).items() if member is graph] if module is not None else []
    if not names or file is None or not Path(file).is_file():
        why = f"graph {graph.name!r} ({graph.place}) cannot be loaded by another process"
        raise UsageError(f"{why}; make it a name at the top of a file, or give its reference path/file.py:name")
    package = getattr(module, "__package__", None)
    place = graph.fn.__module__ if package and module is not sys.modules["__main__"] else Path(file).resolve()
    return f"{place}:{names[0]}"


def load_function(reference: str) -> Callable[..., Any]:
    """Return the function that a reference names.

    Raises:
        UsageError: The file or the function does not exist, or the file cannot be read.
        GraphFileError: The file has raised.
    """
    place, _, name = reference.rpartition(":")
    if not place or not name:
        raise UsageError(f"{reference!r} names no function; write path/file.py:name or package.module:name")
    module = _loaded(place)
    function = getattr(module, name, None)
    if callable(function):
        return function
    functions = [name for name, member in vars(module).items() if inspect.isfunction(member)]
    near = get_close_matches(name, functions, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(functions) or 'none'}"
    raise UsageError(f"there is no function {name!r} in {typed(place)}; {hint}")


def load_module(place: str) -> ModuleType:
    """Return the module that `path/file.py` or `package.module` names.

    Raises:
        UsageError: There is none, or it cannot be read.
        GraphFileError: It has raised.
    """
    if not place.strip():
        raise UsageError(f"{place!r} names no module; write path/file.py or package.module")
    return _loaded(place)


def _loaded(place: str) -> ModuleType:
    return _file(Path(place)) if names_file(place) else _module(place)


def _file(path: Path) -> ModuleType:
    if not os.path.isfile(path):
        raise UsageError(f"there is no file {typed(path)!r}")
    path = path.resolve()
    name = f"{_PREFIX}{path.stem}_{digest(str(path))[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))  # as `python file.py` would, for its neighbours
    try:
        with _neighbours(path.parent):
            spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        raise _mistake(error, path) from None
    return module


@contextmanager
def _neighbours(folder: Path) -> Generator[None]:
    """Let a file import those of its folder that were loaded by their path: their types are the same ones then.

    A name that is taken stays what it is: by another module, or in the standard library.
    """
    loaded = {
        Path(module.__file__).stem: module
        for name, module in [*sys.modules.items()]
        if name.startswith(_PREFIX) and module.__file__ is not None and Path(module.__file__).parent == folder
    }
    lent = {name: module for name, module in loaded.items() if name not in {*sys.modules, *sys.stdlib_module_names}}
    sys.modules.update(lent)
    try:
        yield
    finally:
        for name in lent:
            sys.modules.pop(name, None)


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and name.startswith(error.name):
            raise UsageError(f"there is no module {name!r}; for a file write path/file.py:name") from None
        raise _mistake(error, None) from None
    except BaseException as error:  # `sys.exit` in a module is no end of ours
        raise _mistake(error, None) from None


def _mistake(error: BaseException, path: Path | None) -> BaseException:
    """Return a mistake in the user's file, or what it has raised, as one line with its place."""
    let_through(error)
    if isinstance(error, FanwiseError):
        return error
    if isinstance(error, SyntaxError):
        return UsageError(f"{error.filename}:{error.lineno}: {error.msg}")
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if path is not None and frame.filename == str(path)] or [
        frame for frame in frames if "importlib" not in frame.filename
    ]
    place = f"{own[-1].filename}:{own[-1].lineno}" if own else "the module"
    kind = GraphFileError if own else UsageError  # what no line of it has raised, such as bytes that are no text
    lines = [line.strip() for line in reason(error).splitlines() if "For further information" not in line]
    return kind(f"{place}: {'; '.join(filter(None, lines))}")
