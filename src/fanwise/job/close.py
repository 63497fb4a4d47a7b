"""The last of a session's three steps: record its end, and write the account and the files of the run."""

from __future__ import annotations

from dataclasses import replace

import anyio
import anyio.to_thread

from fanwise.errors import HaltedError, NotKeptError, UsageError
from fanwise.journal.counting import show_as_counted
from fanwise.journal.place import writing
from fanwise.rendering.files import write_files
from fanwise.units import now

from .account import Account
from .modelled import modelled
from .prepared import Prepared
from .sizes import TokenCache, learn
from .standing import keep_modelled
from .telling import tell

BILL_S = 30.0
"""Seconds in which an emulator tells its bill."""


async def close(prepared: Prepared) -> Account:
    """End a session, and return the account of its run.

    Raises:
        HaltedError: The work was stopped before its end; what was done is kept, and the account is written.
    """
    account = await settle(prepared)
    if prepared.terms.resumed and prepared.ended == "completed" and not prepared.watcher.calls:
        prepared.watcher.notes.append("nothing was missing: no request was sent")
    if prepared.ended == "halted":
        raise HaltedError(next(end.reason for end in prepared.ends if end.ended == "halted"))
    return account


async def settle(prepared: Prepared) -> Account:
    """Record the end of the session, and write the account and the files of the run.

    Raises:
        NotKeptError: They cannot be written.
    """
    with writing(prepared.run.directory.path):
        return await _settled(prepared)


async def _settled(prepared: Prepared) -> Account:
    journal, api, ended = prepared.journal, prepared.api, prepared.ended
    if not api.offline:  # what an emulator shows of tokens is nothing of a model's
        with TokenCache() as cache:
            learn(cache, journal.sent_and_billed(journal.session_start()))
    journal.end_session(now().timestamp(), ended)
    if ended == "completed" and any(end.covers_file for end in prepared.ends):
        journal.drop_stale_rows()
        said = await anyio.to_thread.run_sync(tell, prepared.run.directory)
        if said:
            prepared.watcher.note(said)
    bill: int | None = None
    if api.offline:
        with anyio.CancelScope(shield=True), anyio.move_on_after(BILL_S):
            bill = await api.bill(prepared.run.manifest.run_id)
    with anyio.CancelScope(shield=True):  # whoever interrupts a run wants its account all the more
        prepared.settled(await anyio.to_thread.run_sync(_account, prepared, bill))
    assert prepared.account is not None
    return prepared.account


def _account(prepared: Prepared, bill: int | None) -> Account:
    """Write the files of a run from its book; return the account.

    Args:
        prepared: The session, whose work has ended.
        bill: The emulator's bill of the run in picodollars, fetched; None where there is none.

    Raises:
        NotKeptError: The files cannot be written.
    """
    run = prepared.run
    book = run.directory.book()
    show_as_counted(book.db)
    if prepared.terms.rehearsal is None:  # hold the fan-out against one agent that was not asked
        multiplier = modelled(book.db, replace(run.manifest, spec=run.spec), run.graphs["fanout"])
        keep_modelled(book, None if multiplier is None else multiplier.data())
    try:
        data = write_files(run.directory.path, book.db, bill=bill)
    except UsageError as error:
        raise NotKeptError(f"{error}; make room there") from error
    return Account(run.directory.path, data)
