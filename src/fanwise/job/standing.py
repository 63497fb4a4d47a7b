"""How a run stands, written down by its sessions: what the account says of them beside their records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fanwise.engine.repeated import ShownBy
from fanwise.engine.run import Engine
from fanwise.journal.meta import (
    CHOICES,
    HALTED,
    JOB_ROWS,
    MODELLED,
    NOTES,
    OFFLINE,
    OWN_BASELINE,
    SHOWN_BY,
    MetaStore,
    Source,
)  # fmt: skip
from fanwise.journal.records import ArmName


def was_offline(journal: Source) -> bool | None:
    """Return whether stand-ins have answered for the models so far; None before anybody has answered."""
    return OFFLINE.of(journal)


def keep_offline(journal: MetaStore, *, offline: bool) -> None:
    """Keep whether stand-ins answer for the models."""
    OFFLINE.keep(journal, offline)


def keep_begin(journal: MetaStore, *, own_baseline: bool) -> None:
    """Keep that a session has begun.

    Args:
        journal: Of the run.
        own_baseline: Whether the attempts of the fan-out are the single agent's too.
    """
    OWN_BASELINE.keep(journal, own_baseline)
    HALTED.keep(journal, "")


def keep_job_rows(journal: MetaStore, rows: int) -> None:
    """Keep how many valid rows the whole job has, of which a session carries out a sample; 0: it is the job."""
    JOB_ROWS.keep(journal, rows)


def keep_shown(journal: MetaStore, shown: Mapping[ArmName, Mapping[int, ShownBy]]) -> None:
    """Keep how many rows of the job show the blocks of the rows of a sample.

    Args:
        journal: Of the run.
        shown: By arm that is asked for a sample, and by number of a row.
    """
    SHOWN_BY.keep(journal, {arm: {str(row): [*by] for row, by in of_arm.items()} for arm, of_arm in shown.items()})


def keep_end(journal: MetaStore, engine: Engine) -> None:
    """Keep what an engine has to say of the rows that it has carried out."""
    if engine.halted:
        HALTED.keep(journal, engine.halted)
    if engine.notes:
        NOTES.keep(journal, [*NOTES.of(journal), *engine.notes])
    CHOICES.keep(journal, engine.carriers.chooser.reasons(CHOICES.of(journal)))


def keep_modelled(journal: MetaStore, multiplier: dict[str, Any] | None) -> None:
    """Keep the multiplier against one agent that was not asked; None where it could not be composed."""
    MODELLED.keep(journal, multiplier)
