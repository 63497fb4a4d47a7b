"""What Python hides from a traced value is refused behind decorators, in classes, and in what is chosen late too."""

from __future__ import annotations

import collections
import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from test_hidden_uses import Mail, Pair, accept, refuse

from fanwise import DefinitionError, agent, graph


@agent(model="claude-haiku-5-5")
def join(text: str, more: str) -> str:
    """Join."""
    return f"{text} {more}"


def word_of(note: str | None) -> str:
    return "none" if note is None else "some"


def wrapping(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapped(note: Any) -> Any:
        return "none" if note is None else function(note)

    return wrapped


@wrapping
def wrapped_word(note: Any) -> str:
    return "some"


@functools.cache
def cached_word(note: Any) -> str:
    return "none" if note is None else "some"


@functools.singledispatch
def dispatched_word(note: Any) -> str:
    return "other"


@dispatched_word.register
def _(note: str) -> str:
    return "text"


@contextlib.contextmanager
def opened(note: Any) -> Iterator[str]:
    yield "none" if note is None else "some"


@contextlib.contextmanager
def section(text: Any) -> Iterator[Any]:
    yield text


def yielded(note: Any) -> Iterator[Any]:
    yield from [note]


class Box:
    """Takes what it is given, and asks it by all ways that have no call."""

    note: Any = None

    def take(self, note: Any) -> Box:
        self.note = note
        return self

    @property
    def word(self) -> str:
        return "none" if self.note is None else "some"

    @functools.cached_property
    def kept_word(self) -> str:
        return "none" if self.note is None else "some"

    def __bool__(self) -> bool:
        return self.note is not None

    def __call__(self) -> str:
        return "none" if self.note is None else "some"

    def __getitem__(self, key: str) -> str:
        return "none" if self.note is None else key

    def __enter__(self) -> str:
        return "none" if self.note is None else "some"

    def __exit__(self, *_: object) -> None:
        pass


class Sized(Box):
    def __len__(self) -> int:
        return 0 if self.note is None else 1

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        yield "none" if self.note is None else "some"


class Lazy:
    def __init__(self, note: Any) -> None:
        self.note = note

    def __getattr__(self, name: str) -> str:
        return name if self.note is None else "some"


@dataclass
class Derived:
    note: Any
    word: str = ""

    def __post_init__(self) -> None:
        self.word = "none" if self.note is None else "some"


SHARED = Box()
SEEN: list[Any] = []
WORDS = {"a": word_of, "b": cached_word}
AMONG = collections.ChainMap({"note": "found"})
LAST: Any = None


def by_decorator(mail: Mail) -> str:
    return join(mail.text, wrapped_word(mail.note))


def by_cache(mail: Mail) -> str:
    return join(mail.text, cached_word(mail.note))


def by_dispatch(mail: Mail) -> str:
    return join(mail.text, dispatched_word(mail.note))


def by_context(mail: Mail) -> str:
    with opened(mail.note) as word:
        return join(mail.text, word)


def by_property(mail: Mail) -> str:
    return join(mail.text, Box().take(mail.note).word)


def by_cached_property(mail: Mail) -> str:
    return join(mail.text, Box().take(mail.note).kept_word)


def by_truth_of_an_object(mail: Mail) -> str:
    return accept(mail.text) if Box().take(mail.note) else refuse(mail.text)


def by_truth_in_an_expression(mail: Mail) -> str:
    return join(mail.text, "some" if not Box().take(mail.note) or False else "none")


def by_call_of_an_object(mail: Mail) -> str:
    return join(mail.text, Box().take(mail.note)())


def by_item_of_an_object(mail: Mail) -> str:
    return join(mail.text, Box().take(mail.note)["word"])


def by_entering_an_object(mail: Mail) -> str:
    with Box().take(mail.note) as word:
        return join(mail.text, word)


def by_length_of_an_object(mail: Mail) -> str:
    return join(mail.text, str(len(Sized().take(mail.note))))  # type: ignore[arg-type]


def by_items_of_an_object(mail: Mail) -> str:
    return join(mail.text, next(iter(Sized().take(mail.note))))  # type: ignore[misc]


def by_missing_attribute(mail: Mail) -> str:
    return join(mail.text, Lazy(mail.note).word)


def by_what_a_dataclass_derives(mail: Mail) -> str:
    return join(mail.text, Derived(mail.note).word)


def by_builder(mail: Mail) -> str:
    box = Box()
    box.take(mail.note)
    return accept(mail.text) if box.note is not None else refuse(mail.text)


def by_attribute_that_is_set(mail: Mail) -> str:
    box = Box()
    box.note = mail.note
    return accept(mail.text) if box.note is not None else refuse(mail.text)


def by_shared_object(mail: Mail) -> str:
    SHARED.note = mail.note
    return join(mail.text, SHARED.word)


def by_namespace(mail: Mail) -> str:
    names = SimpleNamespace()
    names.note = mail.note
    return accept(mail.text) if names.note is not None else refuse(mail.text)


def by_shared_list(mail: Mail) -> str:
    SEEN.append(mail.note)
    return accept(mail.text) if SEEN[-1] is None else refuse(mail.text)


def by_default_dict(mail: Mail) -> str:
    groups: dict[str, list[Any]] = collections.defaultdict(list)
    groups["note"].append(mail.note)
    return accept(mail.text) if groups["note"][0] is None else refuse(mail.text)


def by_deque(mail: Mail) -> str:
    notes = collections.deque[Any]()
    notes.append(mail.note)
    return accept(mail.text) if notes[0] is None else refuse(mail.text)


def by_set(mail: Mail) -> str:
    texts = set[Any]()
    for text in (mail.text, mail.note):
        texts.add(text)
    return join(mail.text, str(len(texts)))


def by_sorting(mail: Mail) -> str:
    notes = [mail.text, mail.note]
    notes.sort(key=lambda note: note is None)
    return join(mail.text, notes[0])  # type: ignore[arg-type]


def by_look_up_in_a_new_object(mail: Mail) -> str:
    return join(mail.text, collections.ChainMap({"note": "found"}).get(mail.note, "missing"))  # type: ignore[call-overload]


def by_look_up_in_an_object(mail: Mail) -> str:
    return join(mail.text, AMONG.get(mail.note, "missing"))


def by_global_name(mail: Mail) -> str:
    global LAST
    LAST = mail.note
    return accept(mail.text) if LAST is None else refuse(mail.text)


def by_outer_name(mail: Mail) -> str:
    last: Any = None

    def keep() -> None:
        nonlocal last
        last = mail.note

    keep()
    return accept(mail.text) if last is None else refuse(mail.text)


def by_helper_of_a_condition(mail: Mail) -> str:
    return join(mail.text, (word_of if "HOME" in os.environ else cached_word)(mail.note))


def by_helper_of_a_branch(mail: Mail) -> str:
    helper: Any = word_of
    if "HOME" in os.environ:
        helper = str
    return join(mail.text, helper(mail.note))


def by_helper_of_a_table(mail: Mail) -> str:
    return join(mail.text, WORDS[os.environ.get("WORD", "a")](mail.note))


def by_import(mail: Mail) -> str:
    from test_hidden_in_helpers import word_of as imported

    return join(mail.text, imported(mail.note))


def by_imported_module(mail: Mail) -> str:
    import test_hidden_in_helpers as helpers

    return join(mail.text, helpers.word_of(mail.note))


def by_inner_decorator(mail: Mail) -> str:
    @wrapping
    def word(note: Any) -> str:
        return "some"

    return join(mail.text, word(mail.note))


def by_inner_cache(mail: Mail) -> str:
    @functools.lru_cache
    def word(note: Any) -> str:
        return "none" if note is None else "some"

    return join(mail.text, word(mail.note))


def by_inner_dispatch(mail: Mail) -> str:
    @functools.singledispatch
    def word(note: Any) -> str:
        return "other"

    return join(mail.text, word(mail.note))


def by_inner_class(mail: Mail) -> str:
    class Inner:
        def __init__(self, note: Any) -> None:
            self.note = note

        @property
        def word(self) -> str:
            return "none" if self.note is None else "some"

    return join(mail.text, Inner(mail.note).word)


def by_inner_class_that_sees_the_row(mail: Mail) -> str:
    class Inner:
        def __bool__(self) -> bool:
            return mail.note is None

    return accept(mail.text) if Inner() else refuse(mail.text)


def by_inner_class_with_a_static_method(mail: Mail) -> str:
    class Inner:
        @staticmethod
        def word(note: Any) -> str:
            return "none" if note is None else "some"

    return join(mail.text, Inner.word(mail.note))


def by_inner_dataclass(mail: Mail) -> str:
    @dataclass
    class Inner:
        note: Any

    return accept(mail.text) if Inner(mail.note).note is None else refuse(mail.text)


def by_what_is_entered(mail: Mail) -> str:
    with section(mail.note) as note:
        return accept(mail.text) if note is None else refuse(mail.text)


def by_what_is_yielded(mail: Mail) -> str:
    for note in yielded(mail.note):
        if note is None:
            return refuse(mail.text)
    return accept(mail.text)


def by_item_of_a_named_tuple(mail: Mail) -> str:
    return accept(mail.text) if Pair(mail.text, mail.note)[1] is None else refuse(mail.text)


WAYS = [value for name, value in list(globals().items()) if name.startswith("by_")]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_what_helpers_hide_is_refused_with_its_place(way: Callable[..., Any]) -> None:
    """Found: each of them took one branch for all rows, and said nothing."""
    with pytest.raises(DefinitionError) as caught:
        graph(way)
    assert all(mistake.place.startswith(f"{__file__}:") and mistake.hint for mistake in caught.value.mistakes)
    assert any("is known only at run time and cannot be used" in mistake.message for mistake in caught.value.mistakes)


# What only carries values ---------------------------------------------------------------------------


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return called


@logged
def asked(text: str, *, agent_: Any = accept) -> str:
    return agent_(text)


@functools.cache
def rubric(name: str) -> str:
    return f"rubric of {name}"


class Desk:
    def __init__(self, mail: Mail) -> None:
        self.mail, self.parts = mail, list[str]()

    @property
    def text(self) -> str:
        return self.mail.text

    def ask(self, agent_: Callable[[str], str]) -> Desk:
        self.parts.append(agent_(self.text))
        return self


def test_helpers_that_only_carry_values_are_welcome() -> None:
    @graph
    @logged
    def job(mail: Mail) -> list[str]:
        from test_hidden_in_helpers import join as joined

        @logged
        def twice(text: str) -> list[str]:
            return [accept(text), refuse(text)]

        class Pair:
            def __init__(self, first: str, second: str) -> None:
                self.first, self.second = first, second

            @property
            def both(self) -> str:
                return joined(self.first, self.second)

        groups: dict[str, list[str]] = collections.defaultdict(list)
        queue = collections.deque[str]()
        groups["all"].extend(twice(mail.text))
        queue.append(asked(mail.text, agent_=refuse if "NONE" in os.environ else accept))
        with section(mail.text) as text:
            groups["all"].append(join(text, rubric("a")))
        desk = Desk(mail).ask(accept).ask(refuse)
        count = 0

        def note() -> None:
            nonlocal count
            count += 1

        note()
        if count and len(desk.parts) > 1:
            groups["desk"] = desk.parts
        return [*groups["all"], *queue, *groups["desk"], Pair(mail.text, desk.text).both]

    assert job.rehearse(Mail(text="t")) == [
        "yes t", "no t", "t rubric of a", "yes t", "yes t", "no t", "t t",
    ]  # fmt: skip


def test_arguments_that_a_class_does_not_take_are_told_and_no_traceback() -> None:
    def wrong(mail: Mail) -> str:
        return accept(Derived(mail.text, "a", "b").word)  # type: ignore[call-arg]

    with pytest.raises(DefinitionError, match="takes from 2 to 3 positional arguments"):
        graph(wrong)


def test_a_graph_that_yields_is_told_to_return() -> None:
    def yields(mail: Mail) -> Any:
        yield accept(mail.text)

    with pytest.raises(DefinitionError, match=r"graph 'yields' yields; return one value"):
        graph(yields)
