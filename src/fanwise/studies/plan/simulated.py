"""A sample carried out on an embedded emulator, as a part of a job over all rows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import anyio

from fanwise.canonical import dumps
from fanwise.context.layout import Schemas, Texts
from fanwise.dispatch.channel import ChannelChoice
from fanwise.dispatch.jobpart import JobPart
from fanwise.engine.standin import StandInAnswer
from fanwise.graph.nodes import GraphSpec
from fanwise.job.close import close
from fanwise.job.directory import reading
from fanwise.job.manifest import Manifest
from fanwise.job.opening import Rehearsal, Terms
from fanwise.job.prepare import prepare
from fanwise.job.spec import JobSpec
from fanwise.job.work import work
from fanwise.journal.memory import MemoryJournal
from fanwise.journal.records import ArmName, RoleName
from fanwise.ledger.rowblocks import row_block_writes

from .drawn import Drawn
from .estimate import RowUse
from .levelled import NOT_SHOWN, Shown, found_in, levelled, not_in
from .used import SampleUse, sample_use


def simulate(
    manifest: Manifest,
    drawn: Drawn,
    channel: ChannelChoice,
    *,
    graphs: Mapping[ArmName, GraphSpec],
    schemas: Schemas,
    texts: Texts = "auto",
    recorded: Mapping[str, StandInAnswer] | None = None,
    shown: Shown = NOT_SHOWN,
    alive: frozenset[str] = frozenset(),
    reuse: bool = False,
) -> SampleUse:
    """Carry out a sample on an embedded emulator, as a part of a job over all rows; nothing is paid.

    Args:
        manifest: What the run of the job would be.
        drawn: The rows.
        channel: How requests travel.
        graphs: The graph of each arm that is carried out.
        schemas: How schemas travel.
        texts: Whether texts are answered in plain text.
        recorded: Answers to give, by the hash of the request; the stand-ins give the rest.
        shown: Where in the job the blocks of the rows are shown.
        alive: Keys of the blocks of rows that the cache still has, as `ledger.rowblocks` has them.
        reuse: Whether equal tasks are one call, and not one each.
    """
    with tempfile.TemporaryDirectory(prefix="fanwise-plan-") as folder:
        path, out = Path(folder) / "rows.jsonl", Path(folder) / "run"
        path.write_text("".join(dumps(row.data) + "\n" for row in drawn.rows), encoding="utf-8")
        spec = JobSpec(
            graph=manifest.graph, rows=path, out=out, channel=channel, id_field=manifest.spec.id_field, schemas=schemas,
            reuse=reuse,
        )  # fmt: skip
        part = JobPart(
            scale=max(drawn.valid / len(drawn.rows), 1.0),
            scales=dict.fromkeys(graphs, 1.0) if drawn.has_every_call else {},
            taken=dict.fromkeys(graphs, len(drawn.rows)),
            shown_by={arm: {row: by.rows for row, by in shown.rows.items()} for arm in graphs},
        )
        rehearsal = Rehearsal(
            graphs=graphs,
            folder=manifest.folder,
            recorded=recorded,
            part=part,
            repeated=manifest.repeated,
            texts=texts,
        )

        async def rehearse() -> None:
            async with prepare(spec, Terms(rehearsal=rehearsal, journal=MemoryJournal())) as prepared:
                await work(prepared)
                await close(prepared)

        anyio.run(rehearse)
        with reading(out) as journal:
            use, writes = sample_use(journal.db), list(row_block_writes(journal.db))
            rows = levelled(found_in(alive, use.rows, writes, shown), not_in(alive, writes), shown)
            return _renumbered(SampleUse(rows, use.once, use.slices), drawn)


def _renumbered(use: SampleUse, drawn: Drawn) -> SampleUse:
    """Return what rows took under their numbers in the whole file; in the sample's own they count from 1."""
    numbers = {place: row.number for place, row in enumerate(drawn.rows, 1)}
    return replace(use, rows=[replace(row, row=numbers[row.row]) for row in use.rows])


LengthFactors = Mapping[RoleName, tuple[float, float]]
"""By role: how many times longer real prompts and answers are than simulated ones."""


def length_factors(paid: Iterable[RowUse], simulated: Iterable[RowUse]) -> LengthFactors:
    """Return how many times longer the prompts and answers of a paid sample were than those of a simulated one.

    Args:
        paid: What rows took when the models were asked.
        simulated: What the same rows took when stand-ins were.
    """
    real, stand_ins = _lengths(paid), _lengths(simulated)
    factors: dict[RoleName, tuple[float, float]] = {}
    for role, (prompt, output) in stand_ins.items():
        real_prompt, real_output = real.get(role, (0, 0))
        factors[role] = (_factor(real_prompt, prompt), _factor(real_output, output))
    return factors


def _lengths(uses: Iterable[RowUse]) -> dict[RoleName, tuple[int, int]]:
    """Return the tokens of all prompts and of all answers, by role."""
    lengths: dict[RoleName, tuple[int, int]] = {}
    for use in uses:
        prompt, output = lengths.get(use.role, (0, 0))
        lengths[use.role] = (prompt + use.usage.prompt, output + use.usage.output)
    return lengths


def _factor(real: int, simulated: int) -> float:
    """Return how many times longer the real ones are; 1 where one of them is not known."""
    return real / simulated if real and simulated else 1.0
