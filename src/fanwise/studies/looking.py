"""The looks that were made at the rows of a run: kept beside it, since each has spent a part of one error.

A look belongs to its question. Whoever holds the same rows against other labels, or both sides as they are after an
edit, asks something else, and has an error of its own to spend.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from fanwise.canonical import canonical, digest
from fanwise.engine.arms import Arm, statics
from fanwise.engine.described import tasks_of
from fanwise.errors import UsageError
from fanwise.journal.records import ArmName
from fanwise.ledger.looks import Look
from fanwise.ledger.verdict import MARGIN
from fanwise.paths import typed
from fanwise.rendering.files import replace_file

LOOKS = "looks.json"
"""In the run directory, and not in its journal: a comparison may look while another process works on it."""


def question_of(arms: Mapping[ArmName, Arm], channel: str | None, labels: str | Path | None, score: object) -> str:
    """Return a hash of what a comparison asks: of which sides, in which channel, and what is right.

    Labels and scorer are known by their names: whoever corrects a label looks at the same question again.

    Args:
        arms: Both sides, as they are now.
        channel: What the run was told to use.
        labels: A field of the rows, or a file; None: none.
        score: A scorer, or its reference; None: equality.
    """
    sides = {"nodes": statics(arms), "tasks": tasks_of(arms)}
    right = {"labels": _named(labels), "score": _named(score), "margin": MARGIN}
    return digest(canonical({**sides, **right, "channel": channel}))


def _named(of: object) -> str | None:
    """Return how labels or a scorer are known, wherever the call was made from."""
    if of is None:
        return None
    if isinstance(of, str | Path):
        file, colon, function = str(of).rpartition(":")
        if not colon:
            file, function = function, ""
        return f"{os.path.abspath(file) if os.path.isfile(file) else file}{colon}{function}"
    name = getattr(of, "__qualname__", type(of).__qualname__)
    return f"{getattr(of, '__module__', '')}.{name}"


def looks_of(directory: Path, question: str) -> tuple[Look, ...]:
    """Return the looks that were made at the rows of a run with this question.

    Raises:
        UsageError: What is kept of them cannot be read.
    """
    return tuple(look for of, look in _kept(directory) if of in (question, None))


def keep_looks(directory: Path, question: str, made: Sequence[Look]) -> None:
    """Keep looks beside a run; one at as many rows as before is the same look.

    Args:
        directory: Of the run.
        question: That was asked.
        made: The looks with it, up to this one.

    Raises:
        UsageError: They cannot be written there.
    """
    kept = list(_kept(directory))
    before = {look.rows for of, look in kept if of in (question, None)}
    new = [(question, look) for look in made if look.rows not in before]
    if new:
        looks = sorted((*kept, *new), key=lambda one: (one[1].rows, one[0] or ""))
        data = [look._asdict() | ({} if of is None else {"question": of}) for of, look in looks]
        replace_file(directory / LOOKS, [json.dumps(data) + "\n"])


def _kept(directory: Path) -> Iterator[tuple[str | None, Look]]:
    """Yield the looks that are kept, each with its question; one that an earlier version kept has None: it is any's.

    Raises:
        UsageError: They cannot be read.
    """
    file = directory / LOOKS
    try:
        kept = cast("list[dict[str, Any]]", json.loads(file.read_text(encoding="utf-8")))
        for look in kept:
            yield look.get("question"), Look(int(look["rows"]), min(max(float(look["spent"]), 0.0), 1.0))
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"{type(error).__name__}: {error}"
        raise UsageError(
            f"{typed(file)} does not hold the looks at this run ({what}); remove it to look anew"
        ) from None
