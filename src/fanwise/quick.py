"""Records that are made quickly: by a plain function of their fields.

Python calls a class by way of a dictionary of the names that it is given, which takes three times as long as to call
a function by the same names. A row makes some twenty records: a tenth of all its processor time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def maker(kind: Callable[P, T]) -> Callable[P, T]:
    """Return what makes records of a kind as its class does, by the names of their fields.

    It pays up to a dozen fields; beyond, the class is as fast.

    Args:
        kind: A named tuple, or a dataclass that is not frozen, with nothing more to do when it is made.
    """
    params = _params(kind)
    given = {name: param for name, param in params.items() if param.is_given}
    signature = [name if param.default is _NONE else f"{name}=default_{name}" for name, param in given.items()]
    return _compiled(kind, params, f"*, {', '.join(signature)}")


def unpacker(kind: Callable[..., T]) -> Callable[[Sequence[Any]], T]:
    """Return what makes records of a kind out of the values of their fields, in order; kinds as `maker` takes them."""
    params = _params(kind)
    names = [name for name, param in params.items() if param.is_given]
    return _compiled(kind, params, "row_", f"{', '.join(names)}, = row_")


def _compiled(kind: Any, params: Mapping[str, _Param], signature: str, *before: str) -> Any:
    """Return a function of this signature that makes a record of its locals, as dataclasses compile theirs."""
    known: dict[str, Any] = {f"default_{name}": param.default for name, param in params.items()}
    if _is_named_tuple(kind):
        known |= {"new_": _NEW_TUPLE, "kind_": kind}
        lines = [f"return new_(kind_, ({', '.join(params)},))"]
    else:
        known |= {"new_": object.__new__, "kind_": kind}
        values = {name: name if param.is_given else f"default_{name}" for name, param in params.items()}
        values |= {name: f"default_{name}()" for name, param in params.items() if param.is_factory}
        sets = [f"record_.{name} = {value}" for name, value in values.items()]
        lines = ["record_ = new_(kind_)", *sets, "return record_"]
    exec(f"def make({signature}):\n " + "\n ".join([*before, *lines]), known)
    return known["make"]


_NONE = object()
_NEW_TUPLE: Any = tuple.__new__  # type: ignore[reportUnknownMemberType]


@dataclasses.dataclass(frozen=True, slots=True)
class _Param:
    """A field of a record, as what makes it sees it."""

    default: object = _NONE
    is_given: bool = True
    is_factory: bool = False
    """Whether its default is called for each record."""


def _params(kind: Any) -> dict[str, _Param]:
    return dict(_named_tuple(kind) if _is_named_tuple(kind) else _dataclass(kind))


def _is_named_tuple(kind: Any) -> bool:
    return issubclass(kind, tuple)


def _named_tuple(kind: Any) -> Iterator[tuple[str, _Param]]:
    return ((name, _Param(kind._field_defaults.get(name, _NONE))) for name in kind._fields)


def _dataclass(kind: Any) -> Iterator[tuple[str, _Param]]:
    for field in dataclasses.fields(kind):
        if field.default_factory is not dataclasses.MISSING:
            if field.init:
                raise TypeError(f"{kind.__name__}.{field.name} may be given and has a factory; let it be one of both")
            yield field.name, _Param(field.default_factory, is_given=False, is_factory=True)
        else:
            yield field.name, _Param(_NONE if field.default is dataclasses.MISSING else field.default, field.init)
