"""The command line called in this process: what it says and how it ends, without the seconds that a start takes.

Nothing that a call changes outlives it, and nothing that the tests have changed before is seen by it: each has its
own environment, streams, search path, modules of graphs, loggers and signal handlers.
"""

from __future__ import annotations

import contextvars
import io
import logging
import os
import signal
import subprocess
import sys
import sysconfig
import time
import traceback
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, chdir, contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parent.parent
TESTS = str(ROOT / "tests")
INSTALLED = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib", "purelib", "platlib"))
OURS = (f"{ROOT / 'src'}{os.sep}",)
PROGRAM = "python -m fanwise"
UNHANDLED = 1


def call(
    arguments: Sequence[str], *, env: dict[str, str], stdin: str | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Call the command line to its end; standard output and error are apart and no terminals, as in a pipe."""
    out, err = _stream(""), _stream("", errors="backslashreplace")
    with ExitStack() as stack:
        stack.enter_context(chdir(cwd or Path.cwd()))
        stack.enter_context(_environment(env))
        stack.enter_context(own_modules(env.get("PYTHONPATH", "")))
        stack.enter_context(_loggers())
        stack.enter_context(_signal_handlers())
        stack.enter_context(warnings.catch_warnings())
        stack.enter_context(_streams(_stream(stdin or ""), out, err))
        status = contextvars.Context().run(_status, list(arguments))
    return subprocess.CompletedProcess([PROGRAM, *arguments], status, _text(out), _text(err))


def _status(arguments: list[str]) -> int:
    """Return the exit status of the command line, as the interpreter would make it."""
    from fanwise.cli.main import main

    try:
        main(arguments, prog_name=PROGRAM)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return UNHANDLED
    except KeyboardInterrupt:
        raise
    except BaseException:
        traceback.print_exc()
        return UNHANDLED
    return 0


# What a call has of its own ----------------------------------------------------------------------


@contextmanager
def own_modules(path: str = "") -> Generator[None]:
    """Load graphs anew, from the folders that a process would search; forget them, and restore what was loaded."""
    before, searched, bytecode = dict(sys.modules), list(sys.path), sys.dont_write_bytecode
    for name in [name for name, module in before.items() if not _is_installed(module)]:
        del sys.modules[name]
    folders = [str(Path.cwd()), *filter(None, path.split(os.pathsep))]
    sys.path[:] = [*folders, *(folder for folder in searched if not folder.startswith(TESTS))]
    sys.dont_write_bytecode = True  # it goes by seconds and size, and a test writes a graph twice in a second
    try:
        yield
    finally:
        sys.dont_write_bytecode, sys.path[:] = bytecode, searched
        for name in [name for name, module in sys.modules.items() if not _is_installed(module)]:
            del sys.modules[name]
        sys.modules |= before


def _is_installed(module: ModuleType | None) -> bool:
    """Return whether a module is Python's, a package's or fanwise's, and no graph's or test's."""
    file = getattr(module, "__file__", None)
    return file is None or _is_installed_file(file)


@cache  # asked of four thousand modules before and after each call
def _is_installed_file(file: str) -> bool:
    return file.startswith((*OURS, *INSTALLED))


@contextmanager
def _environment(env: dict[str, str]) -> Generator[None]:
    before = dict(os.environ)
    _set(env)
    try:
        yield
    finally:
        _set(before)


def _set(env: dict[str, str]) -> None:
    zone = os.environ.get("TZ")
    os.environ.clear()
    os.environ.update(env)
    if os.environ.get("TZ") != zone:
        getattr(time, "tzset", int)()  # Windows has none


@contextmanager
def _streams(*streams: io.TextIOWrapper) -> Generator[None]:
    before = sys.stdin, sys.stdout, sys.stderr
    sys.stdin, sys.stdout, sys.stderr = streams
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = before


def _stream(text: str, errors: str = "strict") -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8", errors=errors, write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    """Return what was written to a stream; a program may have closed it."""
    stream.flush()
    raw: bytes = stream.buffer.getvalue()  # type: ignore[attr-defined]
    return raw.decode().replace("\r\n", "\n")


@contextmanager
def _loggers() -> Generator[None]:
    """Take away pytest's handlers, with which a program could not configure its own; restore all loggers."""
    names = ["", *logging.root.manager.loggerDict]
    before = [(logger, logger.level, logger.handlers[:], logger.propagate) for logger in map(logging.getLogger, names)]
    logging.root.handlers[:] = []
    logging.root.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for logger, level, handlers, propagate in before:
            logger.setLevel(level)
            logger.handlers[:], logger.propagate = handlers, propagate


@contextmanager
def _signal_handlers() -> Generator[None]:
    handlers: dict[signal.Signals, Callable[..., object] | int | None] = {
        number: signal.getsignal(number) for number in signal.Signals if number.name in ("SIGINT", "SIGTERM", "SIGHUP")
    }
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
