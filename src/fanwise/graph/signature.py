"""Signatures of the user's functions, and the place in the user's code from which we were called."""

from __future__ import annotations

import inspect
import sysconfig
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, get_type_hints

from pydantic import TypeAdapter
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

from fanwise.errors import Mistake

from . import types as ty
from .kinds import holds_media

_STANDARD = sysconfig.get_path("stdlib")
_PACKAGE = str(Path(__file__).parent.parent)


def signature_types(
    fn: Callable[..., Any], place: str, mistakes: list[Mistake]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return all type hints of a function, and those of its parameters in order.

    Mistakes (an annotation that cannot be read, `*args`) are appended to `mistakes`.
    """
    try:
        hints = get_type_hints(fn, localns=caller_locals(), include_extras=True)
    except (NameError, TypeError) as error:
        mistakes.append(
            Mistake(place, f"{fn.__name__!r}: an annotation cannot be read: {error}", "define the type above")
        )
        hints = {}
    params: dict[str, Any] = {}
    for param in inspect.signature(fn).parameters.values():
        if param.kind in (param.VAR_POSITIONAL, param.VAR_KEYWORD):
            mistakes.append(Mistake(place, f"{fn.__name__!r} takes *{param.name}", "name every parameter"))
        params[param.name] = hints.get(param.name, Any)
    for name, tp in hints.items():
        problem = _unusable(tp)
        if problem:
            does = "returns" if name == "return" else f"takes {name!r} as"
            mistakes.append(Mistake(place, f"{fn.__name__!r} {does} {ty.name(tp)}, which is no data: {problem}"))
    return hints, params


def file_mistakes(kind: str, name: str, types: Mapping[str, Any], place: str) -> list[Mistake]:
    """Return a mistake for each type with an image or PDF inside, where only text can go.

    Args:
        kind: What the function is: a step, a tool.
        name: Its name.
        types: Those of its parameters by name, that of its result by "return".
        place: Of the function.
    """
    return [
        Mistake(
            place,
            f"{kind} {name!r} {'returns' if part == 'return' else f'takes {part!r} as'} {ty.name(tp)}, "
            "which holds an image or a PDF: that is neither kept in the journal nor passed on by a model",
            "pass the row's own field to the agent, and text or a path here",
        )
        for part, tp in types.items()
        if holds_media(tp)
    ]


def _unusable(tp: Any) -> str:
    """Return why Pydantic can neither read nor write values of a type, or nothing."""
    try:
        TypeAdapter[Any](tp)
    except (PydanticUserError, PydanticSchemaGenerationError) as error:
        return str(error).splitlines()[0]
    except (NameError, TypeError):
        return ""  # a forward reference that is resolved later
    return ""


def caller() -> tuple[str, int]:
    """Return file and line of the innermost frame outside of fanwise and the standard library."""
    frame = _frame()
    return ("<unknown>", 0) if frame is None else (frame.f_code.co_filename, frame.f_lineno)


def caller_locals() -> dict[str, Any]:
    """Return the local names of the caller, for annotations with types that a function defines."""
    frame, names = _frame(), dict[str, Any]()
    file = frame.f_code.co_filename if frame is not None else ""
    while frame is not None:
        if frame.f_code.co_filename == file and frame.f_code.co_name != "<module>":
            names = {**frame.f_locals, **names}
        frame = frame.f_back
    return names


def _frame() -> FrameType | None:
    """Return the innermost frame outside of fanwise and the standard library."""
    frame = inspect.currentframe()
    while frame is not None:
        file = frame.f_code.co_filename
        is_standard = file.startswith(("<frozen", _STANDARD)) and "-packages" not in file
        if not file.startswith(_PACKAGE) and not is_standard:
            return frame
        frame = frame.f_back
    return None


def place() -> str:
    """Return the caller's place as `file:line`."""
    file, line = caller()
    return f"{file}:{line}"
