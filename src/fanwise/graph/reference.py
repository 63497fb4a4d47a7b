"""The symbolic value: what a graph function holds while it is traced.

A reference knows its expression and its type. Reading a field or an item gives another
reference; using it as a plain value is a mistake that is noted with its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Any, Literal, NoReturn, cast

from pydantic import BaseModel

from . import types as ty
from .expr import Apply, Const, Expr, Get, Make
from .tracer import Tracer

WHEN_HINT = "use when(cond, lambda: ...), and &, | and not_() between conditions"
STEP_HINT = "do this in a @step function, which gets the real value"


class Ref:
    """A value that exists only at run time."""

    __slots__ = ("_expr", "_label", "_tracer", "_type")

    def __init__(self, tracer: Tracer, expr: Expr, tp: Any, label: str) -> None:
        self._tracer, self._expr, self._type, self._label = tracer, expr, tp, label

    # Reading parts -----------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Ref:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        label = f"{self._label}.{name}"
        return Ref(self._tracer, self._part(("field", name)), self._field_type(name), label)

    def __getitem__(self, key: Any) -> Ref:
        label = f"{self._label}[{key!r}]" if not isinstance(key, Ref) else f"{self._label}[...]"
        if isinstance(key, Ref | slice):
            index = "a slice" if isinstance(key, slice) else f"{key._label}, which is known only at run time"
            self._tracer.add_mistake("index", f"{self._label} is indexed by {index}", STEP_HINT)
            return Ref(self._tracer, self._expr, ty.Unknown, label)
        return Ref(self._tracer, self._part(("item", key)), self._item_type(key), label)

    def _part(self, step: tuple[Any, Any]) -> Expr:
        if isinstance(self._expr, Get):
            return Get(self._expr.slot, (*self._expr.path, step))
        return self._expr

    def _field_type(self, name: str) -> Any:
        if ty.unclear(self._type):
            return ty.Unknown
        fields = ty.fields(self._type)
        field_type = ty.field_type(self._type, name)
        if field_type is not None:
            return field_type
        type_name = ty.name(self._type)
        if fields is None and ty.may_be_none(self._type):
            message = f"{self._label} may be missing ({type_name}), so it has no field {name!r}"
            self._tracer.add_mistake(f"field {name}", message, "use given(value, lambda v: ...)")
            present = ty.fields(ty.without_none(self._type)) or {}
            return present.get(name, ty.Unknown)
        hint = STEP_HINT if fields is None else self._hint(name, fields)
        if len(ty.members(self._type)) > 1:
            hint = "not all of its types have that field; pass it whole, or read it in a @step"
        self._tracer.add_mistake(f"field {name}", f"{self._label} ({type_name}) has no field {name!r}", hint)
        return ty.Unknown

    def _hint(self, name: str, fields: Iterable[str]) -> str:
        """Return the right way for a name that is no field of a record."""
        if isinstance(self._type, type) and hasattr(BaseModel, name):
            return STEP_HINT  # a method of the model
        near = get_close_matches(name, fields, 1)
        return f"did you mean {near[0]!r}?" if near else f"it has {', '.join(fields) or 'no fields'}"

    def _item_type(self, key: Any) -> Any:
        if ty.unclear(self._type):
            return ty.Unknown
        value = ty.value_type(self._type)
        if value is not None:
            return value
        item = ty.item_type(self._type)
        if isinstance(key, str) and key in (fields := ty.fields(self._type) or {}):
            return fields[key]
        if item is None or isinstance(key, str):
            self._tracer.add_mistake("item", f"{self._label} ({ty.name(self._type)}) has no item {key!r}", STEP_HINT)
            return ty.Unknown
        return item

    # Conditions --------------------------------------------------------------------------------

    def _apply(self, op: str, right: object) -> Any:
        return Ref(self._tracer, Apply(op, (self._expr, to_expr(right))), bool, f"{self._label} {op} ...")

    def __eq__(self, right: object) -> Any:
        return self._apply("==", right)

    def __ne__(self, right: object) -> Any:
        return self._apply("!=", right)

    def __lt__(self, right: object) -> Any:
        return self._apply("<", right)

    def __le__(self, right: object) -> Any:
        return self._apply("<=", right)

    def __gt__(self, right: object) -> Any:
        return self._apply(">", right)

    def __ge__(self, right: object) -> Any:
        return self._apply(">=", right)

    def __and__(self, right: object) -> Any:
        return self._apply("&", right)

    def __or__(self, right: object) -> Any:
        return self._apply("|", right)

    __rand__, __ror__ = __and__, __or__

    def __hash__(self) -> int:
        self._plain("key", "as a key or in a set")
        return id(self)

    # Uses as a plain value ---------------------------------------------------------------------

    def _plain(self, kind: str, use: str, hint: str = STEP_HINT) -> None:
        self._tracer.add_mistake(kind, f"{self._label} is known only at run time and cannot be used {use}", hint)

    def __bool__(self) -> bool:
        self._plain("bool", "as a condition here", WHEN_HINT)
        self._tracer.count_condition()
        return self._tracer.truth

    def __iter__(self) -> Iterator[Any]:
        self._plain("loop", "in a loop", "use each(list, agent)")
        return iter(())

    def __len__(self) -> int:
        self._plain("len", "with len()")
        return 0

    def __str__(self) -> str:
        self._plain("text", "as text (f-string, str())", "pass it to the agent as an argument")
        return ""

    def __format__(self, spec: str) -> str:
        return str(self)

    def __repr__(self) -> str:
        return f"<traced {self._label}: {ty.name(self._type)}>"

    def __contains__(self, item: object) -> bool:
        self._plain("in", "with `in`")
        return False

    def __int__(self) -> int:
        self._plain("number", "as a number")
        return 0

    __index__ = __int__

    def __float__(self) -> float:
        return float(int(self))

    def _arithmetic(self, *_: object) -> Ref:
        self._plain("arithmetic", "in arithmetic")
        return Ref(self._tracer, self._expr, ty.Unknown, self._label)

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _arithmetic
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _arithmetic
    __pow__ = __rpow__ = __neg__ = __pos__ = __abs__ = __invert__ = _arithmetic
    __matmul__ = __lshift__ = __rshift__ = __xor__ = _arithmetic

    def __call__(self, *_: object, **__: object) -> Ref:
        self._plain("call", "as a function")
        return Ref(self._tracer, self._expr, ty.Unknown, self._label)

    def __setattr__(self, name: str, value: object) -> None:
        if name in Ref.__slots__:
            object.__setattr__(self, name, value)
        else:
            self._plain("assign", f"to set {name!r}", "values never change; build a new one in a @step")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a traced value cannot be pickled")


def is_of_object(name: str) -> bool:
    """Return whether an attribute is what Python, or a trace, keeps of any object, and no field of a value."""
    return hasattr(Ref, name) or (name.startswith("__") and name.endswith("__"))


def expr_of(ref: Ref) -> Expr:
    """Return the expression behind a reference."""
    return object.__getattribute__(ref, "_expr")


def type_of(value: object) -> Any:
    """Return the type of a traced value, or of a plain one as far as it is clear."""
    if isinstance(value, Ref):
        return object.__getattribute__(value, "_type")
    if isinstance(value, list | tuple | dict | set):
        return ty.Unknown
    return type(value)


def label_of(value: object) -> str:
    """Return how a user knows the value: `ticket.body`, or its text."""
    if isinstance(value, Ref):
        return object.__getattribute__(value, "_label")
    if isinstance(value, list | tuple):
        return f"[{', '.join(label_of(item) for item in cast('Sequence[object]', value))}]"
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def to_expr(value: object) -> Expr:
    """Return the expression for a reference, a container with references inside, or a constant."""
    if isinstance(value, Ref):
        return expr_of(value)
    if isinstance(value, list | tuple):
        items = tuple(map(to_expr, cast("Sequence[object]", value)))
        return _make("list" if isinstance(value, list) else "tuple", items, (), cast("object", value))
    if isinstance(value, dict):
        record = cast("dict[Any, object]", value)
        return _make("dict", tuple(map(to_expr, record.values())), tuple(record), record)
    return Const(value)


def _make(
    kind: Literal["list", "tuple", "dict"], items: tuple[Expr, ...], keys: tuple[Any, ...], value: object
) -> Expr:
    """Return the expression of a container; it is a constant itself where all that is inside is constant."""
    if all(isinstance(item, Const) for item in items):
        return Const(value)
    return Make(kind, items, keys)
