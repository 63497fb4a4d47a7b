"""The other runs of whose answers a session takes some."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from fanwise.engine.elsewhere import AnswersElsewhere, OtherRun
from fanwise.errors import RunDirectoryError, UsageError
from fanwise.journal.meta import TAKEN_FROM, TakenFrom
from fanwise.paths import typed

from .directory import reading
from .manifest import Manifest
from .opening import OpenRun
from .spec import JobSpec
from .standing import was_offline


@contextmanager
def answers_elsewhere(run: OpenRun, *, offline: bool) -> Generator[AnswersElsewhere | None]:
    """Open the runs of which a session takes answers, to read them alone; None where it names none.

    Args:
        run: The run that takes them.
        offline: Whether stand-ins answer for its models.

    Raises:
        RunDirectoryError: One is no run, or was answered by the other kind.
        UsageError: One is this run, or this run lets no request serve several tasks.
    """
    named = [Path(directory) for directory in run.spec.reuse_from or ()]
    if not named:
        yield None
        return
    if not run.spec.reuse:
        raise UsageError("--reuse names a run and --no-reuse takes no answer of others; leave one of them out")
    entries = TAKEN_FROM.of(run.directory.journal)
    with ExitStack() as stack:
        runs: list[OtherRun] = []
        for directory in dict.fromkeys(named):
            if directory.resolve() == run.directory.path.resolve():
                raise UsageError(f"{typed(directory)} is this run; --reuse takes answers of others")
            journal = stack.enter_context(reading(directory))
            _check_kind(directory, was_offline(journal), offline=offline)
            entry = TakenFrom(directory=str(directory.resolve()), run_id=Manifest.of(journal).run_id)
            runs.append(OtherRun(_number(entries, entry), journal))
        TAKEN_FROM.keep(run.directory.journal, entries)
        yield AnswersElsewhere(runs)


@contextmanager
def answers_priced(spec: JobSpec) -> Generator[AnswersElsewhere | None]:
    """Open the same to say a price, before anything has begun; None where none are taken.

    Raises:
        RunDirectoryError: One is no run.
    """
    if not spec.reuse_from or not spec.reuse:
        yield None
        return
    with ExitStack() as stack:
        journals = [stack.enter_context(reading(directory)) for directory in dict.fromkeys(map(Path, spec.reuse_from))]
        yield AnswersElsewhere([OtherRun(number, journal) for number, journal in enumerate(journals, 1)])


def not_named(run: OpenRun) -> str:
    """Return in words that answers of other runs were taken before, and none are now; empty where that is not so."""
    before: Sequence[TakenFrom] = TAKEN_FROM.of(run.directory.journal)
    if not before or run.spec.reuse_from:
        return ""
    names = ", ".join(typed(Path(entry["directory"])) for entry in before)
    return f"answers were taken of {names} before: what is still missing is asked anew unless --reuse names it again"


def _number(entries: list[TakenFrom], entry: TakenFrom) -> int:
    """Return the number of a run among those of which answers are taken, into which it is put."""
    ids = [before["run_id"] for before in entries]
    if entry["run_id"] in ids:
        place = ids.index(entry["run_id"])
        entries[place] = entry  # it may have been moved
        return place + 1
    entries.append(entry)
    return len(entries)


def _check_kind(directory: Path, was_simulated: bool | None, *, offline: bool) -> None:
    """Check that simulated and real answers are not mixed.

    Raises:
        RunDirectoryError: They would be.
    """
    if was_simulated not in (None, offline):
        there, here = ("by stand-ins", "models") if was_simulated else ("by models", "stand-ins")
        raise RunDirectoryError(
            f"{typed(directory)} was answered {there}, and {here} answer here: simulated and real answers are never "
            "mixed; leave it out"
        )
