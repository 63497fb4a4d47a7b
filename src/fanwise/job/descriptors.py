"""How many requests can be on their way at once with the files that the system lets a process have open."""

from __future__ import annotations

from dataclasses import replace

from .spec import JobSpec

_OTHERS = 48
"""Files that a run has open beside its connections: streams, journal, emulator, tools, event loops."""


def within_descriptors(spec: JobSpec, notes: list[str], *, ends: int) -> JobSpec:
    """Return the spec with no more slots than connections can be opened; the bound is raised first, as far as it goes.

    A connection that cannot be opened looks like a server that is away.

    Args:
        spec: How the session runs.
        notes: Where it is said that there are fewer slots.
        ends: Of each connection that this process has: two where the embedded emulator answers.
    """
    most = _most_open(spec.slots * ends + _OTHERS)
    slots = max((most - _OTHERS) // ends, 1)
    if slots >= spec.slots:
        return spec
    notes.append(
        f"the system lets a process have {most} files open: {slots} live requests at a time, not {spec.slots}; "
        "for more raise `ulimit -n`"
    )
    return replace(spec, slots=slots)


def _most_open(wanted: int) -> int:
    """Return how many files may be open, at most as many as are wanted."""
    try:
        import resource  # only here: there is none on Windows, which has no such bound
    except ImportError:
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (OSError, ValueError):
        return soft
    return most
