"""The other runs of whose answers a session takes some."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from fanwise.engine.elsewhere import AnswersElsewhere, OtherRun
from fanwise.errors import RunDirectoryError, UsageError
from fanwise.journal.meta import TAKEN_FROM, TakenFrom
from fanwise.journal.reader import JournalReader
from fanwise.ledger.passed import passed_on
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
    if not run.spec.reuse_from:
        yield None
        return
    if not run.spec.reuse:
        raise UsageError("--reuse names a run and --no-reuse takes no answer of others; leave one of them out")
    entries = TAKEN_FROM.of(run.directory.journal)
    with ExitStack() as stack:
        runs: list[OtherRun] = []
        unaccounted: list[str] = []
        for directory, journal in _opened(run.spec, stack):
            with _named(directory):
                run_id, behind = Manifest.of(journal).run_id, TAKEN_FROM.of(journal)
                was_simulated = was_offline(journal)
            if run_id == run.manifest.run_id:
                raise UsageError(f"{typed(directory)} is this run, or a copy of it; --reuse takes answers of others")
            _check_kind(directory, was_simulated, offline=offline)
            entry = TakenFrom(directory=str(directory), run_id=run_id)
            passed = passed_on(journal.db)
            if passed is None:
                unaccounted.append(typed(directory))
            runs.append(OtherRun([_number(entries, each) for each in (entry, *behind)], journal, passed or {}))
        TAKEN_FROM.keep(run.directory.journal, entries)
        yield AnswersElsewhere(runs, unaccounted)


def _opened(spec: JobSpec, stack: ExitStack) -> Iterator[tuple[Path, JournalReader]]:
    """Yield the directories that a session names, each once and absolute, with their journals.

    Args:
        spec: How the session runs the job.
        stack: Closes them.
    """
    for directory in dict.fromkeys(Path(path).resolve() for path in spec.reuse_from or ()):
        yield directory, stack.enter_context(reading(directory))


@contextmanager
def _named(directory: Path) -> Generator[None]:
    """Say of which directory something is wrong: what is said of a journal sounds as if it were the run's own."""
    try:
        yield
    except RunDirectoryError as error:
        raise RunDirectoryError(f"no answers can be taken of {typed(directory)}: {error}") from error


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
        journals = [journal for _, journal in _opened(spec, stack)]
        yield AnswersElsewhere([OtherRun([0] * (1 + len(TAKEN_FROM.of(journal))), journal) for journal in journals])


def none_taken(run: OpenRun, elsewhere: AnswersElsewhere | None) -> str:
    """Return in words that nothing was taken of the runs that were named; empty where that is not so."""
    if elsewhere is None or elsewhere.found:
        return ""
    names = ", ".join(typed(Path(directory)) for directory in run.spec.reuse_from or ())
    return f"nothing was taken of {names}: no task is equal to one that was answered there and may serve others"


def not_accounted(elsewhere: AnswersElsewhere | None) -> str:
    """Return in words of which runs no account can be made, so that no part of their writes is taken; empty if none."""
    if elsewhere is None or not elsewhere.unaccounted:
        return ""
    return (
        f"no account can be made of {', '.join(elsewhere.unaccounted)}, where something is no number: what is taken of "
        "it counts as it was billed there, without its part of what its rows share"
    )


def not_named(run: OpenRun) -> str:
    """Return in words that answers of other runs were taken before, and none are now; empty where that is not so."""
    before: Sequence[TakenFrom] = TAKEN_FROM.of(run.directory.journal)
    if not before or run.spec.reuse_from:
        return ""
    names = ", ".join(typed(Path(entry["directory"])) for entry in before)
    return f"answers were taken of {names} before: what is still missing is asked anew unless --reuse names it again"


def _number(entries: list[TakenFrom], entry: TakenFrom) -> int:
    """Return the number of a run among those of which answers are taken; it is put to them where it is none."""
    if entry not in entries:
        entries.append(entry)
    return entries.index(entry) + 1


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
