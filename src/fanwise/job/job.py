"""The library's front: a job, and its resumption."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import anyio

from fanwise.api.capable import SdkClient
from fanwise.errors import SpecError, UsageError
from fanwise.graph.graphs import Graph

from .account import Account
from .close import close
from .opening import Terms
from .prepare import prepare, prepare_again
from .prepared import Shard
from .spec import JobSpec, mistakes_in, mistakes_in_changes
from .terms import mistakes_in_terms
from .watcher import Watcher
from .work import work


class Job:
    """A graph over rows.

    Example:
        `account = Job(triage, rows="tickets.jsonl", out="runs/tickets").run_sync()`
    """

    def __init__(
        self,
        graph: Graph[..., Any] | str,
        *,
        rows: str | Path | Iterable[Any],
        out: str | Path,
        client: SdkClient | None = None,
        **fields: Any,
    ) -> None:
        """Describe a job; nothing is read or sent yet.

        Args:
            graph: A graph, or its reference `path/file.py:name`.
            rows: A JSONL, CSV or Parquet file, `-` for standard input, or rows as models or dicts.
            out: The run directory; must not hold another run.
            client: An asynchronous client of the SDK, for Bedrock, Vertex, Foundry or a gateway; its own
                retries are switched off. What it cannot do is told before anything is sent.
            **fields: Further fields of `JobSpec`.

        Raises:
            SpecError: Values are wrong, or names that no field has; all of them are named at once.
        """
        call: dict[str, Any] = dict(graph=graph, rows=rows, out=out, **fields)
        mistakes = (*mistakes_in(call), *mistakes_in_terms(client))
        if mistakes:
            raise SpecError(mistakes)
        self.spec = JobSpec(**call)
        self.client = client

    def run_sync(self) -> Account:
        """Run the job from code that is not async.

        Raises:
            UsageError: Something is wrong with the graph, the rows, the directory or the key.
            HaltedError: The run was stopped before its end; what was done is kept.
        """
        try:
            anyio.get_current_task()
        except RuntimeError:  # no loop runs here, as it should be
            return anyio.run(self.run)
        raise UsageError("run_sync() cannot run in a notebook cell or in async code: write `await job.run()` there")

    async def run(
        self, watcher: Watcher | None = None, *, detach: bool = False, only: frozenset[int] | None = None
    ) -> Account:
        """Run the job to its end.

        Args:
            watcher: What a display reads.
            detach: Return when all that can be submitted is in batches.
            only: Line or record numbers of the rows to take; the others wait for `resume`.

        Raises:
            UsageError: Something is wrong with the graph, the rows, the directory or the key.
            HaltedError: The run was stopped before its end; what was done is kept.
        """
        return await begin(self.spec, watcher, detach=detach, only=only, client=self.client)


async def begin(
    spec: JobSpec,
    watcher: Watcher | None = None,
    *,
    detach: bool = False,
    only: frozenset[int] | None = None,
    job_rows: int = 0,
    client: SdkClient | None = None,
) -> Account:
    """Run a job to its end in a directory of its own; a start that is refused leaves nothing behind.

    Args:
        spec: The job.
        watcher: What a display reads.
        detach: Return when all that can be submitted is in batches.
        only: Line or record numbers of the rows to take; the others wait for `resume`.
        job_rows: Valid rows of the whole job, over which what rows share is spread; 0: those that are taken.
        client: A client of the SDK, as for `Job`.

    Raises:
        UsageError: Something is wrong with the graph, the rows, the directory or the key.
        HaltedError: The run was stopped before its end; what was done is kept.
    """
    async with prepare(spec, Terms(detach=detach, client=client), watcher) as prepared:
        await work(prepared, Shard(only, job_rows))
        return await close(prepared)


async def resume(
    out: str | Path,
    watcher: Watcher | None = None,
    *,
    graph: Graph[..., Any] | str | None = None,
    retry: Iterable[str] = (),
    pay_twice: bool = False,
    detach: bool = False,
    only: frozenset[int] | None = None,
    job_rows: int = 0,
    client: SdkClient | None = None,
    **fields: Any,
) -> Account:
    """Go on with a run: ask again only for what is missing.

    Args:
        out: The run directory.
        watcher: What a display reads.
        graph: The graph, or its reference; None: that which the run was started with, where it lies under the current
            directory or was imported already.
        retry: Final failures to ask again: `failed` (all), `refused`, `truncated`, or an error class.
        pay_twice: Send without waiting what is in a batch whose id did not come and which may be this run's; if
            it is, what it answers is paid twice, and is so called in the account.
        detach: Return when all that can be submitted is in batches.
        only: Line or record numbers of the rows to take, as for `Job.run`.
        job_rows: Valid rows of the whole job, over which what rows share is spread; 0: those that are taken.
        client: A client of the SDK, as for `Job`.
        **fields: Fields of `JobSpec` that are to be different. `baseline`, `sample`, `seed`, `encoding` and `id_field`
            stay with the run (`baseline="none"` takes the single agent away again); all others hold for this session
            alone, and the next is as the run was begun. `base_url` is never taken over: what is not named here or by
            ANTHROPIC_BASE_URL is given no key.

    Raises:
        NotNamedError: The directory records a graph or an address that nobody has named here.
        UsageError: The directory is no run, is locked, or was run in the other mode; or fields are wrong.
        HaltedError: The run was stopped before its end; what was done is kept.
    """
    retry = retry if isinstance(retry, str) else tuple(retry)
    mistakes = (*mistakes_in_changes(fields), *mistakes_in_terms(client, retry))
    if mistakes:
        raise SpecError(mistakes, "the call")
    terms = Terms(retry=frozenset(retry), pay_twice=pay_twice, detach=detach, client=client)
    async with prepare_again(out, terms, watcher, fields=fields, graph=graph) as prepared:
        await work(prepared, Shard(only, job_rows))
        return await close(prepared)
