"""Which stages go in batches: the best choice of all, on every small graph."""

from __future__ import annotations

from itertools import chain, combinations

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from fanwise import agent, graph
from fanwise.graph.stages import best_stages, in_batches


def fits(dag: nx.DiGraph, picked: frozenset[str], rounds: int) -> bool:
    most: dict[str, int] = {}
    for name in nx.topological_sort(dag):
        most[name] = max((most[before] for before in dag.predecessors(name)), default=0) + (name in picked)
    return max(most.values(), default=0) <= rounds


@settings(max_examples=300, deadline=None)
@given(st.data(), st.integers(1, 7), st.integers(0, 4))
def test_it_is_the_best_of_all_choices(data: st.DataObject, size: int, rounds: int) -> None:
    names = [f"n{index}" for index in range(size)]
    dag: nx.DiGraph = nx.DiGraph()
    dag.add_nodes_from(names)
    for source, target in combinations(names, 2):
        if data.draw(st.booleans()):
            dag.add_edge(source, target)
    savings = {name: data.draw(st.integers(0, 20)) for name in names}
    best = best_stages(dag, savings, rounds)
    assert fits(dag, best, rounds)
    every = chain.from_iterable(combinations(names, count) for count in range(size + 1))
    highest = max(sum(savings[name] for name in some) for some in every if fits(dag, frozenset(some), rounds))
    assert sum(savings[name] for name in best) == highest


@agent(model="claude-haiku-5-5")
def first(text: str) -> str:
    """Read."""
    return text


@agent(model="claude-haiku-5-5")
def second(text: str) -> str:
    """Read again."""
    return text


@agent(model="claude-haiku-5-5")
def third(text: str) -> str:
    """Read once more."""
    return text


@graph
def three(text: str) -> str:
    return third(second(first(text)))


def test_with_time_for_one_round_the_dearest_stage_has_it() -> None:
    savings = {"first": 2, "second": 9, "third": 4}
    assert in_batches(three.spec, savings, 0) == frozenset()
    assert in_batches(three.spec, savings, 1) == {"second"}
    assert in_batches(three.spec, savings, 2) == {"second", "third"}
    assert in_batches(three.spec, savings, 3) == {"first", "second", "third"}
    assert in_batches(three.spec, savings, 1, start="third") == {"third"}
    assert in_batches(three.spec, {**savings, "second": -9}, 1) == {"third"}, "what saves nothing has no claim"
