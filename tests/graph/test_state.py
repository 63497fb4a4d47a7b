"""The state of a row, against a plain evaluation: each task once, after what it needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given as with_examples
from hypothesis import strategies as st

from fanwise.graph.expr import Expr, Get, Make
from fanwise.graph.nodes import EachNode, OptionalNode, TaskNode, Template
from fanwise.graph.outcomes import Done, Failed, Outcome, Skipped
from fanwise.graph.scope import Task
from fanwise.graph.state import RowState


class Target:
    spec = None

    def __init__(self, name: str) -> None:
        self.name = name
        self.body: Callable[..., Any] = lambda: None


def task(slot: int, *sources: int) -> TaskNode:
    args: dict[str, Expr] = {f"p{index}": Get(source) for index, source in enumerate(sources)}
    target = Target(f"n{slot}")
    return TaskNode(slot=slot, path=f"n{slot}", place="here:1", target=target, args=args, blocks={}, labels={})


@st.composite
def dags(draw: st.DrawFn) -> tuple[list[tuple[int, ...]], set[int]]:
    """Predecessors of each task (0 is the row), and the tasks that fail."""
    count = draw(st.integers(1, 9))
    edges = [tuple(sorted(draw(st.sets(st.integers(0, number), max_size=3)))) for number in range(count)]
    failing = draw(st.sets(st.integers(1, count), max_size=3))
    return edges, failing


@with_examples(dags(), st.randoms(use_true_random=False))
def test_any_dag_runs_each_task_once_after_its_predecessors_in_any_order_of_replies(
    dag: tuple[list[tuple[int, ...]], set[int]], chance: Any
) -> None:
    edges, failing = dag
    nodes = tuple(task(number, *sources) for number, sources in enumerate(edges, 1))
    output: Expr = Make("list", tuple(Get(node.slot) for node in nodes))
    state = RowState(Template(nodes, output), {0: "row"})
    pending, seen = state.start(), list[int]()
    while pending:
        next_task = pending.pop(chance.randrange(len(pending)))
        slot = next_task.node.slot
        assert slot not in seen, "a task ran twice"
        assert all(source == 0 or source in seen for source in edges[slot - 1]), "a task ran before what it needs"
        seen.append(slot)
        pending += state.finish(next_task, Failed(next_task.label, "test", "x") if slot in failing else Done(slot))
    assert state.finished()
    spoiled: set[int] = set()
    for number, sources in enumerate(edges, 1):
        if number in failing or any(source in spoiled for source in sources):
            spoiled.add(number)
    skipped = {number for number in spoiled if any(source in spoiled for source in edges[number - 1])}
    assert set(seen) == set(range(1, len(edges) + 1)) - skipped, "all others ran, whatever failed beside them"
    assert isinstance(state.outcome(), Done) == (not spoiled)
    assert len(state.failures) == len(failing - skipped)


def joined(values: list[Any], need: int | None, failing: set[int]) -> tuple[Outcome, list[Task]]:
    body = Template((task(3, 2),), Get(3))
    each_node = EachNode(slot=4, path="each", place="here:1", over=Get(0), item=2, body=body, need=need, most=None)
    state = RowState(Template((each_node,), Get(4)), {0: values})
    ran: list[Task] = []
    pending = state.start()
    while pending:
        next_task = pending.pop()
        ran.append(next_task)
        index = next_task.items[0].index
        pending += state.finish(
            next_task, Failed(next_task.label, "test", "x") if index in failing else Done(next_task.values["p0"])
        )
    assert state.finished()
    return state.outcome(), ran


@with_examples(st.lists(st.integers(0, 3), max_size=6), st.none() | st.integers(1, 6), st.sets(st.integers(0, 5)))
def test_each_joins_in_item_order_and_on_a_quorum(values: list[int], need: int | None, failing: set[int]) -> None:
    failing = {index for index in failing if index < len(values)}
    outcome, ran = joined(values, need, failing)
    assert len(ran) == len(values), "an item that fails does not stop the others"
    good = len(values) - len(failing)
    if not failing or (need is not None and good >= need):
        assert outcome == Done([None if index in failing else value for index, value in enumerate(values)])
    else:
        assert isinstance(outcome, Skipped)
        assert outcome.cause.task == f"n3[{min(failing)}]", "the failed task is named with its item"


@with_examples(st.lists(st.sampled_from("abc"), max_size=6), st.randoms(use_true_random=False))
def test_the_key_of_an_item_does_not_depend_on_its_place(values: list[str], chance: Any) -> None:
    def keys(items: list[str]) -> list[str]:
        return sorted(task.items[0].key for task in joined(items, None, set())[1])

    shuffled = list(values)
    chance.shuffle(shuffled)
    assert keys(values) == keys(shuffled)
    assert len(set(keys(values))) == len(values), "equal items are told apart by their ordinal"


def test_optional_turns_a_failure_into_none_and_the_row_goes_on() -> None:
    nodes = (task(1, 0), OptionalNode(slot=2, path="optional", place="here:1", value=Get(1)), task(3, 2))
    state = RowState(Template(nodes, Get(3)), {0: "row"})
    first = state.start()[0]
    (last,) = state.finish(first, Failed("n1", "test", "x"))
    assert last.values == {"p0": None}
    state.finish(last, Done("end"))
    assert state.outcome() == Done("end")
    assert [failure.task for failure in state.failures] == ["n1"]
