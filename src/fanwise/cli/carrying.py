"""Carrying out a job from the command line: a display, signals, its account, how to go on."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, cast

import anyio

from fanwise.errors import FanwiseError, HaltedError, NotKeptError
from fanwise.foreign import Stopped
from fanwise.job.account import Account
from fanwise.job.directory import holds_run, reading
from fanwise.job.watcher import Watcher
from fanwise.paths import typed
from fanwise.rendering.account import show_account
from fanwise.rendering.console import HarmlessConsole, standard_output
from fanwise.rendering.harmless import one_line

from .ending import FAILED_ROWS, HALTED, MOST_WORDS, OK, USAGE
from .progress import display
from .rejected import rejected_words
from .saying import echo, echo_json
from .signals import Signals, say


def carry_out(
    work: Callable[[Watcher], Awaitable[Account]],
    *,
    as_json: bool,
    out: Path,
    report: bool = True,
    again: str = "",
) -> int:
    """Run a job with a display and signals, print its account, and return the exit status.

    Args:
        work: Runs it.
        as_json: Whether its account is printed as JSON.
        out: Its directory.
        report: Whether the account is printed.
        again: The line that goes on with it; empty: `fanwise resume`.
    """
    again = again or f"fanwise resume {typed(out)}"
    signals = Signals(out=out)
    try:
        account, halted = anyio.run(_watched, work, signals)
    except BaseExceptionGroup as error:
        raise _leaf(error) from None
    finally:
        signals.over()
    if account is None and halted is None:
        how = f"stopped at once; go on with: {again}" if holds_run(out) else "stopped before anything was sent"
        say(how)
        return signals.status
    if isinstance(halted, NotKeptError):  # the account is among what could not be written
        then = f"; then go on with: {again}" if holds_run(out) else ""
        echo(f"fanwise: {one_line(str(halted), MOST_WORDS)}{then}", err=True)
        return HALTED
    summary = _summary(out)
    with suppress(OSError) if signals.count else nullcontext():  # a terminal that was closed takes no account
        if report:
            _print(out, summary, as_json=as_json)
        for line in rejected_words(out, summary["rows"]):
            echo(f"fanwise: {line}" if not line.startswith(" ") else line, err=True)
    if halted is not None:
        why = one_line(str(halted), MOST_WORDS)
        echo(f"fanwise: {why}; what was done is kept, go on with: {again}", err=True)
        return HALTED
    if summary["ended"] in ("interrupted", "detached"):
        _say_how_to_resume(out, summary["ended"], again)
        return signals.status if summary["ended"] == "interrupted" else OK
    return _status(summary["rows"])


def _status(rows: dict[str, Any]) -> int:
    """Return the exit status of a run that has ended, by the counts of its rows."""
    if rows["rejected"] and rows["rejected"] == rows["read"]:
        return USAGE
    return FAILED_ROWS if rows["failed"] or rows["partial"] or rows["rejected"] else OK


async def _watched(
    work: Callable[[Watcher], Awaitable[Account]], signals: Signals
) -> tuple[Account | None, HaltedError | None]:
    """Run a job with a display and signals; return its account or why it was halted, neither if it was stopped."""
    watcher = Watcher()
    account: Account | None = None
    halted: HaltedError | None = None
    async with anyio.create_task_group() as group:
        group.start_soon(display, watcher, HarmlessConsole(stderr=True))
        await group.start(signals.heed, watcher, group.cancel_scope)
        try:
            account = await work(watcher)
        except HaltedError as error:
            halted = error
        except Stopped:
            pass
        group.cancel_scope.cancel()
    return account, halted


def _leaf(error: BaseException) -> BaseException:
    """Return the first error of ours in a group, else the first of all."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    inner: tuple[BaseException, ...] = cast("Any", error).exceptions
    leaves = [_leaf(part) for part in inner]
    return next((leaf for leaf in leaves if isinstance(leaf, FanwiseError)), leaves[0])


def _summary(out: Path) -> dict[str, Any]:
    return json.loads((out / "summary.json").read_text(encoding="utf-8"))


def _print(out: Path, summary: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        echo_json(summary, 2)
        return
    show_account(summary, Account(out, summary).tables(), standard_output())
    echo(f"results: {typed(out / 'results.jsonl')}", err=True)


def _say_how_to_resume(out: Path, how: str, again: str) -> None:
    with reading(out) as journal:
        ids = [
            batch.batch_id
            if batch.batch_id is not None and batch.state == "created"
            else f"(submitted, id not certain, {batch.size} requests)"
            for batch in journal.open_batches()
        ]
    if ids:
        say(f"{how}; batches that go on: {', '.join(ids)}")
    say(f"go on with: {again}")
