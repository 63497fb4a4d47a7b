"""The layout of prefixes against an exact oracle, and its time on large problems.

Usage: python bench/layout.py [INSTANCES]

The oracle is an integer program over all sets of types and all blocks, solved by HiGHS; it needs
`make bench-tools`. Instances are random, by Zipf's law, or by a hidden hierarchy; minimum 0 to
4,096 tokens; both lives; with and without blocks that a task may carry though it does not need them.
"""

from __future__ import annotations

import itertools
import random
import sys
import time

from fanwise.context.sharing import Problem, exact_cost, plain_cost
from fanwise.context.solver import savings, solve

MINIMUMS = (0, 512, 1024, 2048, 4096)


def instance(seed: int, types: int = 6, *, blocks: int | None = None) -> tuple[str, Problem]:
    """Return the kind of an instance and the instance."""
    chance = random.Random(seed)
    count = blocks or chance.randint(6, 10)
    sizes = tuple(chance.randint(200, 4000) for _ in range(count))
    kind = ("random", "zipf", "hierarchical")[seed % 3]
    if kind == "random":
        need = [[block for block in range(count) if chance.random() < 0.45] for _ in range(types)]
    elif kind == "zipf":
        need = [[block for block in range(count) if chance.random() < 1 / (block / 2 + 1)] for _ in range(types)]
    else:
        need = hidden(chance, types, count)
    required = tuple(frozenset(one or [chance.randrange(count)]) for one in need)
    extras = seed % 2 == 1
    return f"{kind}{', extras' if extras else ''}", Problem(
        sizes=sizes,
        required=required,
        counts=tuple(chance.choice((1, 2, 5, 20, 100)) for _ in range(types)),
        write=(1.25, 2.0)[seed // 2 % 2],
        read=0.1,
        minimum=MINIMUMS[seed // 4 % 5],
        depth=chance.choice((2, 3, 4)),
        allowed=tuple(frozenset(range(count)) for _ in range(types)) if extras else None,
    )


def hidden(chance: random.Random, types: int, blocks: int) -> list[list[int]]:
    """Needs that follow a tree: a type needs the blocks of its ancestors, and one or two by chance."""
    parents = [None if node == 0 else chance.randrange(node) for node in range(types)]
    owned = [chance.sample(range(blocks), min(2, blocks)) for _ in range(types)]
    need: list[list[int]] = []
    for node in range(types):
        found, at = set(owned[node]), parents[node]
        while at is not None:
            found |= set(owned[at])
            at = parents[at]
        if chance.random() < 0.3:
            found.add(chance.randrange(blocks))
        need.append(sorted(found))
    return need


def oracle(problem: Problem) -> float:
    """Return the most that any layout saves, by an integer program."""
    import numpy as np
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import lil_matrix

    types, blocks = list(problem.types), range(len(problem.sizes))
    sets = [frozenset(chosen) for size in range(1, len(types) + 1) for chosen in itertools.combinations(types, size)]
    sets = [one for one in sets if sum(problem.counts[t] for t in one) >= 2]
    index = {key: number for number, key in enumerate([*((u,) for u in sets), *((u, b) for u in sets for b in blocks)])}
    objective = np.zeros(len(index))
    upper = np.ones(len(index))
    for u in sets:
        requests = sum(problem.counts[t] for t in u)
        for b in blocks:
            need = sum(problem.counts[t] for t in u if b in problem.required[t])
            objective[index[u, b]] = -problem.sizes[b] * (need - problem.later * requests - problem.first(requests))
            if not all(b in problem.may(t) for t in u):
                upper[index[u, b]] = 0
    rows: list[tuple[dict[int, float], float]] = []  # sum <= bound
    for u in sets:
        rows += [({index[u, b]: 1.0, index[(u,)]: -1.0}, 0.0) for b in blocks]
        above = [v for v in sets if v >= u]
        row = {index[(u,)]: float(problem.minimum)}
        for v in above:
            for b in blocks:
                row[index[v, b]] = row.get(index[v, b], 0) - problem.sizes[b]
        rows.append((row, 0))
        rows += [
            ({index[(u,)]: 1, index[(v,)]: 1}, 1)
            for v in sets
            if u != v and u & v and not u <= v and not v <= u and index[(u,)] < index[(v,)]
        ]
    for t in types:
        mine = [u for u in sets if t in u]
        rows.append(({index[(u,)]: 1 for u in mine}, problem.depth))
        rows += [({index[u, b]: 1 for u in mine}, 1) for b in blocks]
    matrix, bounds = lil_matrix((len(rows), len(index))), np.zeros(len(rows))
    for number, (row, bound) in enumerate(rows):
        bounds[number] = bound
        for column, factor in row.items():
            matrix[number, column] = factor
    result = milp(
        objective,
        constraints=LinearConstraint(matrix.tocsr(), -np.inf, bounds),
        integrality=np.ones(len(index)),
        bounds=Bounds(np.zeros(len(index)), upper),
        options={"mip_rel_gap": 0, "time_limit": 120},
    )
    assert result.status == 0, result.message
    return -float(result.fun)


def shares(count: int) -> bool:
    """Print how much of the oracle's saving is found, by kind; returns whether it is enough."""
    found: dict[str, list[float]] = {}
    ours_s = oracle_s = 0.0
    for seed in range(count):
        kind, problem = instance(seed)
        begin = time.perf_counter()
        solution = solve(problem)
        middle = time.perf_counter()
        most = oracle(problem)
        ours_s, oracle_s = ours_s + middle - begin, oracle_s + time.perf_counter() - middle
        saved = plain_cost(problem) - exact_cost(problem, solution)
        assert saved <= most + 1e-3, (seed, saved, most)
        costs = savings(problem, solution)
        assert costs["chosen"] <= min(costs["none"], costs["intersection"]) + 1e-6, seed
        found.setdefault(kind, []).append(saved / most if most > 1e-9 else 1.0)
    for kind, some in sorted(found.items()):
        print(f"  {kind:22} mean {sum(some) / len(some):.4f}  least {min(some):.3f}  of {len(some)}")
    every = [one for some in found.values() for one in some]
    mean, least = sum(every) / len(every), min(every)
    print(f"share of the best saving on {count} instances: mean {mean:.4f}, least {least:.3f}")
    print(f"time: {ours_s / count * 1000:.0f} ms a layout, {oracle_s / count * 1000:.0f} ms an oracle")
    return mean >= 0.999 and least >= 0.92


def large() -> bool:
    """Print the time of large problems; returns whether they are quick enough."""
    good = True
    for types, blocks, most_s in ((16, 24, 2.0), (200, 500, 10.0)):
        for seed in (2, 3):
            kind, problem = instance(seed, types, blocks=blocks)
            begin = time.perf_counter()
            solution = solve(problem)
            taken = time.perf_counter() - begin
            saved = 1 - exact_cost(problem, solution) / plain_cost(problem)
            print(f"{types} types x {blocks} blocks ({kind}): {taken:.2f} s, saves {saved:.1%}")
            good = good and taken < most_s
    return good


if __name__ == "__main__":
    instances = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    fine = shares(instances)
    sys.exit(0 if large() and fine else 1)
