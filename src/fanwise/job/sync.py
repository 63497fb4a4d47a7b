"""A job that lives: what has become of its rows and its graph is carried out, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fanwise.api.capable import SdkClient
from fanwise.engine.records import Format
from fanwise.errors import SpecError
from fanwise.graph.graphs import Graph

from .account import Account
from .close import close
from .opening import Terms
from .prepare import prepare_again
from .rowsnow import RowsNow
from .spec import mistakes_in_changes
from .terms import mistakes_in_terms
from .watcher import Watcher
from .work import work


async def sync(
    out: str | Path,
    watcher: Watcher | None = None,
    *,
    rows: str | Path | Iterable[Any] | None = None,
    format: Format | None = None,
    graph: Graph[..., Any] | str | None = None,
    retry: Iterable[str] = (),
    pay_twice: bool = False,
    detach: bool = False,
    client: SdkClient | None = None,
    **fields: Any,
) -> Account:
    """Bring a run to its rows and its graph as they are now; what is as it was is asked of nobody.

    Rows are known by their id, those without one by what they hold. Behind it results are those of a run from scratch,
    and `changes.jsonl` in the run directory says which rows were added, changed and removed since the sync before.

    Args:
        out: The run directory.
        watcher: What a display reads.
        rows: A file, or rows as models or dicts, which the run has from now on; None: its own file.
        format: Of the file, where its name does not say it.
        graph: As for `resume`.
        retry: As for `resume`.
        pay_twice: As for `resume`.
        detach: As for `resume`.
        client: As for `resume`.
        **fields: As for `resume`.

    Raises:
        NotNamedError: The directory records a graph or an address that nobody has named here.
        UsageError: The directory is no run, is locked, or was run in the other mode; there are no rows, or none of them
            is valid; or fields are wrong. Nothing has changed then.
        HaltedError: The run was stopped before its end; what was done is kept, and the next sync goes on.
    """
    retry = retry if isinstance(retry, str) else tuple(retry)
    mistakes = (*mistakes_in_changes(fields), *mistakes_in_terms(client, retry))
    if mistakes:
        raise SpecError(mistakes, "the call")
    terms = Terms(
        retry=frozenset(retry), pay_twice=pay_twice, detach=detach, client=client, rows=RowsNow.of(rows, format)
    )  # fmt: skip
    async with prepare_again(out, terms, watcher, fields=fields, graph=graph) as prepared:
        await work(prepared)
        return await close(prepared)
