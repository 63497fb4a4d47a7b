"""The command line as a process that has nothing to load: a fork of one that has loaded what fanwise loads.

A start takes two and a half seconds of processor time, nearly all of it the imports of the SDK. A fork has its own
memory, signals, files and end; it is for what is killed or told by a signal, and not for what is seen of a start.

Run as a script this is the process that forks: each line of standard input is a JSON object that starts one or waits
for one, and is answered by its process id or by its exit status.
"""

from __future__ import annotations

import atexit
import json
import os
import runpy
import select
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Self

LOADED = (
    "anthropic", "fanwise.api.wire", "fanwise.cli.main", "fanwise.cli.resume", "fanwise.cli.run", "fanwise.cli.sync",
    "fanwise.emulator.server", "fanwise.rendering.account", "fanwise.rendering.progress", "fanwise.telemetry",
)  # fmt: skip


class Forked:
    """What `subprocess.Popen` offers, of a fork."""

    def __init__(self, arguments: Sequence[str], *, env: dict[str, str], heard: bool = False) -> None:
        """Start.

        Args:
            arguments: Of the command line.
            env: Its environment.
            heard: Whether standard error is read here.
        """
        with tempfile.TemporaryDirectory() as folder:
            place = os.path.join(folder, "stderr") if heard else os.devnull
            if heard:
                os.mkfifo(place)
            order = {"arguments": [*arguments], "env": env, "cwd": os.getcwd(), "stderr": place}
            self.pid = _asked(order)
            self.stderr: IO[str] | None = open(place, encoding="utf-8") if heard else None  # noqa: SIM115 - closed below
        self.returncode: int | None = None

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)  # nobody has waited for it, so the id is still its own

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            self.returncode = _asked({"wait": self.pid}, timeout)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[None, str]:
        said = self.stderr.read() if self.stderr else ""
        self.wait(timeout)
        self.__exit__()
        return None, said

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()
        if self.stderr:
            self.stderr.close()


@cache
def _server() -> subprocess.Popen[str]:
    command = [sys.executable, str(Path(__file__))]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    atexit.register(server.communicate)
    return server


def _asked(order: dict[str, Any], timeout: float | None = None) -> int:
    """Return what the process that forks answers."""
    server = _server()
    assert server.stdin is not None and server.stdout is not None
    print(json.dumps(order), file=server.stdin, flush=True)
    if not select.select([server.stdout], [], [], timeout)[0]:
        os.kill(order["wait"], 9)
        server.stdout.readline()
        raise subprocess.TimeoutExpired("fanwise", timeout or 0)
    return int(server.stdout.readline())


# The process that forks --------------------------------------------------------------------------


def _become(order: dict[str, Any]) -> None:
    """Make this fork what `python -m fanwise` is before its first line."""
    for number, (place, how) in enumerate(
        ((os.devnull, os.O_RDONLY), (os.devnull, os.O_WRONLY), (order["stderr"], os.O_WRONLY))
    ):
        os.dup2(os.open(place, how), number)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    sys.path[:] = [order["cwd"], *filter(None, order["env"].get("PYTHONPATH", "").split(os.pathsep)), *sys.path[1:]]
    sys.argv = ["fanwise", *order["arguments"]]


def _serve() -> bool:
    """Carry out orders; return True in a fork, and False at the end of all orders."""
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            print(os.waitstatus_to_exitcode(os.waitpid(order["wait"], 0)[1]), flush=True)
            continue
        fork = os.fork()
        if not fork:
            _become(order)
            return True
        print(fork, flush=True)
    return False


if __name__ == "__main__":
    for name in LOADED:
        import_module(name)
    if _serve():
        runpy.run_module("fanwise", run_name="__main__", alter_sys=True)
